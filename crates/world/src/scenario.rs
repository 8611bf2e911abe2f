//! Small worlds, as data.

use std::fmt;
use std::time::Duration;

use malipo::journal::PaymentState;
use malipo_sim::{Fault, Gateway, Operation};

/// A small world: few payments, few processes, and at most one thing that goes wrong.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Scenario {
    /// What it is called.
    pub name: &'static str,
    /// Whose payments.
    pub gateway: Gateway,
    /// How many payments are made at once, each with a key and an amount of its own.
    pub payments: u32,
    /// How many processes submit all of them, and work, on one file.
    pub processes: u32,
    /// How they work.
    pub work: Work,
    /// What goes wrong.
    pub trouble: Trouble,
    /// How long a process holds what it works on.
    pub lease: Duration,
    /// What follows on a payment that was submitted.
    pub then: Then,
    /// Where the payments end, oldest first. After a death one may also end in front of a person, where the checker
    /// sees that nothing else was possible.
    pub ends: Vec<PaymentState>,
}

/// What follows on a payment that was submitted. Closed on purpose: whoever calls the engine can do no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Nothing: it takes its course.
    Nothing,
    /// Once it has failed, the same is made again under its key, once.
    Again,
    /// Its payer is sent a code; a wrong one is handed in, and then the right one.
    Confirms,
    /// A person who waits for it looks at the gateway's books. What is paid there is paid; the rest has failed.
    Decides,
    /// The same person, who has the rest sent again.
    SendsAgain,
    /// The newest payment is given up.
    Cancels,
}

/// How a process works. Closed on purpose: the engine has these two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// In rounds, one whenever something is due.
    Rounds,
    /// All the time, as a program does that has nothing else to do.
    AllTheTime,
}

/// What goes wrong in a small world. Open: more will come.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// Nothing.
    Nothing,
    /// The gateway does this to the first payment.
    Gateway(Vec<Fault>),
    /// The gateway refuses the first token that it gave.
    Token,
    /// So many connections are refused.
    NoConnection(usize),
    /// All payments have the same amount and the same party, so that they could be taken for each other.
    Twins,
    /// The same, and the request of the first is lost.
    LostTwin,
    /// The gateway refuses the first payment when it is asked.
    AtTheDoor,
    /// The gateway takes a payment that comes to nothing later.
    Later,
    /// The gateway does this to a code that is handed in.
    Code(Vec<Fault>),
}

impl Trouble {
    /// Whether payments could be taken for each other.
    pub(crate) fn has_twins(&self) -> bool {
        matches!(self, Self::Twins | Self::LostTwin)
    }
}

impl Scenario {
    /// Whether nothing goes wrong in it.
    pub fn is_calm(&self) -> bool {
        self.trouble == Trouble::Nothing && self.then == Then::Nothing
    }

    /// Whether a death may have brought such an end.
    pub(crate) fn may_end(&self, state: PaymentState) -> bool {
        // What never left has failed, and the person can see that.
        if self.then == Then::Decides && state == PaymentState::Failed {
            return true;
        }
        match (&self.trouble, state) {
            // The refusal was lost with who heard it, and the same is not refused when it is sent again.
            (Trouble::AtTheDoor, PaymentState::Paid) => self.gateway == Gateway::KasaPay,
            // Of what may have left nobody can ask, since no connection is ever made.
            (Trouble::NoConnection(usize::MAX), PaymentState::Review) => true,
            _ => false,
        }
    }

    /// All small worlds of one gateway.
    pub fn all(gateway: Gateway) -> Vec<Self> {
        let mut all = Vec::new();
        let new = |name, trouble| Self::new(gateway, name, trouble);
        all.push(new("plain", Trouble::Nothing));
        all.push(Self { payments: 2, ..new("two payments", Trouble::Nothing) });
        all.push(Self { processes: 2, ..new("two processes", Trouble::Nothing) });
        all.push(Self { payments: 2, ..new("twins", Trouble::Twins) });
        all.push(new("token expired", Trouble::Token));
        all.push(new("no connection", Trouble::NoConnection(2)));
        for (name, faults) in faults() {
            all.push(new(name, Trouble::Gateway(faults)));
        }
        let lost = || Trouble::Gateway(vec![Fault::LostReply]);
        all.push(Self { payments: 2, ..new("lost reply of the first of two", lost()) });
        all.push(Self { processes: 2, ..new("lost reply to one of two", lost()) });
        all.push(Self { work: Work::AllTheTime, ..new("lost reply, works all the time", lost()) });
        let slow = Trouble::Gateway(vec![Fault::SlowReply(Duration::from_secs(12))]);
        let lease = Duration::from_secs(5);
        all.push(Self { processes: 2, lease, ..new("slower than its lease", slow) });
        all.extend(Self::failing(gateway));
        all.extend(Self::steered(gateway));
        for scenario in &mut all {
            scenario.ends = scenario.ends();
        }
        all
    }

    fn new(gateway: Gateway, name: &'static str, trouble: Trouble) -> Self {
        let (work, then) = (Work::Rounds, Then::Nothing);
        let lease = Duration::from_secs(120);
        Self { name, gateway, payments: 1, processes: 1, work, trouble, lease, then, ends: Vec::new() }
    }

    /// Those in which nothing is paid, at least at first.
    fn failing(gateway: Gateway) -> Vec<Self> {
        let new = |name, trouble| Self::new(gateway, name, trouble);
        let then = Then::Again;
        let mut all = vec![
            new("fails later", Trouble::Later),
            Self { then, ..new("fails later, and is made again", Trouble::Later) },
        ];
        // What Daraja refuses when it is asked is a request that we do not make.
        if gateway != Gateway::Daraja {
            all.push(new("refused at the door", Trouble::AtTheDoor));
            all.push(Self { then, ..new("refused at the door, and made again", Trouble::AtTheDoor) });
        }
        all
    }

    /// Those in which the caller or a person has a hand.
    fn steered(gateway: Gateway) -> Vec<Self> {
        let new = |name, then, trouble| Self { then, ..Self::new(gateway, name, trouble) };
        let lost = || Trouble::Gateway(vec![Fault::LostRequest]);
        let mut all = vec![new("given up", Then::Cancels, Trouble::NoConnection(usize::MAX))];
        // The others are asked until they say, and no person is needed.
        if matches!(gateway, Gateway::SasaPay | Gateway::Kyanda) {
            all.push(new("a person calls it failed", Then::Decides, lost()));
            all.push(new("a person sends it again", Then::SendsAgain, lost()));
        }
        if gateway == Gateway::SasaPay {
            all.push(new("a code", Then::Confirms, Trouble::Nothing));
            let lost = Trouble::Code(vec![Fault::LostReply]);
            all.push(new("a code, and its answer is lost", Then::Confirms, lost));
        }
        if gateway == Gateway::Kyanda {
            let unheard = Trouble::Gateway(vec![Fault::LostReply, Fault::CallbackNever]);
            all.push(new("a person finds it paid", Then::Decides, unheard));
            all.push(Self { payments: 2, ..new("a twin given up", Then::Cancels, Trouble::LostTwin) });
        }
        all
    }

    /// Where the payments end, oldest first.
    fn ends(&self) -> Vec<PaymentState> {
        let first = self.end();
        match (self.then, &self.trouble) {
            (Then::Again, Trouble::AtTheDoor) if self.gateway != Gateway::Kyanda => {
                vec![first, PaymentState::Paid]
            }
            (Then::Again, _) => vec![first, first],
            (Then::Cancels, Trouble::LostTwin) => vec![first, PaymentState::Cancelled],
            _ => {
                let others = (1..self.payments).map(|_| PaymentState::Paid);
                std::iter::once(first).chain(others).collect()
            }
        }
    }

    /// Where the first payment ends: what reached the gateway is paid in the end, unless nobody can ever tell.
    fn end(&self) -> PaymentState {
        match (self.then, &self.trouble) {
            (Then::Decides, Trouble::Gateway(faults)) if faults.contains(&Fault::LostRequest) => {
                return PaymentState::Failed;
            }
            (Then::Decides | Then::SendsAgain, _) => return PaymentState::Paid,
            (Then::Cancels, Trouble::LostTwin) => return PaymentState::Review,
            (Then::Cancels, _) => return PaymentState::Cancelled,
            (_, Trouble::AtTheDoor | Trouble::Later) => return PaymentState::Failed,
            _ => {}
        }
        let Trouble::Gateway(faults) = &self.trouble else { return PaymentState::Paid };
        let never_arrives = [Fault::LostRequest, Fault::ErrorBeforeAccept];
        match faults.as_slice() {
            [fault] if never_arrives.contains(fault) => match self.gateway {
                Gateway::Daraja | Gateway::KasaPay => PaymentState::Paid,
                _ => PaymentState::Review,
            },
            // It does not say so in any way that is documented, so it may have taken it.
            [Fault::SpikeArrest] if self.gateway == Gateway::Kyanda => PaymentState::Review,
            _ => PaymentState::Paid,
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, {}", self.gateway, self.name)
    }
}

/// What gateways do to a payment, one thing at a time.
fn faults() -> Vec<(&'static str, Vec<Fault>)> {
    let late = Duration::from_secs(600);
    vec![
        ("lost request", vec![Fault::LostRequest]),
        ("error before acceptance", vec![Fault::ErrorBeforeAccept]),
        ("too fast", vec![Fault::SpikeArrest]),
        ("lost reply", vec![Fault::LostReply]),
        ("error after acceptance", vec![Fault::ErrorAfterAccept]),
        ("half a reply", vec![Fault::TruncatedJson]),
        ("slow", vec![Fault::SlowReply(Duration::from_secs(20))]),
        ("too slow", vec![Fault::SlowReply(Duration::from_secs(90))]),
        ("no callback", vec![Fault::CallbackNever]),
        ("late callback", vec![Fault::CallbackLate(late)]),
        ("early callback", vec![Fault::CallbackEarly]),
        ("callback twice", vec![Fault::CallbackTwice]),
        ("forged callback", vec![Fault::CallbackForged]),
        ("contradicting callback", vec![Fault::CallbackContradicting]),
    ]
}

/// The operation that moves money in these worlds.
pub(crate) fn operation(gateway: Gateway) -> Operation {
    match gateway {
        Gateway::SasaPay => Operation::Collect,
        _ => Operation::PayOut,
    }
}
