use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use malipo_core::{
    Callbacks, Capabilities, Credits, Lookup, Money, Provider, ProviderId, ReferenceUse, Resubmit,
};

use super::Pace;
use super::pace::Heard;
use crate::{ResendRule, Twins};

/// One configured account at a gateway, with the rules that its payments follow.
#[derive(Clone)]
pub struct Account {
    pub(super) number: u32,
    pub(super) provider: Arc<dyn Provider>,
    pub(super) callbacks: Arc<dyn Callbacks>,
    /// Where money that came in is looked up.
    pub(super) credits: Option<Arc<dyn Credits>>,
    pub(super) policy: Policy,
    /// Its own unless it was given one.
    pub(super) pace: Option<Pace>,
}

impl Account {
    /// The account behind `provider`, which also reads what its gateway posts. `number` stands in the callback URLs: it
    /// must be the account's own, and must not change while URLs are out.
    pub fn new<P: Provider + Callbacks + 'static>(number: u32, provider: Arc<P>) -> Self {
        let policy = Policy::of(provider.capabilities());
        Self { number, callbacks: provider.clone(), credits: None, provider, policy, pace: None }
    }

    /// Follows other rules than those that its capabilities suggest.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Looks money up that came in unasked, before it is told: mostly the provider itself. Without it no such money is
    /// ever confirmed; it goes to a person at once.
    #[must_use]
    pub fn with_credits(mut self, credits: Arc<dyn Credits>) -> Self {
        self.credits = Some(credits);
        self
    }

    /// Shares the pace of another account that uses the same credential.
    #[must_use]
    pub fn with_pace(mut self, pace: Pace) -> Self {
        self.pace = Some(pace);
        self
    }

    pub(super) fn id(&self) -> &ProviderId {
        self.provider.id()
    }

    /// How long its credential may not be used, as far as is known.
    pub(super) fn wait(&self) -> Duration {
        self.pace.as_ref().map_or(Duration::ZERO, Pace::wait)
    }

    /// Takes a turn of its credential, right before it is used; else says how long to wait.
    pub(super) fn take(&self) -> Result<(), Duration> {
        self.pace.as_ref().map_or(Ok(()), Pace::take)
    }

    /// Whether the gateway knows our references, so that it can be asked about a payment by nothing else.
    pub(super) fn asks_by_reference(&self) -> bool {
        self.provider.capabilities().reference == ReferenceUse::Sent
    }

    /// Whether the gateway says with this code that a payment is stuck.
    pub(super) fn is_stuck(&self, code: &str) -> bool {
        self.provider.capabilities().stuck_codes.contains(&code)
    }

    /// Whether a payment that failed with this code failed because of the credential.
    pub(super) fn is_refusal(&self, code: &str) -> bool {
        self.provider.capabilities().credential_codes.contains(&code)
    }

    /// Takes in what was heard of its credential.
    pub(super) fn hear(&self, heard: Heard) {
        if let Some(pace) = &self.pace {
            pace.hear(heard);
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("number", &self.number)
            .field("provider", self.id())
            .field("policy", &self.policy)
            .field("credits", &self.credits.is_some())
            .finish_non_exhaustive()
    }
}

/// The rules that an account's payments follow.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// How long after an attempt, and then after each question, to ask what became of an open payment. The last one
    /// goes on for ever.
    pub asking: Vec<Duration>,
    /// How long to wait before what provably did not leave, or was turned away, is sent again; each time twice as long,
    /// up to ten minutes.
    pub retry: Duration,
    /// The most requests in any second with this account's credential; `None` where nobody set a limit.
    pub per_second: Option<NonZeroU32>,
    /// When the same reference may be sent again although nobody knows what became of it.
    pub resend: ResendRule,
    /// How many attempts are made of a payment whose fate is unknown, the first included.
    pub attempts: u32,
    /// How long a payment may stay open before it is handed to a person.
    pub review_after: Duration,
    /// Whether a delivery that says paid is believed, or the gateway is asked first.
    pub confirmation: Confirmation,
    /// What happens to a payment that nothing could tell from one that may be at the gateway.
    pub twins: Twins,
}

/// Whether a delivery that says paid is believed, or the gateway is asked first. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// It is believed if it came to the payment's own URL and agrees with it.
    Never,
    /// The gateway is asked first where the amount is greater.
    Above(Money),
    /// The gateway is always asked first.
    Always,
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

impl Policy {
    /// What the capabilities of a gateway suggest.
    pub fn of(capabilities: &Capabilities) -> Self {
        let at_once = matches!(capabilities.lookup, Lookup::ByReference | Lookup::ByProviderRef);
        let resend = match (capabilities.resubmit, capabilities.lookup) {
            (Resubmit::RefusedAsDuplicate, _) => ResendRule::SameReference { within: HOUR },
            // Only whoever answers at once can say that there is nothing.
            (Resubmit::QueryFirst, Lookup::ByReference) => {
                ResendRule::AfterAbsence { times: 2, quiet: MINUTE, within: 24 * HOUR }
            }
            (Resubmit::QueryFirst | Resubmit::Never, _) => ResendRule::Never,
        };
        let twins = match capabilities.reference {
            ReferenceUse::Sent => Twins::Sent,
            ReferenceUse::NotSent => Twins::Held,
        };
        Self {
            asking: vec![MINUTE, 5 * MINUTE, 5 * MINUTE, 5 * MINUTE, 5 * MINUTE, 5 * MINUTE, HOUR],
            retry: Duration::from_secs(5),
            per_second: None,
            resend,
            attempts: 3,
            review_after: 24 * HOUR,
            confirmation: if at_once { Confirmation::Always } else { Confirmation::Never },
            twins,
        }
    }

    /// How long to wait before the next question, after so many.
    pub(super) fn wait(&self, asked: u32) -> Duration {
        let next = usize::try_from(asked).ok().and_then(|asked| self.asking.get(asked));
        next.or(self.asking.last()).copied().unwrap_or(HOUR)
    }

    /// How long to wait before what was not begun is sent again, after so many attempts.
    pub(super) fn retry_after(&self, attempts: u32) -> Duration {
        let doubled = 1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        self.retry.saturating_mul(doubled).min(self.retry.max(10 * MINUTE))
    }

    /// Whether the gateway is asked before a delivery about so much money settles anything.
    pub(super) fn confirms(&self, amount: Money) -> bool {
        match self.confirmation {
            Confirmation::Never => false,
            Confirmation::Above(limit) => {
                amount.currency() != limit.currency() || amount.minor() > limit.minor()
            }
            Confirmation::Always => true,
        }
    }
}
