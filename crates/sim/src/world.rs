mod spoil;
mod steer;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use malipo_core::Timestamp;

use crate::clock::Clock;
use crate::dice::Dice;
use crate::event::{Delivery, EVENTS_KEPT, Event, Log};
use crate::fault::{Fault, FaultSource, Faults};
use crate::gateways::daraja::{DarajaAccount, DarajaKey, KeyError};
use crate::gateways::kasapay::KasaPayAccount;
use crate::gateways::kyanda::KyandaAccount;
use crate::gateways::sasapay::SasaPayAccount;
use crate::gateways::{Accounts, Call, Faces, Gateway, Operation, Reply, Work, unavailable};
use crate::ledger::Ledger;
use crate::magic;
use crate::notify::{Agenda, Callback, Job, When};
use crate::options::Options;
use crate::payer::Message;
use spoil::spoilt;
pub(crate) use steer::Outstanding;

/// The largest request body a gateway reads, in bytes.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;

/// The simulated gateways without a socket: requests in, replies and callbacks out, and nothing happens by
/// itself.
///
/// Whoever holds one moves it along: hand in requests with [`handle`](Self::handle), and when the time
/// [`next_due`](Self::next_due) has come, [`take_due`](Self::take_due) the callbacks. [`Sim`](crate::Sim)
/// does just that over TCP. Clones share one world.
#[derive(Clone)]
pub struct World {
    state: Arc<Mutex<State>>,
    accounts: Accounts,
}

/// What a gateway does about a request, in this order.
#[non_exhaustive]
pub struct Answer {
    /// Callbacks to post, and have answered, before the reply.
    pub first: Vec<Callback>,
    /// How long to hold back the reply.
    pub delay: Duration,
    /// The reply; `None` is a connection cut without one.
    pub reply: Option<Response<Bytes>>,
}

impl fmt::Debug for Answer {
    /// Without the bodies: a reply may hold a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reply = self.reply.as_ref();
        f.debug_struct("Answer")
            .field("first", &self.first)
            .field("delay", &self.delay)
            .field("status", &reply.map(Response::status))
            .field("length", &reply.map(|reply| reply.body().len()))
            .finish()
    }
}

impl World {
    /// A world in which nothing has happened yet.
    ///
    /// # Errors
    ///
    /// When the account in the options has no key and none could be made.
    pub fn new(options: Options) -> Result<Self, KeyError> {
        let daraja = match options.daraja {
            Some(account) => account,
            None => DarajaAccount::new(DarajaKey::generate()?),
        };
        let seed = options.seed.unwrap_or_else(|| {
            let mut seed = [0; 8];
            options.env.fill_bytes(&mut seed);
            u64::from_le_bytes(seed)
        });
        let accounts = Accounts {
            daraja: Arc::new(daraja),
            kasapay: Arc::new(options.kasapay),
            sasapay: Arc::new(options.sasapay),
            kyanda: Arc::new(options.kyanda),
        };
        let mut stage = Stage::open(Clock::new(options.env), seed, options.result_delay);
        let faces = Faces::open(&accounts, &mut stage);
        let faults = FaultSource::new(options.plan);
        let state = State { stage, faces, faults, struck: BTreeSet::new() };
        Ok(Self { state: Arc::new(Mutex::new(state)), accounts })
    }

    /// Puts one request to the gateway it is meant for. Takes effect at once; holding back the reply, and
    /// posting what is to be posted first, is up to the caller.
    pub fn handle(&self, request: &Request<Bytes>) -> Answer {
        self.state().handle(request)
    }

    /// When something is next to happen, in the [`Env`](malipo_core::Env)'s monotonic time. What is past is due now.
    pub fn next_due(&self) -> Option<Duration> {
        self.state().stage.next_due()
    }

    /// Lets happen whatever is due, payments included, and returns the callbacks that now leave, in order.
    pub fn take_due(&self) -> Vec<Callback> {
        self.state().take_due()
    }

    /// Enters in the log what came of a callback, unless it was handed over before a [`reset`](Self::reset).
    pub fn record(&self, callback: &Callback, delivery: Delivery) {
        let mut state = self.state();
        if callback.era != state.stage.era {
            return;
        }
        state.stage.in_flight = state.stage.in_flight.saturating_sub(1);
        state.stage.log_callback(callback.gateway, &callback.reference, delivery);
    }

    /// True when nothing is going to happen any more: nothing is due, now or later, and what came of every
    /// callback is recorded. A callback held back by [`Fault::CallbacksReordered`] does not count.
    pub fn is_idle(&self) -> bool {
        let state = self.state();
        state.stage.in_flight == 0 && state.stage.agenda.next_due().is_none()
    }

    /// A copy of the gateways' books as they stand.
    pub fn ledger(&self) -> Ledger {
        self.state().stage.ledger.clone()
    }

    /// A copy of the log, oldest first. It keeps the last 100,000 events.
    pub fn events(&self) -> Vec<Event> {
        self.state().stage.log.events()
    }

    /// How many requests of one kind arrived since the start: refused ones, and those a fault swallowed,
    /// included.
    pub fn calls(&self, gateway: Gateway, operation: Operation) -> usize {
        self.state().stage.log.calls(gateway, operation)
    }

    /// The merchant's account at Daraja: what a client needs to know to be let in.
    pub fn daraja(&self) -> &DarajaAccount {
        &self.accounts.daraja
    }

    /// The merchant's account at KasaPay: what a client needs to know to be let in.
    pub fn kasapay(&self) -> &KasaPayAccount {
        &self.accounts.kasapay
    }

    /// The merchant's account at SasaPay: what a client needs to know to be let in.
    pub fn sasapay(&self) -> &SasaPayAccount {
        &self.accounts.sasapay
    }

    /// Lets something happen that no request asks for.
    pub(crate) fn unasked<T>(&self, act: impl FnOnce(&mut Faces, &mut Stage) -> T) -> T {
        let mut state = self.state();
        let State { faces, stage, .. } = &mut *state;
        act(faces, stage)
    }

    /// The merchant's account at Kyanda: what a client needs to know to be let in.
    pub fn kyanda(&self) -> &KyandaAccount {
        &self.accounts.kyanda
    }

    /// Logs a request whose body was too large to read, and refuses it.
    pub(crate) fn refuse_too_large(&self, head: &Request<()>) -> Response<Bytes> {
        let request = head.clone().map(|()| Bytes::new());
        self.state().refuse_too_large(&Call::read(&request))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

struct State {
    stage: Stage,
    faces: Faces,
    faults: FaultSource,
    /// The payments whose magic payee has had its effect. Grows with those, as the ledger does.
    struck: BTreeSet<(Gateway, Struck)>,
}

/// What tells a payment to a magic payee from the next one.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Struck {
    Reference(String),
    /// The payee alone, where a call has no reference.
    Payee(String),
}

impl State {
    fn handle(&mut self, request: &Request<Bytes>) -> Answer {
        let call = Call::read(request);
        if request.body().len() > BODY_LIMIT {
            let reply = Some(self.refuse_too_large(&call));
            return Answer { first: Vec::new(), delay: Duration::ZERO, reply };
        }
        let faults = self.faults_for(&call);
        let reply = if faults.has(Fault::LostRequest) {
            None
        } else {
            match call.gateway {
                Some(gateway) if faults.has(Fault::ErrorBeforeAccept) => {
                    Some(Reply { response: unavailable(gateway), refused: Some("the fault says so".into()) })
                }
                _ => Some(self.faces.answer(&mut self.stage, request, &call, &faults)),
            }
        };
        let refused = reply.as_ref().and_then(|reply| reply.refused.clone());
        let reply = reply.and_then(|reply| spoilt(&call, reply.response, &faults));
        self.stage.log_request(&call, reply.as_ref(), refused, &faults);
        let first = std::mem::take(&mut self.stage.first);
        let first = first.into_iter().flat_map(|callback| self.stage.leave(callback)).collect();
        Answer { first, delay: faults.reply_delay().unwrap_or_default(), reply }
    }

    fn take_due(&mut self) -> Vec<Callback> {
        let now = self.stage.monotonic();
        let mut leaving = std::mem::take(&mut self.stage.overdue);
        while let Some(job) = self.stage.agenda.pop(now) {
            leaving.extend(self.run(job));
        }
        leaving
    }

    /// Does what has fallen due, and says which callbacks leave.
    fn run(&mut self, job: Job) -> Vec<Callback> {
        match job {
            Job::Work(work) => self.faces.perform(&mut self.stage, work),
            Job::Tell(callback) => return self.stage.leave(callback),
            Job::Hold(callback) => self.stage.agenda.hold(callback),
        }
        Vec::new()
    }

    fn faults_for(&mut self, call: &Call) -> Faults {
        let (Some(gateway), Some(operation)) = (call.gateway, call.operation) else {
            return Faults::default();
        };
        let magic = call.payee.as_ref().and_then(|payee| {
            let faults = magic::faults(payee)?;
            let reference = call.reference.clone().map(Struck::Reference);
            let payment = reference.unwrap_or_else(|| Struck::Payee(payee.clone()));
            self.struck.insert((gateway, payment)).then_some(faults)
        });
        self.faults.next(gateway, operation, magic)
    }

    fn refuse_too_large(&mut self, call: &Call) -> Response<Bytes> {
        let why = format!("the body is larger than {BODY_LIMIT} bytes");
        let response = plain(StatusCode::PAYLOAD_TOO_LARGE, "text/plain", why.clone().into());
        self.stage.log_request(call, Some(&response), Some(why), &Faults::default());
        response
    }
}

/// What the faces share: time, chance, the books, and what is still to happen.
pub(crate) struct Stage {
    clock: Clock,
    seed: u64,
    pub(crate) dice: Dice,
    pub(crate) ledger: Ledger,
    result_delay: Duration,
    agenda: Agenda,
    first: Vec<Callback>,
    /// What left while the clock was moved, and waits to be taken.
    overdue: Vec<Callback>,
    in_flight: usize,
    /// How many times everything went back to the start. A callback of an earlier era belongs to nothing.
    era: u64,
    lanes: u64,
    log: Log,
    /// What was sent to payers' phones.
    pub(crate) messages: Vec<Message>,
}

impl Stage {
    fn open(clock: Clock, seed: u64, result_delay: Duration) -> Self {
        Self {
            clock,
            seed,
            dice: Dice::seeded(seed),
            ledger: Ledger::default(),
            result_delay,
            agenda: Agenda::default(),
            first: Vec::new(),
            overdue: Vec::new(),
            in_flight: 0,
            era: 0,
            lanes: 0,
            log: Log::keeping(EVENTS_KEPT),
            messages: Vec::new(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    /// In the environment's time, which is what anybody can wait for.
    fn next_due(&self) -> Option<Duration> {
        if !self.overdue.is_empty() {
            return Some(Duration::ZERO);
        }
        self.agenda.next_due().map(|due| self.clock.in_env_time(due))
    }

    /// A lane for the callbacks of one call.
    pub(crate) fn new_lane(&mut self) -> u64 {
        self.lanes += 1;
        self.lanes
    }

    /// Gets round to an accepted call after the usual delay.
    pub(crate) fn queue(&mut self, work: Work) {
        let due = self.monotonic().saturating_add(self.result_delay);
        self.agenda.add(due, Job::Work(work));
    }

    /// Has a callback told of a decision made at `decided`, in monotonic time.
    pub(crate) fn tell(&mut self, decided: Duration, when: When, callback: Callback) {
        match when {
            When::First => self.first.push(callback),
            When::BehindNext(delay) => self.agenda.add(decided.saturating_add(delay), Job::Hold(callback)),
            When::After(delay) => self.agenda.add(decided.saturating_add(delay), Job::Tell(callback)),
        }
    }

    pub(crate) fn log_callback(&mut self, gateway: Gateway, reference: &str, delivery: Delivery) {
        let event = Event::Callback { at: self.now(), gateway, reference: reference.to_owned(), delivery };
        self.log.enter(event);
    }

    fn log_request(
        &mut self,
        call: &Call,
        reply: Option<&Response<Bytes>>,
        refused: Option<String>,
        faults: &Faults,
    ) {
        let at = self.now();
        self.log.enter(Event::Request {
            at,
            gateway: call.gateway,
            operation: call.operation,
            reference: call.reference.clone(),
            status: reply.map(|reply| reply.status().as_u16()),
            refused,
            faults: faults.to_vec(),
        });
    }

    /// A callback leaves, and with it those that waited for it.
    fn leave(&mut self, callback: Callback) -> Vec<Callback> {
        let behind = self.agenda.release(&callback);
        let era = self.era;
        let leaving = std::iter::once(callback).chain(behind);
        let leaving: Vec<_> = leaving.map(|callback| callback.of_era(era)).collect();
        self.in_flight += leaving.len();
        leaving
    }
}

/// A response with a body of one content type.
pub(crate) fn plain(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
