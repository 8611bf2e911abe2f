//! Providers, transports, rules and servers that do what they must not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http_body_util::Full;
use malipo::journal::{Policy, ResendRule};
use malipo::transport::http::{Request, Response};
use malipo::transport::{Bytes, Exchange, Failure, Transport, TransportError};
use malipo::{
    Answer, CallbackError, Callbacks, Capabilities, Delivery, Effect, Error, ErrorKind, Instruction, Payee,
    PayeeAccount, Provider, ProviderId, Read, Reply, Report, Secret, State, Storage, Ticket, Timer,
    async_trait,
};
use malipo_receiver::Receiver;
use malipo_sim::Gateway;
use malipo_world::{Account, Alterations, Answering, Door, Invariant};
use tower_service::Service as _;

use super::finds;

/// Breaks what a provider says, and nothing else of it.
#[derive(Debug, Clone)]
struct Twisted {
    built: Account,
    reply: fn(malipo::Result<Report>, &Instruction) -> malipo::Result<Report>,
    read: fn(Read) -> Read,
}

#[async_trait]
impl Provider for Twisted {
    fn id(&self) -> &ProviderId {
        self.built.id()
    }

    fn capabilities(&self) -> &Capabilities {
        self.built.capabilities()
    }

    async fn submit(&self, instruction: &Instruction) -> malipo::Result<Report> {
        (self.reply)(self.built.submit(instruction).await, instruction)
    }

    async fn status(&self, ticket: &Ticket) -> malipo::Result<Answer> {
        self.built.status(ticket).await
    }
}

impl Callbacks for Twisted {
    fn read(&self, delivery: &Delivery) -> Result<Read, CallbackError> {
        self.built.read(delivery).map(self.read)
    }

    fn reply(&self, storage: Storage) -> Reply {
        self.built.reply(storage)
    }

    fn secrets(&self) -> Vec<Secret> {
        self.built.secrets()
    }
}

/// A provider that twists what it is told.
#[derive(Debug)]
pub(crate) struct Twisting {
    pub(crate) reply: fn(malipo::Result<Report>, &Instruction) -> malipo::Result<Report>,
    pub(crate) read: fn(Read) -> Read,
}

impl Alterations for Twisting {
    fn account(&self, built: Account) -> Account {
        let twisted = Arc::new(Twisted { built, reply: self.reply, read: self.read });
        Account { provider: twisted.clone(), callbacks: twisted }
    }

    fn policy(&self, mut built: Policy) -> Policy {
        built.retry = Duration::from_millis(500);
        built
    }
}

fn replying(reply: fn(malipo::Result<Report>, &Instruction) -> malipo::Result<Report>) -> Twisting {
    Twisting { reply, read: |read| read }
}

fn error(kind: ErrorKind, instruction: &Instruction) -> Error {
    Error::new(kind, Effect::None, instruction.operation(), "as if nothing had left")
}

#[test]
fn what_is_unknown_is_called_refused() {
    let broken = replying(|told, asked| told.map_err(|_| error(ErrorKind::Refused, asked)));
    finds(Gateway::KasaPay, "lost reply", broken, Invariant::NoFalseFinal);
}

#[test]
fn what_is_unknown_is_called_unsent() {
    let broken = replying(|told, asked| told.map_err(|_| error(ErrorKind::NotSent, asked)));
    finds(Gateway::Kyanda, "lost reply", broken, Invariant::NoDoublePay);
}

#[test]
fn what_is_accepted_is_called_paid() {
    let broken = replying(|told, asked| {
        told.map(|mut report| {
            report.state = State::Settled;
            report.amount = asked.terms().map(|terms| terms.amount);
            report
        })
    });
    finds(Gateway::Daraja, "plain", broken, Invariant::NoFalseFinal);
}

#[test]
fn what_is_paid_is_read_as_failed() {
    let read = |read| match read {
        Read::Report(mut report) => {
            report.state = State::Failed;
            report.receipt = None;
            Read::Report(report)
        }
        other => other,
    };
    let broken = Twisting { reply: |told, _| told, read };
    finds(Gateway::SasaPay, "plain", broken, Invariant::NoFalseFinal);
}

/// Sends what moves money twice, and says nothing of it.
#[derive(Debug)]
struct SendsTwice(Arc<dyn Transport>);

#[async_trait]
impl Transport for SendsTwice {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        if request.extensions().get::<Exchange>().is_some_and(|one| one.operation.moves_money()) {
            let _ = self.0.send(request.clone()).await;
        }
        self.0.send(request).await
    }
}

/// Refuses the first connection, in a world in which nothing goes wrong.
#[derive(Debug)]
struct RefusesFirst(Arc<dyn Transport>, AtomicUsize);

#[async_trait]
impl Transport for RefusesFirst {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        if self.1.fetch_add(1, Ordering::SeqCst) == 0 {
            return Err(TransportError::before_send(Failure::Connect));
        }
        self.0.send(request).await
    }
}

#[derive(Debug)]
struct Over(fn(Arc<dyn Transport>) -> Arc<dyn Transport>);

impl Alterations for Over {
    fn transport(&self, built: Arc<dyn Transport>) -> Arc<dyn Transport> {
        (self.0)(built)
    }
}

#[test]
fn a_transport_sends_twice() {
    for gateway in [Gateway::Daraja, Gateway::KasaPay, Gateway::SasaPay, Gateway::Kyanda] {
        finds(gateway, "plain", Over(|built| Arc::new(SendsTwice(built))), Invariant::Fenced);
    }
}

#[test]
fn a_calm_world_is_not_calm() {
    let broken = Over(|built| Arc::new(RefusesFirst(built, AtomicUsize::new(0))));
    finds(Gateway::Daraja, "plain", broken, Invariant::Calm);
}

/// Sends what moves money twice in one attempt, after an attempt that did not leave.
#[derive(Debug)]
struct RefusesThenSendsTwice(SendsTwice, AtomicUsize);

#[async_trait]
impl Transport for RefusesThenSendsTwice {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        if request.extensions().get::<Exchange>().is_some_and(|one| one.operation.moves_money())
            && self.1.fetch_add(1, Ordering::SeqCst) == 0
        {
            return Err(TransportError::before_send(Failure::Connect));
        }
        self.0.send(request).await
    }
}

#[test]
fn an_attempt_that_never_left_is_no_leave_to_send_another_twice() {
    for gateway in [Gateway::Daraja, Gateway::KasaPay, Gateway::SasaPay, Gateway::Kyanda] {
        let broken = Over(|built| Arc::new(RefusesThenSendsTwice(SendsTwice(built), AtomicUsize::new(0))));
        finds(gateway, "plain", broken, Invariant::Fenced);
    }
}

/// Pays the party of each of two payments instead of the other's, and does not say who was paid.
#[derive(Debug)]
struct SwapsParties(Account);

#[async_trait]
impl Provider for SwapsParties {
    fn id(&self) -> &ProviderId {
        self.0.id()
    }

    fn capabilities(&self) -> &Capabilities {
        self.0.capabilities()
    }

    async fn submit(&self, instruction: &Instruction) -> malipo::Result<Report> {
        let mut swapped = instruction.clone();
        match &mut swapped {
            Instruction::PayOut(out) => {
                let tills: Vec<PayeeAccount> = ["565656", "565657"]
                    .iter()
                    .map(|till| Payee::till(till.parse().unwrap()).account)
                    .collect();
                out.to.account = if out.to.account == tills[0] { tills[1].clone() } else { tills[0].clone() };
            }
            other => panic!("{}", other.operation()),
        }
        self.0.submit(&swapped).await
    }

    async fn status(&self, ticket: &Ticket) -> malipo::Result<Answer> {
        let mut answer = self.0.status(ticket).await;
        if let Ok(Answer::Known(report)) = &mut answer {
            report.party = None;
        }
        answer
    }
}

impl Callbacks for SwapsParties {
    fn read(&self, delivery: &Delivery) -> Result<Read, CallbackError> {
        let mut read = self.0.read(delivery);
        if let Ok(Read::Report(report)) = &mut read {
            report.party = None;
        }
        read
    }

    fn reply(&self, storage: Storage) -> Reply {
        self.0.reply(storage)
    }

    fn secrets(&self) -> Vec<Secret> {
        self.0.secrets()
    }
}

#[derive(Debug)]
struct Swapping;

impl Alterations for Swapping {
    fn account(&self, built: Account) -> Account {
        let swaps = Arc::new(SwapsParties(built));
        Account { provider: swaps.clone(), callbacks: swaps }
    }
}

#[test]
fn two_payments_reach_each_others_parties() {
    finds(Gateway::KasaPay, "two payments", Swapping, Invariant::NoFalseFinal);
}

#[derive(Debug)]
struct Rules(fn(Policy) -> Policy);

impl Alterations for Rules {
    fn policy(&self, built: Policy) -> Policy {
        (self.0)(built)
    }
}

#[test]
fn the_same_is_sent_again_where_it_is_paid_again() {
    let hasty = |mut policy: Policy| {
        policy.resend = ResendRule::SameReference { within: Duration::from_secs(3600) };
        policy.asking = vec![Duration::from_millis(200)];
        policy
    };
    finds(Gateway::Kyanda, "lost reply, works all the time", Rules(hasty), Invariant::NoDoublePay);
}

#[test]
fn nobody_ever_asks() {
    let silent = |mut policy: Policy| {
        policy.asking = vec![Duration::from_secs(30 * 24 * 3600)];
        policy
    };
    finds(Gateway::Daraja, "no callback", Rules(silent), Invariant::Rests);
}

/// Answers first and stores later.
#[derive(Debug)]
struct HastyDoor(Arc<dyn Timer>);

#[async_trait]
impl Door for HastyDoor {
    async fn take(&self, mut receiver: Receiver, request: Request<Bytes>, answer: Answering) {
        answer.with(Response::new(Bytes::from_static(br#"{"status":"success"}"#)));
        self.0.sleep(Duration::from_secs(1)).await;
        let _ = receiver.call(request.map(Full::new)).await;
    }
}

#[derive(Debug)]
pub(crate) struct Behind(pub(crate) fn(Arc<dyn Timer>) -> Arc<dyn Door>);

impl Alterations for Behind {
    fn door(&self, _: Arc<dyn Door>, timer: Arc<dyn Timer>) -> Arc<dyn Door> {
        (self.0)(timer)
    }
}

#[test]
fn a_server_answers_before_it_stores() {
    for gateway in [Gateway::Daraja, Gateway::Kyanda] {
        let broken = Behind(|timer| Arc::new(HastyDoor(timer)));
        finds(gateway, "plain", broken, Invariant::AckedMeansStored);
    }
}
