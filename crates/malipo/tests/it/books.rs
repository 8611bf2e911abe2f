//! The engine with a journal, at every gateway over every transport: whatever happens on the way, the gateway's ledger and
//! our books agree, and nobody is paid twice.

mod credits;
pub(crate) mod failing;
mod pace;
mod replayed;
mod rules;
mod trust;
mod watched;

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use malipo::journal::{
    Account, Address, CallbackKey, CallbackUrls, Decision, EventId, Journal, Lease, MemoryJournal, Payment,
    PaymentState, Payments, PaymentsError, Policy, Refused, ResendRule, Settlement,
};
use malipo::receiver::{Receiver, serve};
use malipo::transport::Transport;
use malipo::{
    CallbackUrl, Callbacks, Collect, DeliveryPurpose, Instruction, Money, Network, PayOut, Payee, Payer,
    Provider, ProviderId, Secret, SystemEnv, Terms, Timer,
};
use malipo_sim::{Fault, Gateway, KyandaAccount, MoveKind, Operation, Options, SasaPayAccount, Sim};
use malipo_testkit::RecordingTransport;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::rig::{daraja, kasapay, kyanda, options, sasapay, transports};
use crate::tap::Tap;

/// One account at one gateway with its books.
pub(crate) struct Books {
    pub(crate) over: &'static str,
    pub(crate) sim: Sim,
    pub(crate) gateway: Gateway,
    pub(crate) operation: Operation,
    pub(crate) payments: Payments,
    pub(crate) account: ProviderId,
    pub(crate) urls: CallbackUrls,
    /// What was sent.
    wire: Arc<RecordingTransport>,
    /// What was posted.
    pub(crate) tap: Tap,
    serving: JoinHandle<()>,
}

/// What differs between the books of one test and most others.
struct SetUp<P> {
    /// Given the URL that is for notices.
    options: fn(Options, &CallbackUrl) -> Options,
    account: fn(Account, Arc<P>) -> Account,
}

impl Drop for Books {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Books {
    async fn each<P: Provider + Callbacks + 'static>(
        gateway: Gateway,
        operation: Operation,
        make: fn(&Sim, Arc<dyn Transport>) -> P,
        policy: fn(Policy) -> Policy,
    ) -> Vec<Self> {
        let memory = |env: Arc<SystemEnv>| -> Arc<dyn Journal> { Arc::new(MemoryJournal::new(env)) };
        Self::each_in(memory, gateway, operation, make, policy).await
    }

    async fn each_in<P: Provider + Callbacks + 'static>(
        journal: impl Fn(Arc<SystemEnv>) -> Arc<dyn Journal>,
        gateway: Gateway,
        operation: Operation,
        make: fn(&Sim, Arc<dyn Transport>) -> P,
        policy: fn(Policy) -> Policy,
    ) -> Vec<Self> {
        let usual = SetUp { options: |options, _| options, account: |account, _| account };
        Self::each_of(journal, gateway, operation, make, policy, usual).await
    }

    async fn each_of<P: Provider + Callbacks + 'static>(
        journal: impl Fn(Arc<SystemEnv>) -> Arc<dyn Journal>,
        gateway: Gateway,
        operation: Operation,
        make: fn(&Sim, Arc<dyn Transport>) -> P,
        policy: fn(Policy) -> Policy,
        set_up: SetUp<P>,
    ) -> Vec<Self> {
        let mut all = Vec::new();
        for (over, transport) in transports() {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let tap = Tap::of(listener.local_addr().unwrap()).await;
            let base = format!("{}/callbacks", tap.origin);
            let key = CallbackKey::new(7, Secret::new("a key of at least thirty-two bytes")).unwrap();
            let of_notices =
                CallbackKey::new(8, Secret::new("another of at least thirty-two bytes")).unwrap();
            let urls = CallbackUrls::new(&base, key).unwrap().with_notice_key(3, of_notices).unwrap();
            let notices = urls.mint(Address::of_account(3, DeliveryPurpose::Notice)).unwrap();
            let options = (set_up.options)(noticed(&notices), &notices);
            let sim = Sim::start(options).await.unwrap();
            let wire = Arc::new(RecordingTransport::new(transport));
            let provider = Arc::new(make(&sim, wire.clone()));
            let account = provider.id().clone();
            let env = Arc::new(SystemEnv::new());
            let journal = journal(env.clone());
            let quick = policy(quick(Policy::of(provider.capabilities())));
            let payments = Payments::new(journal, urls.clone(), env, "worker-1".parse().unwrap())
                .with_account((set_up.account)(
                    Account::new(3, provider.clone()).with_policy(quick),
                    provider,
                ))
                .unwrap();
            let serving = tokio::spawn(serve(listener, Receiver::new(payments.clone()), pending()));
            all.push(Self { over, sim, gateway, operation, payments, account, urls, wire, tap, serving });
        }
        all
    }

    pub(crate) async fn submit(&self, key: &str, instruction: Instruction) -> Result<Payment, PaymentsError> {
        self.payments.submit(&self.account, key.parse().unwrap(), instruction).await
    }

    /// Works until the payment is in one of these states.
    pub(crate) async fn until(&self, key: &str, states: &[PaymentState]) -> Payment {
        let key = key.parse().unwrap();
        for _ in 0..400 {
            self.payments.tick().await.unwrap();
            let payment = self.payments.newest(&key).await.unwrap();
            if states.contains(&payment.state()) {
                return payment;
            }
            SystemEnv::new().sleep(Duration::from_millis(20)).await;
        }
        panic!("over {}: {:?}", self.over, self.payments.newest(&key).await.unwrap());
    }

    pub(crate) fn moved(&self) -> usize {
        self.sim.ledger().moves().iter().filter(|one| one.kind == MoveKind::Payment).count()
    }

    pub(crate) fn sent(&self) -> usize {
        self.sim.calls(self.gateway, self.operation)
    }
}

/// The simulator's usual setting, with a merchant who is sent notices at this URL.
fn noticed(url: &CallbackUrl) -> Options {
    let url: http::Uri = url.as_str().parse().unwrap();
    options()
        .with_kyanda(KyandaAccount::new().with_callback_url(url.clone()))
        .with_sasapay(SasaPayAccount::new().with_ipn_url(url))
}

/// Asks soon, and finds that no such payment is there soon enough for a test.
fn quick(mut policy: Policy) -> Policy {
    policy.asking = vec![Duration::from_millis(60)];
    policy.retry = Duration::from_millis(60);
    if let ResendRule::AfterAbsence { times, within, .. } = policy.resend {
        policy.resend = ResendRule::AfterAbsence { times, quiet: Duration::from_millis(50), within };
    }
    policy
}

fn terms(amount: &str) -> Terms {
    Terms::new("REPLACED".parse().unwrap(), Money::kes(amount).unwrap())
}

fn to_wallet(amount: &str) -> Instruction {
    let payee = Payee::wallet(Network::Safaricom, "0708374149".parse().unwrap());
    Instruction::PayOut(PayOut::new(payee, terms(amount)))
}

fn to_till(amount: &str) -> Instruction {
    let payee = Payee::till("565656".parse().unwrap()).with_name("Test Limited".parse().unwrap());
    Instruction::PayOut(PayOut::new(payee, terms(amount)))
}

fn from_phone(amount: &str) -> Instruction {
    let payer = Payer::mobile_money(Network::Safaricom, "0708374149".parse().unwrap());
    Instruction::Collect(Collect::new(payer, terms(amount)))
}

/// One gateway over one transport, and the payment that is made there.
pub(crate) struct Shop {
    pub(crate) books: Books,
    pub(crate) instruction: fn(&str) -> Instruction,
}

/// The four gateways, each over every transport.
pub(crate) async fn everywhere(policy: fn(Policy) -> Policy) -> Vec<Shop> {
    everywhere_in(|env| Arc::new(MemoryJournal::new(env)), policy).await
}

pub(crate) async fn everywhere_in(
    journal: impl Fn(Arc<SystemEnv>) -> Arc<dyn Journal>,
    policy: fn(Policy) -> Policy,
) -> Vec<Shop> {
    let out = Operation::PayOut;
    let journal = &journal;
    let mut all = Vec::new();
    let mut open = |made: Vec<Books>, instruction: fn(&str) -> Instruction| {
        all.extend(made.into_iter().map(|books| Shop { books, instruction }));
    };
    open(Books::each_in(journal, Gateway::Daraja, out, daraja, policy).await, to_wallet);
    open(Books::each_in(journal, Gateway::KasaPay, out, kasapay, policy).await, to_till);
    open(Books::each_in(journal, Gateway::SasaPay, Operation::Collect, sasapay, policy).await, from_phone);
    open(Books::each_in(journal, Gateway::Kyanda, out, kyanda, policy).await, to_wallet);
    all
}

#[tokio::test]
async fn a_payment_is_made_once_and_known_to_be_paid() {
    for Shop { books, instruction } in everywhere(|policy| policy).await {
        let what = format!("{:?} over {}", books.gateway, books.over);
        let first = books.submit("ORDER-1", instruction("1500")).await.unwrap();
        assert_eq!(first.state(), PaymentState::Accepted, "{what}: accepted is not paid");
        let paid = books.until("ORDER-1", &[PaymentState::Paid]).await;
        assert_eq!((paid.attempt.0, books.sent(), books.moved()), (1, 1, 1), "{what}");
        assert!(paid.attention().is_none(), "{what}: {:?}", paid.attention());
        let again = books.submit("ORDER-1", instruction("1500")).await.unwrap();
        assert_eq!((again.id, again.state(), books.sent()), (paid.id, PaymentState::Paid, 1), "{what}");
        let other = books.submit("ORDER-1", instruction("1501")).await.unwrap_err();
        let PaymentsError::Refused(Refused::Conflict { fields }) = other else { panic!("{what}: {other}") };
        assert_eq!((fields, books.sent()), (vec!["amount"], 1), "{what}");
    }
}

#[tokio::test]
async fn many_callers_with_one_key_are_one_request() {
    for Shop { books, instruction } in everywhere(|policy| policy).await {
        let calls = (0..32).map(|_| books.submit("ORDER-1", instruction("1500")));
        let answers = futures_util::future::join_all(calls).await;
        let ids: Vec<_> = answers.into_iter().map(|payment| payment.unwrap().id).collect();
        assert!(
            ids.len() == 32 && ids.iter().all(|id| *id == ids[0]),
            "all are told of one payment: {ids:?}"
        );
        books.until("ORDER-1", &[PaymentState::Paid]).await;
        assert_eq!((books.sent(), books.moved()), (1, 1), "{:?} over {}", books.gateway, books.over);
    }
}

#[tokio::test]
async fn a_lost_reply_is_unknown_and_then_paid_once() {
    for Shop { books, instruction } in everywhere(|policy| policy).await {
        let what = format!("{:?} over {}", books.gateway, books.over);
        books.sim.inject(books.gateway, books.operation, [Fault::LostReply]).unwrap();
        let unknown = books.submit("ORDER-1", instruction("1500")).await.unwrap();
        assert_eq!(unknown.state(), PaymentState::Unknown, "{what}");
        let paid = books.until("ORDER-1", &[PaymentState::Paid]).await;
        assert_eq!((paid.attempt.0, books.sent(), books.moved()), (1, 1, 1), "{what}: asked, not sent again");
    }
}

#[tokio::test]
async fn a_lost_reply_and_no_callback_are_asked_about() {
    for Shop { books, instruction } in everywhere(|policy| policy).await {
        if books.gateway == Gateway::Kyanda {
            continue; // Nothing of it can be asked about: it goes to a person, as below.
        }
        books.sim.inject(books.gateway, books.operation, [Fault::LostReply, Fault::CallbackNever]).unwrap();
        books.submit("ORDER-1", instruction("1500")).await.unwrap();
        books.until("ORDER-1", &[PaymentState::Paid]).await;
        assert_eq!(books.moved(), 1, "{:?} over {}", books.gateway, books.over);
    }
}

#[tokio::test]
async fn a_lost_request_is_sent_again_only_where_that_is_safe() {
    for Shop { books, instruction } in everywhere(|policy| policy).await {
        let what = format!("{:?} over {}", books.gateway, books.over);
        books.sim.inject(books.gateway, books.operation, [Fault::LostRequest]).unwrap();
        books.submit("ORDER-1", instruction("1500")).await.unwrap();
        match books.gateway {
            Gateway::Daraja | Gateway::KasaPay => {
                let paid = books.until("ORDER-1", &[PaymentState::Paid]).await;
                assert_eq!((paid.attempt.0, books.moved()), (2, 1), "{what}: one reference, sent twice");
            }
            _ => {
                for _ in 0..20 {
                    books.payments.tick().await.unwrap();
                    SystemEnv::new().sleep(Duration::from_millis(20)).await;
                }
                let open = books.payments.newest(&"ORDER-1".parse().unwrap()).await.unwrap();
                assert_eq!(
                    (open.state(), books.sent(), books.moved()),
                    (PaymentState::Unknown, 1, 0),
                    "{what}"
                );
            }
        }
    }
}

#[tokio::test]
async fn what_nobody_answers_goes_to_a_person_and_is_never_called_failed() {
    let hasty = |mut policy: Policy| {
        policy.review_after = Duration::from_millis(200);
        policy.resend = ResendRule::Never;
        policy
    };
    for Shop { books, instruction } in everywhere(hasty).await {
        books.sim.inject(books.gateway, books.operation, [Fault::LostRequest]).unwrap();
        books.submit("ORDER-1", instruction("1500")).await.unwrap();
        let held = books.until("ORDER-1", &[PaymentState::Review, PaymentState::Failed]).await;
        assert_eq!(held.state(), PaymentState::Review, "{:?} over {}", books.gateway, books.over);
        assert!(held.attention().is_some());
        assert_eq!(books.moved(), 0);
    }
}

#[tokio::test]
async fn a_forged_result_settles_nothing() {
    for Shop { books, instruction } in everywhere(|policy| policy).await {
        let what = format!("{:?} over {}", books.gateway, books.over);
        books.sim.inject(books.gateway, books.operation, [Fault::CallbackForged]).unwrap();
        books.submit("ORDER-1", instruction("1500")).await.unwrap();
        books.until("ORDER-1", &[PaymentState::Paid]).await;
        // It may be paid by a question before the forgery was posted or read.
        books.sim.idle().await;
        let paid = books.until("ORDER-1", &[PaymentState::Paid]).await;
        assert_eq!((paid.amount, books.moved()), (Money::kes("1500").unwrap(), 1), "{what}");
        assert!(paid.attention().is_some(), "{what}: a person is told of the forgery");
    }
}

/// What comes to nothing at each gateway, for certain. KasaPay refuses it at the door, and the others tell it.
fn hopeless(books: &Books) -> Instruction {
    match books.gateway {
        Gateway::KasaPay => {
            books.sim.inject(Gateway::KasaPay, Operation::PayOut, [Fault::EchoedToken]).unwrap();
            to_till("1500")
        }
        Gateway::SasaPay => {
            let payer = Payer::mobile_money(Network::Safaricom, "254700000130".parse().unwrap());
            Instruction::Collect(Collect::new(payer, terms("1500")))
        }
        _ => {
            let payee = Payee::wallet(Network::Safaricom, "254700000101".parse().unwrap());
            Instruction::PayOut(PayOut::new(payee, terms("1500")))
        }
    }
}

#[tokio::test]
async fn a_failure_may_be_made_again_and_a_payment_may_not() {
    for Shop { books, instruction } in everywhere(|policy| policy).await {
        let what = format!("{:?} over {}", books.gateway, books.over);
        books.submit("ORDER-1", hopeless(&books)).await.unwrap();
        let failed = books.until("ORDER-1", &[PaymentState::Failed, PaymentState::Paid]).await;
        assert_eq!((failed.state(), books.moved()), (PaymentState::Failed, 0), "{what}");
        let again = |key: &str, instruction| {
            let (payments, account) = (books.payments.clone(), books.account.clone());
            let key = key.parse().unwrap();
            async move { payments.again(&account, key, instruction).await }
        };
        let next = again("ORDER-1", hopeless(&books)).await.unwrap();
        assert_eq!(next.generation.0, 2, "{what}");
        assert_ne!(next.reference, failed.reference, "{what}");
        books.submit("ORDER-2", instruction("1500")).await.unwrap();
        for key in ["ORDER-2", "ORDER-3"] {
            let refused = again(key, instruction("1500")).await.unwrap_err();
            let PaymentsError::Refused(Refused::NotOver { .. } | Refused::NoSuchPayment) = refused else {
                panic!("{what}: {refused}")
            };
        }
        books.until("ORDER-2", &[PaymentState::Paid]).await;
        let refused = again("ORDER-2", instruction("1500")).await.unwrap_err();
        assert!(matches!(refused, PaymentsError::Refused(Refused::NotOver { .. })), "{what}: {refused}");
        assert_eq!(books.moved(), 1, "{what}");
    }
}

#[tokio::test]
async fn a_refused_credential_fails_no_payment() {
    for Shop { books, instruction } in everywhere(|policy| policy).await {
        let what = format!("{:?} over {}", books.gateway, books.over);
        let fault = match books.gateway {
            Gateway::Daraja => Fault::EchoedToken,
            Gateway::Kyanda => Fault::TokenExpired,
            _ => continue, // They say so as they refuse a payment, or get another token.
        };
        books.sim.inject(books.gateway, books.operation, [fault]).unwrap();
        let refused = books.submit("ORDER-1", instruction("1500")).await.unwrap();
        assert_eq!((refused.state(), books.moved()), (PaymentState::Recorded, 0), "{what}");
        books.until("ORDER-1", &[PaymentState::Paid]).await;
        assert_eq!((books.sent(), books.moved()), (2, 1), "{what}: it goes once the credential is right");
    }
}
