//! One worker: it submits the list of orders from the top, takes what gateways post, and works on what is due, until
//! its standard input ends or it is killed. A line there says how many orders there are by now.

use std::error::Error;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use malipo::journal::{Payments, PaymentsError, Refused};
use malipo::{SystemEnv, Timer as _};
use malipo_receiver::{Receiver, serve};
use tokio::io::{AsyncBufReadExt as _, BufReader, stdin};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::orders::Order;
use crate::setup::Setup;

/// How many orders a worker submits at once.
const AT_ONCE: usize = 4;
/// How long to rest before what the journal did not take is submitted again.
const REST: Duration = Duration::from_millis(20);

/// Works as it is told on its standard input, until that ends.
///
/// # Errors
///
/// When it is told nonsense, or cannot open the books or a port.
pub(crate) async fn run() -> Result<(), Box<dyn Error>> {
    let mut lines = BufReader::new(stdin()).lines();
    let setup = lines.next_line().await?.ok_or("nobody told this worker what to do")?;
    let setup: Setup = serde_json::from_str(&setup)?;
    let payments = setup.payments().await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    anstream::println!("listening {}", listener.local_addr()?.port());
    let served = serve(listener, Receiver::new(payments.clone()), std::future::pending());
    let (orders, more) = watch::channel(setup.orders);
    let end = async move {
        while let Ok(Some(line)) = lines.next_line().await {
            if let Ok(now) = line.parse() {
                orders.send_replace(now);
            }
        }
    };
    let all = async {
        submit(&payments, setup.seed, 0, setup.orders).await;
        anstream::println!("all");
        std::future::pending::<()>().await;
    };
    let newest = submit_newest(&payments, &setup, more);
    // What is being submitted or taken when the end comes is dropped, as it is when a worker is killed.
    tokio::select! {
        () = payments.run(end) => Ok(()),
        () = all => Ok(()),
        () = newest => Ok(()),
        () = served => Ok(()),
    }
}

/// Submits what is new, and what comes to be. Together with those who go through the list from the top, and with the
/// other workers, it submits most keys several times at once.
async fn submit_newest(payments: &Payments, setup: &Setup, mut more: watch::Receiver<u32>) {
    let mut from = setup.newest;
    loop {
        let to = *more.borrow_and_update();
        submit(payments, setup.seed, from, to).await;
        from = to;
        if more.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Submits orders, and says of each what it was taken as.
async fn submit(payments: &Payments, seed: u64, from: u32, to: u32) {
    stream::iter(from..to)
        .for_each_concurrent(AT_ONCE, async |number| {
            if let Err(error) = submit_one(payments, seed, number).await {
                anstream::println!("odd order {number}: {error}");
            }
        })
        .await;
}

async fn submit_one(payments: &Payments, seed: u64, number: u32) -> Result<(), Box<dyn Error>> {
    loop {
        let Order { key, account, instruction } = Order::of(seed, number)?;
        match payments.submit(&account, key, instruction).await {
            Ok(payment) => {
                anstream::println!("taken {number} {} {}", payment.id, payment.reference);
                return Ok(());
            }
            // The books are busy, or somebody else has the payment meanwhile: the same key is safe to submit again.
            Err(
                PaymentsError::Journal(_)
                | PaymentsError::Refused(Refused::Fenced | Refused::WrongState { .. } | Refused::Leased { .. }),
            ) => SystemEnv::new().sleep(REST).await,
            Err(error) => return Err(error.into()),
        }
    }
}
