//! Callbacks in a burst: kept, and then read.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use malipo::journal::{
    Address, Deliveries, DeliveryId, Find, Journal, PaymentId, PaymentState, PostgresConfig, PostgresJournal,
    SqliteJournal,
};
use malipo::{DeliveryPurpose, Env as _, SystemEnv, Timer as _};
use malipo_receiver::Receiver;
use tempfile::TempDir;

use crate::bare::{self, Rows, Shape, Writer};
use crate::burst::{self, Burst};
use crate::orders::{self, Merchant};
use crate::serving::Server;
use crate::table::{Table, spread};
use crate::{Arguments, callers, disk};

/// How many callbacks are in a burst at the most, and how many payments they are about.
const BURST: u32 = 20_000;
/// How many connections, and how many callbacks go over them together.
const LEVELS: [(usize, u32); 3] = [(1, 3000), (64, BURST), (256, BURST)];
/// At which of them it is also measured how fast what is kept is read.
const DRAINED: usize = 64;
/// How many submit side by side while the payments are made.
const SUBMITTING: usize = 64;
/// How often one looks whether all is read.
const LOOK: Duration = Duration::from_millis(5);
/// How many connections to PostgreSQL an engine has.
const CONNECTIONS: usize = 16;

const BARE: &str = "bare rows, SQLite";
const HYPER: &str = "hyper, keeps nothing";
const KEPT: &str = "acknowledged, SQLite";
const READ: &str = "read after that, SQLite";
const SERVER: &str = "acknowledged, PostgreSQL";

/// Measures, and prints.
///
/// # Errors
///
/// When something could not be kept or read: there are no figures of failures.
pub(crate) async fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let mut bench = Bench::prepare(disk::folder(&arguments.folder)?).await?;
    let mut ways = vec![BARE, HYPER, KEPT, READ];
    match bench.server {
        Some(_) => ways.push(SERVER),
        None => anstream::println!("no server of PostgreSQL in MALIPO_POSTGRES: it is not measured"),
    }
    let mut table = Table::new(ways, &[0, 1]);
    let mut waited = Vec::new();
    for (connections, count) in LEVELS {
        for round in 0..=arguments.rounds {
            // In turns, so that what else the machine does falls on all alike. The first round warms up.
            let posts = bench.posts(count)?;
            let bare = bench.bare(connections, count).await?;
            let hyper = burst::of(&posts, connections, Server::bare()?.address).await?;
            let (kept, read) = bench.kept(connections, &posts).await?;
            let mut rates = vec![bare, hyper.rate, kept.rate, read];
            let mut bursts = vec![(HYPER, hyper), (KEPT, kept)];
            if bench.server.is_some() {
                let on_server = bench.on_server(connections, count).await?;
                rates.push(on_server.rate);
                bursts.push((SERVER, on_server));
            }
            if round > 0 {
                table.add(connections, rates);
                waited.extend(bursts.into_iter().map(|(way, burst)| (connections, way, burst)));
            }
        }
    }
    table.print();
    anstream::println!(
        "\nThe first ratio is to bare rows of deliveries in SQLite, the second to hyper. What is read writes payments, \
         events and reports besides, and PostgreSQL has other rows on the same disk: those ratios only place them.\n"
    );
    tell_waits(&waited);
    disk::tell_flush(bench.folder.path())
}

/// How long it took until the answer was there.
fn tell_waits(all: &[(usize, &'static str, Burst)]) {
    for (connections, _) in LEVELS {
        for way in [HYPER, KEPT, SERVER] {
            let of = all.iter().filter(|(level, name, _)| (*level, *name) == (connections, way));
            let waits: Vec<_> = of.map(|(_, _, burst)| burst.waited).collect();
            if waits.is_empty() {
                continue;
            }
            let micros = |wait: Duration| u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
            let [_, half, _] = spread(waits.iter().map(|[half, _]| micros(*half)).collect());
            let [_, most, _] = spread(waits.iter().map(|[_, most]| micros(*most)).collect());
            anstream::println!(
                "  {connections:>4} connections  {way:<26}half within {half:>7} us, 99 of 100 within {most:>8} us"
            );
        }
    }
}

/// A payment that a callback is about.
struct Paid {
    /// Where it is posted to.
    path: String,
    reference: String,
    /// What the gateway calls it.
    conversation: String,
    number: u32,
}

struct Bench {
    folder: TempDir,
    merchant: Merchant,
    /// A file with the payments, and nothing posted.
    model: PathBuf,
    paid: Vec<Paid>,
    /// What the bare writer writes.
    shape: Shape,
    rows: Vec<Rows>,
    files: u32,
    /// How many bodies there were so far: each is another one.
    posted: u64,
    server: Option<OnServer>,
}

/// Payments on PostgreSQL.
struct OnServer {
    config: PostgresConfig,
    paid: Vec<Paid>,
}

impl Bench {
    /// Makes the payments, and has the journal write what the bare writer is to write after it: the very same rows.
    async fn prepare(folder: TempDir) -> Result<Self, Box<dyn Error>> {
        let (merchant, model) = (Merchant::new()?, folder.path().join("model.db"));
        let journal = SqliteJournal::open(model.as_path(), Arc::new(SystemEnv::new()))?;
        let paid = submit(&merchant, Arc::new(journal)).await?;
        let server = match crate::server_address() {
            Some(address) => {
                let schema = format!("bench_receiver_{}", std::process::id());
                let config = PostgresConfig::new(address).with_schema(schema).with_connections(CONNECTIONS);
                let journal = PostgresJournal::open(config.clone()).await?;
                Some(OnServer { config, paid: submit(&merchant, Arc::new(journal)).await? })
            }
            None => None,
        };
        let (shape, rows) = (Shape::default(), Vec::new());
        let mut bench = Self { folder, merchant, model, paid, shape, rows, files: 0, posted: 0, server };
        let posts = bench.posts(BURST)?;
        let file = bench.file()?;
        bench.burst(&file, DRAINED, &posts).await?;
        (bench.shape, bench.rows) = bare::read(&file, &bare::DELIVERED)?;
        Ok(bench)
    }

    /// A file with the payments; every measurement has its own.
    fn file(&mut self) -> Result<PathBuf, Box<dyn Error>> {
        self.files += 1;
        let file = self.folder.path().join(format!("{}.db", self.files));
        std::fs::copy(&self.model, &file)?;
        Ok(file)
    }

    fn posts(&mut self, count: u32) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
        let from = self.posted;
        self.posted += u64::from(count);
        Ok(self
            .paid
            .iter()
            .take(usize::try_from(count)?)
            .zip(from..)
            .map(|(paid, body)| paid.post(body))
            .collect())
    }

    async fn bare(&mut self, callers: usize, count: u32) -> Result<u64, Box<dyn Error>> {
        self.files += 1;
        let file = self.folder.path().join(format!("{}.db", self.files));
        let writer = Writer::start(&file, &self.shape)?;
        let rows = self.rows.iter().take(usize::try_from(count)?).cloned().collect();
        let rate = callers::rate(rows, callers, |rows| writer.write(rows)).await;
        drop(writer);
        remove(&file)?;
        rate
    }

    /// Posts to a receiver over this file, and nobody reads.
    async fn burst(
        &self,
        file: &Path,
        connections: usize,
        posts: &[Vec<u8>],
    ) -> Result<Burst, Box<dyn Error>> {
        let journal = Arc::new(SqliteJournal::open(file, Arc::new(SystemEnv::new()))?);
        let payments = self.merchant.payments(journal)?;
        let server = Server::of(move || std::future::ready(Some(Receiver::new(payments))))?;
        burst::of(posts, connections, server.address).await
    }

    /// The burst, and then how many of it were read a second until none was left.
    async fn kept(&mut self, connections: usize, posts: &[Vec<u8>]) -> Result<(Burst, u64), Box<dyn Error>> {
        let file = self.file()?;
        let kept = self.burst(&file, connections, posts).await?;
        let read = if connections == DRAINED { self.drain(&file, posts.len()).await? } else { 0 };
        remove(&file)?;
        Ok((kept, read))
    }

    async fn drain(&self, file: &Path, count: usize) -> Result<u64, Box<dyn Error>> {
        let journal = Arc::new(SqliteJournal::open(file, Arc::new(SystemEnv::new()))?);
        let payments = self.merchant.payments(journal.clone())?;
        let (env, waiting) = (SystemEnv::new(), Deliveries::Waiting(orders::ACCOUNT));
        let all_read = async {
            // A journal that cannot be read shows in what is counted after it.
            while journal.deliveries(&waiting, DeliveryId(0), 1).await.is_ok_and(|left| !left.is_empty()) {
                env.sleep(LOOK).await;
            }
        };
        payments.run(all_read).await;
        let took = env.monotonic().as_nanos().max(1);
        let last = PaymentId(u64::try_from(count)?);
        let last = journal.find(&Find::Id(last)).await?.ok_or("a payment is not there")?;
        if last.state() != PaymentState::Paid {
            return Err(format!("a payment is {} after its callback was read", last.state()).into());
        }
        Ok(u64::try_from(u128::try_from(count)?.saturating_mul(1_000_000_000) / took)?)
    }

    /// The burst to a receiver over PostgreSQL. The payments are the same each time, and the bodies are not.
    async fn on_server(&mut self, connections: usize, count: u32) -> Result<Burst, Box<dyn Error>> {
        let Some(OnServer { config, paid }) = &self.server else { return Err("no server is named".into()) };
        let from = self.posted;
        self.posted += u64::from(count);
        let posts: Vec<_> = paid
            .iter()
            .take(usize::try_from(count)?)
            .zip(from..)
            .map(|(paid, body)| paid.post(body))
            .collect();
        let (config, merchant) = (config.clone(), self.merchant.clone());
        // Its connections belong to the runtime that they were made in.
        let server = Server::of(async move || {
            let journal = PostgresJournal::open(config).await.ok()?;
            Some(Receiver::new(merchant.payments(Arc::new(journal)).ok()?))
        })?;
        burst::of(&posts, connections, server.address).await
    }
}

/// Makes the payments.
async fn submit(merchant: &Merchant, journal: Arc<dyn Journal>) -> Result<Vec<Paid>, Box<dyn Error>> {
    let (payments, urls) = (merchant.payments(journal)?, orders::urls()?);
    let submitted = stream::iter(0..BURST).map(async |number| -> Result<Paid, Box<dyn Error>> {
        let payment =
            payments.submit(&orders::ACCOUNT, orders::key(number)?, orders::payout(number)?).await?;
        let url = urls.mint(Address::of(1, payment.id, DeliveryPurpose::Result))?;
        let path = url.as_str().strip_prefix("https://merchant.example.com").unwrap_or_default().to_owned();
        let reference = payment.reference.to_string();
        let conversation = payment.provider_refs.find("conversation").unwrap_or_default().to_owned();
        Ok(Paid { path, reference, conversation, number })
    });
    submitted.buffered(SUBMITTING).try_collect().await
}

impl Paid {
    /// What the gateway posts once it has paid, as its page prints it.
    fn post(&self, body: u64) -> Vec<u8> {
        let Self { path, reference, conversation, number } = self;
        let (amount, phone) = (orders::amount(*number), orders::phone(*number));
        let told = format!(
            "{{\"Result\":{{\"ResultType\":0,\"ResultCode\":0,\"ResultDesc\":\"The service request is processed \
             successfully.\",\"OriginatorConversationID\":\"{reference}\",\"ConversationID\":\"{conversation}\",\
             \"TransactionID\":\"U{number:09}\",\"ResultParameters\":{{\"ResultParameter\":[\
             {{\"Key\":\"TransactionAmount\",\"Value\":{amount}}},\
             {{\"Key\":\"TransactionReceipt\",\"Value\":\"U{number:09}\"}},\
             {{\"Key\":\"B2CRecipientIsRegisteredCustomer\",\"Value\":\"Y\"}},\
             {{\"Key\":\"B2CChargesPaidAccountAvailableFunds\",\"Value\":-{body}.00}},\
             {{\"Key\":\"ReceiverPartyPublicName\",\"Value\":\"{phone} - Jane Doe\"}},\
             {{\"Key\":\"TransactionCompletedDateTime\",\"Value\":\"22.11.2026 12:00:00\"}},\
             {{\"Key\":\"B2CUtilityAccountAvailableFunds\",\"Value\":10116.00}},\
             {{\"Key\":\"B2CWorkingAccountAvailableFunds\",\"Value\":900000.00}}]}},\
             \"ReferenceData\":{{\"ReferenceItem\":{{\"Key\":\"QueueTimeoutURL\",\
             \"Value\":\"https://internalsandbox.safaricom.co.ke/mpesa/b2cresults/v1/submit\"}}}}}}}}"
        );
        burst::post(path, &told)
    }
}

/// A file and what stands beside it while it is open.
fn remove(file: &Path) -> Result<(), Box<dyn Error>> {
    for beside in ["", "-wal", "-shm"] {
        let mut path = file.as_os_str().to_owned();
        path.push(beside);
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}
