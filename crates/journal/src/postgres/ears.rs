//! Hearing that somebody else left something to do.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio_postgres::{AsyncMessage, Config, Error, NoTls};

use super::patience::pause;

/// How long to wait before a connection that was lost is made again. Whoever hears nothing meanwhile looks by itself.
const PAUSE: Duration = Duration::from_secs(1);

/// A connection of its own that only listens, made when somebody first wants to hear.
#[derive(Debug)]
pub(super) struct Ears {
    config: Config,
    channel: String,
    listening: Mutex<Option<Listening>>,
}

/// A task that listens. It ends with this.
#[derive(Debug)]
struct Listening {
    heard: Arc<Notify>,
    task: AbortHandle,
}

impl Ears {
    pub(super) fn new(config: Config, channel: &str) -> Self {
        Self { config, channel: channel.to_owned(), listening: Mutex::new(None) }
    }

    /// Ready once something is heard. One of those that do not wait just now is told as well.
    pub(super) async fn heard(&self, runtime: &Handle) {
        let heard = {
            let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
            let listening = listening.get_or_insert_with(|| {
                let heard = Arc::new(Notify::new());
                let task = runtime.spawn(listen(self.config.clone(), self.channel.clone(), heard.clone()));
                Listening { heard, task: task.abort_handle() }
            });
            listening.heard.clone()
        };
        heard.notified().await;
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(config: Config, channel: String, heard: Arc<Notify>) {
    loop {
        // What goes wrong shows where it matters, in commits.
        let _ = attend(&config, &channel, &heard).await;
        pause(PAUSE).await;
    }
}

/// Listens until the connection is lost.
async fn attend(config: &Config, channel: &str, heard: &Notify) -> Result<(), Error> {
    let (client, mut connection) = config.connect(NoTls).await?;
    let messages = async {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(_) = message? {
                // All who wait, and whoever looks just now and waits next.
                heard.notify_waiters();
                heard.notify_one();
            }
        }
        Ok(())
    };
    let listens = async {
        client.batch_execute(&format!("LISTEN \"{channel}\"")).await?;
        // Until now nobody listened.
        heard.notify_one();
        Ok(())
    };
    match select(pin!(messages), pin!(listens)).await {
        Either::Left((ended, _)) => ended,
        Either::Right((Err(error), _)) => Err(error),
        // The client is kept, since its connection ends with it.
        Either::Right((Ok(()), messages)) => messages.await,
    }
}
