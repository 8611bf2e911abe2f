use crate::names::named;

/// Where a payment stands. Closed on purpose: whoever handles these nine has handled every payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PaymentState {
    /// Written down, and nothing of it is leaving.
    Recorded,
    /// An attempt may be leaving right now.
    Sending,
    /// The gateway took it, which is not paid.
    Accepted,
    /// It may have reached the gateway, or not. Nobody knows yet.
    Unknown,
    /// The money has moved.
    Paid,
    /// The money has not moved and will not.
    Failed,
    /// The money moved and came back.
    Reversed,
    /// A person has to look; why stands in the [`Attention`].
    Review,
    /// Given up before anything left.
    Cancelled,
}

named! {
    PaymentState {
        Recorded = "recorded",
        Sending = "sending",
        Accepted = "accepted",
        Unknown = "unknown",
        Paid = "paid",
        Failed = "failed",
        Reversed = "reversed",
        Review = "review",
        Cancelled = "cancelled",
    }
}

impl PaymentState {
    /// Whether it is over. Of these only [`Paid`](Self::Paid) can still change, into [`Reversed`](Self::Reversed).
    pub const fn is_final(self) -> bool {
        match self {
            Self::Paid | Self::Failed | Self::Reversed | Self::Cancelled => true,
            Self::Recorded | Self::Sending | Self::Accepted | Self::Unknown | Self::Review => false,
        }
    }

    /// Whether [`TRANSITIONS`] has the step from here to there. Staying is no step.
    pub fn may_become(self, next: Self) -> bool {
        TRANSITIONS.contains(&(self, next))
    }
}

/// Every step there is, from and to. The triggers of the SQL stores are made from it, so what is not here cannot be
/// written even by hand.
#[rustfmt::skip]
pub const TRANSITIONS: &[(PaymentState, PaymentState)] = &[
    (PaymentState::Recorded, PaymentState::Sending),   // an attempt begins
    (PaymentState::Recorded, PaymentState::Cancelled), // the caller gave it up in time
    (PaymentState::Recorded, PaymentState::Review),    // it could not be sent in time
    (PaymentState::Recorded, PaymentState::Accepted),  // the gateway knows what we believe unsent: taken, and flagged
    (PaymentState::Recorded, PaymentState::Paid),      // likewise
    (PaymentState::Recorded, PaymentState::Failed),    // likewise
    (PaymentState::Recorded, PaymentState::Reversed),  // likewise
    (PaymentState::Sending, PaymentState::Recorded),   // provably nothing left, now or before
    (PaymentState::Sending, PaymentState::Accepted),   // taken
    (PaymentState::Sending, PaymentState::Unknown),    // no answer, or one that settles nothing
    (PaymentState::Sending, PaymentState::Paid),       // the result was faster than the answer
    (PaymentState::Sending, PaymentState::Failed),     // refused, or the result was faster
    (PaymentState::Sending, PaymentState::Reversed),   // the result was faster
    (PaymentState::Sending, PaymentState::Review),     // what came does not agree with what was asked
    (PaymentState::Accepted, PaymentState::Paid),      // the result
    (PaymentState::Accepted, PaymentState::Failed),    // the result
    (PaymentState::Accepted, PaymentState::Reversed),  // the result, the payment between was never told
    (PaymentState::Accepted, PaymentState::Review),    // silence for too long, or no agreement
    (PaymentState::Unknown, PaymentState::Accepted),   // the gateway has it after all
    (PaymentState::Unknown, PaymentState::Paid),       // likewise
    (PaymentState::Unknown, PaymentState::Failed),     // likewise
    (PaymentState::Unknown, PaymentState::Reversed),   // likewise
    (PaymentState::Unknown, PaymentState::Review),     // silence for too long, or no agreement
    (PaymentState::Unknown, PaymentState::Sending),    // the stored rule allows the same reference again
    (PaymentState::Review, PaymentState::Paid),        // a late result, or a person decided
    (PaymentState::Review, PaymentState::Failed),      // a late result, or a person decided
    (PaymentState::Review, PaymentState::Reversed),    // a late result
    (PaymentState::Review, PaymentState::Sending),     // a person decided
    (PaymentState::Paid, PaymentState::Reversed),      // the money came back
];

/// Whether the gateway may hold a payment. It decides what a refusal means: the refusal of one attempt says nothing of
/// an attempt before it. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Exposure {
    /// Nothing that was sent can have reached it, but for an attempt that is under way.
    #[default]
    None,
    /// The newest attempt may have reached it.
    Latest,
    /// An attempt before the newest may have.
    Earlier,
}

named! {
    Exposure {
        None = "none",
        Latest = "latest",
        Earlier = "earlier",
    }
}

/// Why a person must look at a payment, or at a credit. It stands beside the state: [`PaymentState::Review`] always has one, and a
/// final state can have one too.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attention {
    /// Why.
    pub reason: Reason,
    /// What we expected, people masked.
    pub expected: Option<String>,
    /// What was claimed, people masked.
    pub claimed: Option<String>,
}

impl Attention {
    /// A reason without particulars.
    pub const fn new(reason: Reason) -> Self {
        Self { reason, expected: None, claimed: None }
    }

    /// Puts what we expected beside what was claimed.
    #[must_use]
    pub fn with(mut self, expected: impl Into<String>, claimed: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self.claimed = Some(claimed.into());
        self
    }
}

/// Why a person must look. Open: more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The gateway speaks of a payment that we believe was never sent.
    ReportedUnsent,
    /// Two things that were told cannot both be true.
    Contradicted,
    /// What was told does not agree with what was asked.
    Mismatched,
    /// Nothing final came within the time allowed.
    Silent,
    /// Every attempt that is allowed was made.
    Exhausted,
    /// The gateway says that it is stuck.
    Stuck,
    /// Something that was posted says that it is over, or that money came in, and the gateway has not said so itself.
    Unconfirmed,
    /// Something that was posted says that money came in, and there is no way to ask the gateway.
    Unaskable,
    /// It may be the money of a payment of ours, or other money: nothing tells.
    Ambiguous,
}

named! {
    Reason {
        ReportedUnsent = "reported_unsent",
        Contradicted = "contradicted",
        Mismatched = "mismatched",
        Silent = "silent",
        Exhausted = "exhausted",
        Stuck = "stuck",
        Unconfirmed = "unconfirmed",
        Unaskable = "unaskable",
        Ambiguous = "ambiguous",
    }
}

impl Reason {
    /// Whether a final report settles it.
    pub const fn passes(self) -> bool {
        match self {
            Self::Silent | Self::Exhausted | Self::Stuck | Self::Unconfirmed => true,
            Self::ReportedUnsent
            | Self::Contradicted
            | Self::Mismatched
            | Self::Unaskable
            | Self::Ambiguous => false,
        }
    }

    /// Whether only waiting brought it up. What was told is worse, and takes its place.
    pub const fn waits(self) -> bool {
        match self {
            Self::Silent | Self::Exhausted | Self::Stuck => true,
            Self::ReportedUnsent
            | Self::Contradicted
            | Self::Mismatched
            | Self::Unconfirmed
            | Self::Unaskable
            | Self::Ambiguous => false,
        }
    }
}

/// Where a payment stands, whether the gateway may hold it, and why a person must look, if one must.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Standing {
    /// The state.
    pub state: PaymentState,
    /// Whether the gateway may hold it.
    pub exposure: Exposure,
    /// Why a person must look.
    pub attention: Option<Attention>,
}

impl Standing {
    /// In `state`, with nothing sent and nothing to look at.
    pub const fn new(state: PaymentState) -> Self {
        Self { state, exposure: Exposure::None, attention: None }
    }
}

impl Default for Standing {
    /// A payment that was only written down.
    fn default() -> Self {
        Self::new(PaymentState::Recorded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for state in PaymentState::ALL {
            assert_eq!(state.as_str().parse(), Ok(*state));
        }
        for reason in Reason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(*reason));
        }
        for exposure in Exposure::ALL {
            assert_eq!(exposure.as_str().parse(), Ok(*exposure));
        }
        assert!("Paid".parse::<PaymentState>().is_err());
        assert!("paid ".parse::<PaymentState>().is_err());
    }

    #[test]
    fn nothing_leaves_an_end_but_the_money_that_comes_back() {
        for (from, to) in TRANSITIONS {
            assert_ne!(from, to);
            if from.is_final() {
                assert_eq!((*from, *to), (PaymentState::Paid, PaymentState::Reversed));
            }
        }
        let mut steps = TRANSITIONS.to_vec();
        steps.sort();
        steps.dedup();
        assert_eq!(steps.len(), TRANSITIONS.len(), "no step stands twice");
    }

    #[test]
    fn every_state_is_reached_and_every_open_one_can_end() {
        for state in PaymentState::ALL {
            let begins = *state == PaymentState::Recorded;
            assert!(begins || TRANSITIONS.iter().any(|(_, to)| to == state), "{state}");
            let ends = TRANSITIONS.iter().any(|(from, to)| from == state && to.is_final());
            assert!(state.is_final() || ends, "{state}");
        }
    }
}
