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
    /// Where the first payment ends, if no process dies.
    pub ends: PaymentState,
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
    /// All payments have the same amount, so that they could be taken for each other.
    Twins,
}

impl Scenario {
    /// Whether nothing goes wrong in it.
    pub fn is_calm(&self) -> bool {
        self.trouble == Trouble::Nothing
    }

    /// All small worlds of one gateway.
    pub fn all(gateway: Gateway) -> Vec<Self> {
        let mut all = Vec::new();
        let new = |name, trouble| {
            let ends = PaymentState::Paid;
            let lease = Duration::from_secs(120);
            Self { name, gateway, payments: 1, processes: 1, work: Work::Rounds, trouble, lease, ends }
        };
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
        for scenario in &mut all {
            scenario.ends = scenario.end();
        }
        all
    }

    /// Where the first payment ends: what reached the gateway is paid in the end, unless nobody can ever tell.
    fn end(&self) -> PaymentState {
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
