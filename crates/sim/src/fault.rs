use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use crate::dice::Dice;
use crate::gateways::{Gateway, Operation};

/// One thing that goes wrong with one call.
///
/// Several may be combined on a call: `[LostReply, CallbackLate(..)]` pays, cuts the reply and tells late.
/// A fault of a [`Plan`]'s that does not fit the operation (a callback fault on a token request) does nothing; one
/// that is asked for is refused, see [`NeverStrikes`]. Where two cannot both happen, the one nearer the top of this list does: with `[CallbackEarly, CallbackLate(..)]` the
/// result is early, and with `[SpikeArrest, LostReply]` the refusal arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The connection is cut and the gateway never sees the request. The caller cannot tell this from
    /// [`Fault::LostReply`].
    LostRequest,
    /// HTTP 503, and nothing was processed. Byte for byte the reply of [`Fault::ErrorAfterAccept`].
    ErrorBeforeAccept,
    /// Refused for coming too fast; nothing was processed. Daraja: HTTP 500 with `500.003.02`. SasaPay: HTTP 429
    /// with `SP.429.000`. KasaPay and Kyanda: HTTP 429, which is our choice.
    SpikeArrest,
    /// This call is treated as if its token had run out; nothing was processed and the token stays good for
    /// the next call. Daraja: HTTP 401 with `401.002.01`, which repeats the token in its message. KasaPay and
    /// SasaPay: HTTP 401. Kyanda has no tokens: its key is refused, HTTP 400 with `1102`.
    TokenExpired,
    /// Refused with the caller's own token repeated in the message; nothing was processed. Unlike
    /// [`Fault::TokenExpired`] the code is one that a fresh token does not cure (Daraja: HTTP 404 with
    /// `404.001.04`; KasaPay and SasaPay: HTTP 403; Kyanda, which repeats its key: HTTP 400 with `1103`), so the
    /// message reaches whoever logs it.
    EchoedToken,
    /// Processed, and then the connection is cut before the first byte of the reply.
    LostReply,
    /// Processed, and then HTTP 503.
    ErrorAfterAccept,
    /// Processed, and then HTTP 504 with a web page for a body.
    HtmlPage,
    /// Processed, and then a reply whose JSON stops half way. The HTTP framing is whole.
    TruncatedJson,
    /// Processed at once, answered this much later.
    SlowReply(Duration),
    /// The result is never told. The payment is decided all the same.
    CallbackNever,
    /// The timeout URL is called instead of the result URL; the payment is decided all the same. Together
    /// with [`Fault::CallbackLate`] the true result follows. The others have no timeout URL: there this is
    /// [`Fault::CallbackNever`], and together with [`Fault::CallbackLate`] it is that alone.
    QueueTimeout,
    /// The result is told twice, with the same bytes.
    CallbackTwice,
    /// The payment is decided and its result told and answered before the reply to the call is sent.
    CallbackEarly,
    /// The payment is decided on time; its result is told this much later.
    CallbackLate(Duration),
    /// The result is held back and told right after the next result of any other call. If none follows, it
    /// is never told. Together with [`Fault::CallbackLate`] it is held back only once it is late.
    CallbacksReordered,
    /// After the true result comes a second one that says the opposite.
    CallbackContradicting,
    /// Before the true result comes one that nobody at the gateway sent: paid, ten times the amount.
    CallbackForged,
}

/// Faults were asked for that no call could ever meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NeverStrikes {
    /// The gateway has no such operation.
    Operation(Gateway),
    /// The gateway has it, but there is nothing about it that the fault could spoil.
    Fault(Fault),
}

impl fmt::Display for NeverStrikes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operation(gateway) => {
                let names: Vec<_> = gateway.operations().into_iter().map(Operation::as_str).collect();
                write!(f, "{gateway} has {}", names.join(", "))
            }
            Self::Fault(fault) => {
                let why = match fault.spoils() {
                    Part::Callback => "no callback comes of such a call",
                    Part::Token => "such a call shows no token",
                    Part::Exchange => "there is nothing to spoil",
                };
                write!(f, "{} can never strike: {why}", fault.as_str())
            }
        }
    }
}

impl std::error::Error for NeverStrikes {}

/// What a fault spoils of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The request or the reply, which every call has.
    Exchange,
    /// What the call shows to be let in.
    Token,
    /// What is told after it.
    Callback,
}

impl Fault {
    fn spoils(self) -> Part {
        match self {
            Self::LostRequest
            | Self::ErrorBeforeAccept
            | Self::SpikeArrest
            | Self::LostReply
            | Self::ErrorAfterAccept
            | Self::HtmlPage
            | Self::TruncatedJson
            | Self::SlowReply(_) => Part::Exchange,
            Self::TokenExpired | Self::EchoedToken => Part::Token,
            Self::CallbackNever
            | Self::QueueTimeout
            | Self::CallbackTwice
            | Self::CallbackEarly
            | Self::CallbackLate(_)
            | Self::CallbacksReordered
            | Self::CallbackContradicting
            | Self::CallbackForged => Part::Callback,
        }
    }

    /// Whether it is about what is told after the reply.
    pub(crate) fn is_of_callback(self) -> bool {
        self.spoils() == Part::Callback
    }
}

/// Faults drawn at random, repeatably: the same seed and the same calls in the same order meet the same faults.
#[derive(Clone)]
pub struct Plan {
    dice: Dice,
    chances: Vec<(Fault, u32)>,
}

impl Plan {
    /// Nothing goes wrong.
    pub fn calm() -> Self {
        Self::seeded(0, [])
    }

    /// Each fault strikes each call with its own chance, in a thousand, independently of the others. A
    /// chance of 1000 or more always strikes.
    ///
    /// ```
    /// use malipo_sim::{Fault, Plan};
    ///
    /// let plan = Plan::seeded(42, [(Fault::LostReply, 20), (Fault::CallbackTwice, 100)]);
    /// # let _ = plan;
    /// ```
    pub fn seeded(seed: u64, chances: impl IntoIterator<Item = (Fault, u32)>) -> Self {
        Self { dice: Dice::seeded(seed), chances: chances.into_iter().collect() }
    }

    fn draw(&mut self) -> Faults {
        let dice = &mut self.dice;
        let struck = self.chances.iter().filter(|(_, chance)| dice.strikes(*chance));
        Faults(struck.map(|(fault, _)| *fault).collect())
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").field("chances", &self.chances).finish_non_exhaustive()
    }
}

/// The faults of one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn new(faults: impl IntoIterator<Item = Fault>) -> Self {
        Self(faults.into_iter().collect())
    }

    /// These and `others`.
    pub(crate) fn and(mut self, others: &Self) -> Self {
        self.0.extend(&others.0);
        self
    }

    /// All of these but `fault`.
    pub(crate) fn without(mut self, fault: Fault) -> Self {
        self.0.retain(|one| *one != fault);
        self
    }

    /// Refuses what such a call could not meet.
    pub(crate) fn fit(&self, gateway: Gateway, operation: Operation) -> Result<(), NeverStrikes> {
        if !gateway.operations().contains(&operation) {
            return Err(NeverStrikes::Operation(gateway));
        }
        let idle = self.0.iter().find(|fault| match fault.spoils() {
            Part::Exchange => false,
            Part::Token => operation == Operation::Token,
            Part::Callback => !gateway.tells_of(operation),
        });
        idle.map_or(Ok(()), |fault| Err(NeverStrikes::Fault(*fault)))
    }

    /// Refuses what cannot be met where there is no call, but something is told all the same.
    pub(crate) fn fit_no_call(&self) -> Result<(), Fault> {
        let told = |fault: &&Fault| fault.is_of_callback() && **fault != Fault::CallbackEarly;
        self.0.iter().find(|fault| !told(fault)).map_or(Ok(()), |fault| Err(*fault))
    }

    /// Whether one of these says how a callback goes.
    pub(crate) fn speak_of_callbacks(&self) -> bool {
        self.0.iter().any(|fault| fault.is_of_callback())
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.0.contains(&fault)
    }

    /// Whether one of these makes the gateway refuse, so that nothing is processed.
    pub(crate) fn refuse(&self, operation: Option<Operation>) -> bool {
        let any = self.has(Fault::ErrorBeforeAccept) || self.has(Fault::SpikeArrest);
        let past_the_door = self.has(Fault::TokenExpired) || self.has(Fault::EchoedToken);
        any || (past_the_door && operation != Some(Operation::Token))
    }

    pub(crate) fn reply_delay(&self) -> Option<Duration> {
        self.0.iter().find_map(|fault| match fault {
            Fault::SlowReply(delay) => Some(*delay),
            _ => None,
        })
    }

    pub(crate) fn callback_delay(&self) -> Option<Duration> {
        self.0.iter().find_map(|fault| match fault {
            Fault::CallbackLate(delay) => Some(*delay),
            _ => None,
        })
    }

    pub(crate) fn to_vec(&self) -> Vec<Fault> {
        self.0.clone()
    }
}

/// Where the faults of a call come from besides its payee: those asked for, then the plan.
#[derive(Debug)]
pub(crate) struct FaultSource {
    injected: BTreeMap<(Gateway, Operation), VecDeque<Faults>>,
    plan: Plan,
    /// The plan before its first roll.
    unrolled: Plan,
}

impl FaultSource {
    pub(crate) fn new(plan: Plan) -> Self {
        Self { injected: BTreeMap::new(), unrolled: plan.clone(), plan }
    }

    pub(crate) fn inject(&mut self, gateway: Gateway, operation: Operation, faults: Faults) {
        self.injected.entry((gateway, operation)).or_default().push_back(faults);
    }

    /// Forgets what was injected and not met, and says for how many calls.
    pub(crate) fn clear(&mut self) -> usize {
        std::mem::take(&mut self.injected).values().map(VecDeque::len).sum()
    }

    /// Forgets what was injected, and begins the plan anew.
    pub(crate) fn start_over(&mut self) {
        *self = Self::new(self.unrolled.clone());
    }

    /// The faults of the next call. An injected set wins over the payee's, and either over the plan's; the
    /// plan rolls for every call all the same, so that injecting a fault does not shift those of later calls.
    pub(crate) fn next(
        &mut self,
        gateway: Gateway,
        operation: Operation,
        by_payee: Option<Faults>,
    ) -> Faults {
        let planned = self.plan.draw();
        let injected = self.injected.get_mut(&(gateway, operation)).and_then(VecDeque::pop_front);
        injected.or(by_payee).unwrap_or(planned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAY: (Gateway, Operation) = (Gateway::Daraja, Operation::PayOut);

    #[test]
    fn injected_faults_are_taken_in_order_and_once() {
        let mut source = FaultSource::new(Plan::calm());
        source.inject(PAY.0, PAY.1, Faults::new([Fault::LostReply]));
        source.inject(PAY.0, PAY.1, Faults::new([Fault::HtmlPage, Fault::CallbackNever]));
        assert_eq!(source.next(PAY.0, Operation::Status, None), Faults::default());
        assert!(source.next(PAY.0, PAY.1, None).has(Fault::LostReply));
        assert!(source.next(PAY.0, PAY.1, None).has(Fault::CallbackNever));
        assert_eq!(source.next(PAY.0, PAY.1, None), Faults::default());
    }

    #[test]
    fn an_injected_fault_does_not_shift_the_plan() {
        let run = |inject: bool| {
            let mut source = FaultSource::new(Plan::seeded(3, [(Fault::LostReply, 500)]));
            if inject {
                source.inject(PAY.0, PAY.1, Faults::new([Fault::HtmlPage]));
            }
            (0..50).map(|_| source.next(PAY.0, PAY.1, None)).collect::<Vec<_>>()
        };
        assert_eq!(run(true)[1..], run(false)[1..]);
        assert!(run(false).iter().any(|faults| faults.has(Fault::LostReply)));
    }
}
