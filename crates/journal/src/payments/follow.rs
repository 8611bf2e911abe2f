//! Giving what happens to the application: at least once, in order, however often it fails at it.

use std::collections::{BTreeMap, VecDeque};
use std::error::Error as StdError;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::future::{Either, select};

use super::{Payments, PaymentsError, watch};
use crate::{Advance, CreditRecord, CreditSequence, Entry, Event, EventId, Follower, Stream};

/// How long to rest when nothing has happened.
const REST: Duration = Duration::from_millis(200);
/// How long to rest after a handler has failed; each time twice as long.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// The longest rest after a failure, and how often it is said that nothing goes on.
const LONGEST: Duration = Duration::from_secs(60);
/// How far one is read beyond the oldest thing that is not done.
const AHEAD: u64 = 1_000;
/// How many are read at once.
const PAGE: u64 = 100;
/// How long what is done may not be written down yet. A process that dies is given that much again.
const SAVED_EVERY: Duration = Duration::from_millis(100);

/// Something that happened, as a [`Handler`] is given it. Open: more will come, so pass by what you do not know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happening {
    /// Something happened to a payment. [`Event::outcome`] says whether that ended it.
    Payment(Event),
    /// There is something to tell of money that came in unasked: it is [`Confirmed`](crate::CreditState::Confirmed), or
    /// that is to be taken back. See [`Payments::credits`].
    Credit(CreditRecord),
}

impl Happening {
    /// In which stream it stands.
    pub const fn stream(&self) -> Stream {
        match self {
            Self::Payment(_) => Stream::Events,
            Self::Credit(_) => Stream::Credits,
        }
    }

    /// Its number there. Later ones have higher ones, so the two together tell whether it was given before.
    pub const fn number(&self) -> u64 {
        match self {
            Self::Payment(event) => event.id.0,
            Self::Credit(credit) => credit.sequence.0,
        }
    }

    /// What it is about: what happens to one thing is given in order, whatever becomes of the others of its stream.
    const fn about(&self) -> u64 {
        match self {
            Self::Payment(event) => event.payment.0,
            Self::Credit(credit) => credit.id.0,
        }
    }
}

/// What the application does about what happens. A closure from a [`Happening`] to a future is one.
///
/// It is given everything at least once, and some things again: after it has failed, and after a restart. So what it
/// does must be safe to do twice. [`Happening::stream`] and [`Happening::number`] tell what it was given before.
///
/// One that never returns holds up everything, the stop as well: limit the time of what it waits for.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Acts on one thing.
    ///
    /// # Errors
    ///
    /// Whatever kept it from that. The same is given again later. What the error says is not logged, since it may name
    /// people.
    async fn handle(&self, happening: Happening) -> Result<(), Box<dyn StdError + Send + Sync>>;
}

#[async_trait]
impl<F, Fut> Handler for F
where
    F: Fn(Happening) -> Fut + Send + Sync,
    Fut: Future<Output = Result<(), Box<dyn StdError + Send + Sync>>> + Send,
{
    async fn handle(&self, happening: Happening) -> Result<(), Box<dyn StdError + Send + Sync>> {
        self(happening).await
    }
}

/// How far one stream is given.
#[derive(Debug)]
struct Line {
    stream: Stream,
    /// What stands in the journal; nothing until that was asked.
    saved: Option<u64>,
    saved_at: Duration,
    /// The last one that was read.
    read: u64,
    /// What is not done, by what it is about.
    waiting: BTreeMap<u64, Waiting>,
    complained_at: Option<Duration>,
}

/// What a handler has failed at, and what has to wait for that.
#[derive(Debug)]
struct Waiting {
    /// Never empty.
    happenings: VecDeque<Happening>,
    failures: u32,
    again_at: Duration,
}

impl Line {
    fn new(stream: Stream) -> Self {
        let (saved_at, read, waiting) = (Duration::ZERO, 0, BTreeMap::new());
        Self { stream, saved: None, saved_at, read, waiting, complained_at: None }
    }

    /// The oldest that is not done, and how often it has failed.
    fn oldest(&self) -> Option<(u64, u32)> {
        let first =
            |waiting: &Waiting| waiting.happenings.front().map(|first| (first.number(), waiting.failures));
        self.waiting.values().filter_map(first).min()
    }

    /// Up to where all is done.
    fn position(&self) -> u64 {
        self.oldest().map_or(self.read, |(number, _)| number.saturating_sub(1))
    }

    /// How many more may be read.
    fn room(&self) -> u64 {
        AHEAD.saturating_sub(self.read.saturating_sub(self.position()))
    }

    /// What has failed before and is to be tried again now.
    fn due(&self, now: Duration) -> Vec<u64> {
        let due = self.waiting.iter().filter(|(_, waiting)| waiting.again_at <= now);
        due.map(|(about, _)| *about).collect()
    }

    fn first(&self, about: u64) -> Option<Happening> {
        self.waiting.get(&about).and_then(|waiting| waiting.happenings.front()).cloned()
    }

    /// The first one about this is done. Those behind it may have waited long enough.
    fn done(&mut self, about: u64) {
        if let Some(waiting) = self.waiting.get_mut(&about) {
            waiting.happenings.pop_front();
            waiting.failures = 0;
            if waiting.happenings.is_empty() {
                self.waiting.remove(&about);
            }
        }
    }

    /// The first one about this has failed, once more. How long it rests.
    fn failed(&mut self, about: u64, now: Duration) -> Duration {
        let Some(waiting) = self.waiting.get_mut(&about) else { return Duration::ZERO };
        let doubled = 1_u32.checked_shl(waiting.failures).unwrap_or(u32::MAX);
        let rest = AFTER_FAILURE.saturating_mul(doubled).min(LONGEST);
        waiting.failures = waiting.failures.saturating_add(1);
        waiting.again_at = now.saturating_add(rest);
        rest
    }

    /// Puts one behind those that it has to wait for; the first one waits for nothing.
    fn push(&mut self, happening: Happening, now: Duration) {
        let nothing = Waiting { happenings: VecDeque::new(), failures: 0, again_at: now };
        self.waiting.entry(happening.about()).or_insert(nothing).happenings.push_back(happening);
    }
}

/// Whether to go on. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// There may be more.
    More,
    /// There is nothing to do now.
    Rest,
    /// We were told to stop.
    Stop,
}

/// Who follows, what is done about it, and until when.
struct Following<'f, S> {
    follower: &'f Follower,
    handler: &'f dyn Handler,
    stop: Pin<&'f mut S>,
}

impl<S: Future<Output = ()>> Following<'_, S> {
    fn is_told_to_stop(&mut self) -> bool {
        self.stop.as_mut().now_or_never().is_some()
    }

    /// Whether the handler has done its part. A panic of its is a failure like another.
    async fn give(&self, line: &mut Line, about: u64, now: impl Fn() -> Duration) -> bool {
        let Some(happening) = line.first(about) else { return false };
        let number = happening.number();
        let handled = AssertUnwindSafe(async { self.handler.handle(happening).await }).catch_unwind().await;
        let how = match handled {
            Ok(Ok(())) => {
                line.done(about);
                return true;
            }
            Ok(Err(_)) => "failed",
            Err(_) => "panicked",
        };
        let rest = line.failed(about, now());
        watch::handler_failed(self.follower, line.stream, number, how, rest);
        false
    }
}

impl Payments {
    /// Gives `handler` all that happens, from where this follower was, until `stop` is ready; then it finishes what is
    /// in hand. A name that is new begins with the first thing that ever happened. Run it beside [`run`](Self::run).
    ///
    /// One thing is given after the other, and what happens to one payment or credit in order. What the handler fails or
    /// panics at is given again after a second, and then after twice as long each time, up to a minute. Meanwhile what
    /// happens to the same one waits, and others go on: at most a thousand things beyond the oldest that is not done
    /// are read, and then nothing is given until that is.
    ///
    /// How far the follower is stands in the journal. It moves only over what is done, so after a restart what was done
    /// beyond a failure is given again, and so may be what was done in the tenth of a second before the end. Two
    /// processes that follow under one name are both given everything, and what stands in the journal is how far the
    /// one that is further has come; under two names each has a position of its own.
    ///
    /// A journal that fails is tried again after a rest.
    pub async fn follow(&self, follower: &Follower, handler: &dyn Handler, stop: impl Future<Output = ()>) {
        let mut following = Following { follower, handler, stop: pin!(stop) };
        let mut lines: Vec<_> = Stream::ALL.iter().map(|stream| Line::new(*stream)).collect();
        loop {
            let mut rest = REST;
            for line in &mut lines {
                match self.go_on(&mut following, line).await {
                    Ok(Next::More) => rest = Duration::ZERO,
                    Ok(Next::Rest) => {}
                    Ok(Next::Stop) => return,
                    Err(error) => {
                        tracing::warn!(%follower, %error, "the journal does not work; nothing new is given until it does");
                    }
                }
            }
            let rested = pin!(select(self.timer.sleep(rest), self.journal.stirred()));
            if let Either::Left(_) = select(following.stop.as_mut(), rested).await {
                return;
            }
        }
    }

    /// Gives what is due again, and then some more, and writes down how far that is.
    async fn go_on(
        &self,
        following: &mut Following<'_, impl Future<Output = ()>>,
        line: &mut Line,
    ) -> Result<Next, PaymentsError> {
        if line.saved.is_none() {
            let saved = self.journal.position(following.follower, line.stream).await?;
            (line.saved, line.read) = (Some(saved), saved);
        }
        let next = self.give_some(following, line).await;
        // Also before an end, and whatever kept more from being read.
        let saved = self.save(following.follower, line).await;
        match (next, saved) {
            (Ok(Next::Stop), Err(error)) => {
                let follower = following.follower;
                tracing::warn!(%follower, %error, "how far it is could not be written down: some is given again");
                Ok(Next::Stop)
            }
            (next, saved) => saved.and(next),
        }
    }

    async fn give_some(
        &self,
        following: &mut Following<'_, impl Future<Output = ()>>,
        line: &mut Line,
    ) -> Result<Next, PaymentsError> {
        let now = || self.timer.monotonic();
        for about in line.due(now()) {
            while line.waiting.contains_key(&about) {
                if following.is_told_to_stop() {
                    return Ok(Next::Stop);
                }
                if !following.give(line, about, now).await {
                    break;
                }
                self.save_now_and_then(following.follower, line).await?;
            }
        }
        let room = line.room().min(PAGE);
        if room == 0 {
            self.complain(following.follower, line);
            return Ok(Next::Rest);
        }
        let page = self.page(line.stream, line.read, u32::try_from(room).unwrap_or(u32::MAX)).await?;
        let next = if page.is_empty() { Next::Rest } else { Next::More };
        for happening in page {
            if following.is_told_to_stop() {
                return Ok(Next::Stop);
            }
            let (number, about) = (happening.number(), happening.about());
            let waits = line.waiting.contains_key(&about);
            line.push(happening, now());
            line.read = number;
            if !waits && following.give(line, about, now).await {
                self.save_now_and_then(following.follower, line).await?;
            }
        }
        Ok(next)
    }

    /// What happened after this.
    async fn page(&self, stream: Stream, after: u64, limit: u32) -> Result<Vec<Happening>, PaymentsError> {
        match stream {
            Stream::Events => {
                let events = self.events(EventId(after), limit).await?;
                Ok(events.into_iter().map(Happening::Payment).collect())
            }
            Stream::Credits => {
                let credits = self.credits(CreditSequence(after), limit).await?;
                Ok(credits.into_iter().map(Happening::Credit).collect())
            }
        }
    }

    async fn save_now_and_then(&self, follower: &Follower, line: &mut Line) -> Result<(), PaymentsError> {
        if self.timer.monotonic().saturating_sub(line.saved_at) < SAVED_EVERY {
            return Ok(());
        }
        self.save(follower, line).await
    }

    async fn save(&self, follower: &Follower, line: &mut Line) -> Result<(), PaymentsError> {
        let position = line.position();
        if line.saved.is_none_or(|saved| saved < position) {
            let advance = Advance::new(follower.clone(), line.stream, position);
            self.commit(Entry::Advance(Box::new(advance))).await?;
            line.saved = Some(position);
        }
        line.saved_at = self.timer.monotonic();
        Ok(())
    }

    /// Says that one thing holds everything up, though not all the time.
    fn complain(&self, follower: &Follower, line: &mut Line) {
        let now = self.timer.monotonic();
        let is_due = line.complained_at.is_none_or(|at| now.saturating_sub(at) >= LONGEST);
        if let Some((number, failures)) = line.oldest().filter(|_| is_due) {
            line.complained_at = Some(now);
            tracing::error!(
                %follower, stream = %line.stream, number, failures,
                "a handler fails at one thing again and again, and is given nothing new until that is done"
            );
        }
    }
}
