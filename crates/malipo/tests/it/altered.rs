//! Tembo's provider with one thing altered.

use std::fmt;
use std::result::Result as StdResult;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use malipo::transport::{Failure, Transport, TransportError};
use malipo::{
    Answer, BalanceReport, Balances, CallbackError, Callbacks, Capabilities, Delivery, Effect, Env, Error,
    Instruction, Operation, Provider, ProviderId, Read, Reference, Reply, Report, Result, Secret, Storage,
    Ticket, Told, async_trait,
};
use malipo_testkit::conformance::{Asked, Counted, Posted, Sample, Subject, Submitted, TokenExchange};

use crate::outside_provider::TemboCallbacks;
use crate::outside_subject::TemboSubject;

/// What is altered: each part is what the sound provider does, or something else.
#[derive(Clone, Copy)]
pub(crate) struct Alteration {
    pub(crate) declares: fn(Capabilities) -> Capabilities,
    pub(crate) takes: fn(Instruction) -> Instruction,
    pub(crate) reports: fn(Report) -> Report,
    pub(crate) fails: fn(Error) -> Error,
    pub(crate) answers: fn(Result<Answer>) -> Result<Answer>,
    pub(crate) sends: fn(Request<Bytes>) -> Request<Bytes>,
    pub(crate) hears: fn(&Request<Bytes>, Response<Bytes>) -> Response<Bytes>,
    /// The cause of the error that it makes of an answer.
    pub(crate) drops: fn(&Request<Bytes>, &Response<Bytes>) -> Option<String>,
    pub(crate) sends_again: fn(&Response<Bytes>) -> bool,
    pub(crate) reads: fn(u32, &Delivery) -> StdResult<Read, CallbackError>,
    pub(crate) replies: fn(Storage, Reply) -> Reply,
    pub(crate) counts: fn(Result<BalanceReport>) -> Result<BalanceReport>,
    pub(crate) prints: &'static str,
    pub(crate) memory: Memory,
    /// Which of its documented answers and deliveries the subject does not show: those of this name.
    pub(crate) omits: &'static str,
    pub(crate) tokens: fn(TokenExchange) -> TokenExchange,
}

/// What a provider remembers from one call to the next.
#[derive(Clone, Copy)]
pub(crate) enum Memory {
    /// Its token.
    Sound,
    /// Not even that.
    None,
    /// Its first payment, which it takes for every other.
    FirstPayment,
}

/// Nothing is altered.
pub(crate) const SOUND: Alteration = Alteration {
    declares: |capabilities| capabilities,
    takes: |instruction| instruction,
    reports: |report| report,
    fails: |error| error,
    answers: |outcome| outcome,
    sends: |request| request,
    hears: |_, response| response,
    drops: |_, _| None,
    sends_again: |_| false,
    reads: |_, delivery| TemboCallbacks.read(delivery),
    replies: |_, reply| reply,
    counts: |outcome| outcome,
    prints: "sound",
    memory: Memory::Sound,
    omits: "nothing",
    tokens: |token| token,
};

impl Subject for Alteration {
    fn provider(&self, transport: Arc<dyn Transport>, env: Arc<dyn Env>) -> Arc<dyn Provider> {
        let transport: Arc<dyn Transport> =
            Arc::new(AlteredTransport { inner: transport, alteration: *self });
        let inner = TemboSubject.provider(transport.clone(), env.clone());
        let capabilities = (self.declares)(inner.capabilities().clone());
        let first = Mutex::default();
        Arc::new(AlteredProvider { inner, transport, env, capabilities, first, alteration: *self })
    }

    fn canaries(&self) -> Vec<&'static str> {
        TemboSubject.canaries()
    }

    fn instructions(&self) -> Vec<Instruction> {
        TemboSubject.instructions()
    }

    fn answers(&self, instruction: &Instruction) -> Vec<Sample<Submitted>> {
        self.shown(TemboSubject.answers(instruction), |sample| &sample.name)
    }

    fn status_answers(&self, ticket: &Ticket) -> Vec<Sample<Asked>> {
        self.shown(TemboSubject.status_answers(ticket), |sample| &sample.name)
    }

    fn token(&self) -> Option<TokenExchange> {
        TemboSubject.token().map(self.tokens)
    }

    fn callbacks(&self) -> Option<Arc<dyn Callbacks>> {
        Some(Arc::new(AlteredCallbacks { alteration: *self, count: AtomicU32::new(0) }))
    }

    fn deliveries(&self) -> Vec<Posted> {
        self.shown(TemboSubject.deliveries(), |posted| &posted.name)
    }

    fn balances(&self, transport: Arc<dyn Transport>, env: Arc<dyn Env>) -> Option<Arc<dyn Balances>> {
        let transport: Arc<dyn Transport> =
            Arc::new(AlteredTransport { inner: transport, alteration: *self });
        let inner = TemboSubject.balances(transport, env)?;
        Some(Arc::new(AlteredBalances { inner, alteration: *self }))
    }

    fn balance_answers(&self) -> Vec<Sample<Counted>> {
        self.shown(TemboSubject.balance_answers(), |sample| &sample.name)
    }
}

impl Alteration {
    fn shown<T>(&self, all: Vec<T>, name: fn(&T) -> &String) -> Vec<T> {
        all.into_iter().filter(|one| name(one) != self.omits).collect()
    }
}

/// The same error with another effect, of another operation.
pub(crate) fn with_effect(error: &Error, effect: Effect, operation: Operation) -> Error {
    let mut changed = Error::new(error.kind(), effect, operation, error.message())
        .with_code(error.code())
        .with_text(error.text().map(Told::as_str));
    changed = error.provider().into_iter().fold(changed, Error::with_provider);
    changed = error.reference().into_iter().fold(changed, Error::with_reference);
    error.status().into_iter().fold(changed, Error::with_status)
}

struct AlteredProvider {
    inner: Arc<dyn Provider>,
    transport: Arc<dyn Transport>,
    env: Arc<dyn Env>,
    capabilities: Capabilities,
    first: Mutex<Option<Reference>>,
    alteration: Alteration,
}

impl fmt::Debug for AlteredProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.inner, self.alteration.prints)
    }
}

#[async_trait]
impl Provider for AlteredProvider {
    fn id(&self) -> &ProviderId {
        self.inner.id()
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn submit(&self, instruction: &Instruction) -> Result<Report> {
        let taken = (self.alteration.takes)(instruction.clone());
        let inner = match self.alteration.memory {
            Memory::None => TemboSubject.provider(self.transport.clone(), self.env.clone()),
            Memory::Sound | Memory::FirstPayment => self.inner.clone(),
        };
        let report = inner.submit(&taken).await.map_err(|error| {
            // Whatever was made of the instruction, the error is about the one that was given.
            let error = if error.operation() == instruction.operation() {
                error
            } else {
                with_effect(&error, error.effect(), instruction.operation())
            };
            (self.alteration.fails)(error.with_reference(instruction.reference()))
        })?;
        let mut report = (self.alteration.reports)(report);
        if matches!(self.alteration.memory, Memory::FirstPayment) {
            let mut first = self.first.lock().unwrap();
            report.reference = Some(first.get_or_insert(instruction.reference().clone()).clone());
        }
        Ok(report)
    }

    async fn status(&self, ticket: &Ticket) -> Result<Answer> {
        (self.alteration.answers)(self.inner.status(ticket).await)
    }
}

#[derive(Debug)]
struct AlteredTransport {
    inner: Arc<dyn Transport>,
    alteration: Alteration,
}

#[async_trait]
impl Transport for AlteredTransport {
    async fn send(&self, request: Request<Bytes>) -> StdResult<Response<Bytes>, TransportError> {
        let request = (self.alteration.sends)(request);
        let response = self.inner.send(request.clone()).await?;
        if (self.alteration.sends_again)(&response) {
            return self.inner.send(request).await;
        }
        match (self.alteration.drops)(&request, &response) {
            Some(cause) => Err(TransportError::after_send(Failure::Other).with_source(cause)),
            None => Ok((self.alteration.hears)(&request, response)),
        }
    }
}

#[derive(Debug)]
struct AlteredBalances {
    inner: Arc<dyn Balances>,
    alteration: Alteration,
}

#[async_trait]
impl Balances for AlteredBalances {
    async fn balances(&self) -> Result<BalanceReport> {
        (self.alteration.counts)(self.inner.balances().await)
    }
}

#[derive(Debug)]
struct AlteredCallbacks {
    alteration: Alteration,
    count: AtomicU32,
}

impl Callbacks for AlteredCallbacks {
    fn read(&self, delivery: &Delivery) -> StdResult<Read, CallbackError> {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        (self.alteration.reads)(count, delivery)
    }

    fn reply(&self, storage: Storage) -> Reply {
        (self.alteration.replies)(storage, TemboCallbacks.reply(storage))
    }

    fn secrets(&self) -> Vec<Secret> {
        TemboCallbacks.secrets()
    }
}

impl fmt::Debug for Alteration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Alteration")
    }
}
