//! Named places at which a test can stop a process, as if it had been killed there.

use async_trait::async_trait;
use std::fmt::Debug;

/// A place in the engine between two things that survive a death.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CrashPoint {
    /// A payment is written down, and nothing of it is leaving.
    AfterIntent,
    /// An attempt is written down, and not a byte of it has left.
    BeforeSend,
    /// The request is in the hands of the transport.
    HandedOver,
    /// The reply is read and not yet written down.
    ReplyRead,
    /// A delivery is read and not yet written down.
    DeliveryRead,
    /// A delivery is written down and not yet answered.
    DeliveryStored,
    /// Payments are leased.
    Leased,
    /// A question is answered, and the answer is not yet written down.
    Answered,
    /// Events are read and not yet given to who follows them.
    EventsRead,
}

impl CrashPoint {
    /// All that there are.
    pub const ALL: &[Self] = &[
        Self::AfterIntent,
        Self::BeforeSend,
        Self::HandedOver,
        Self::ReplyRead,
        Self::DeliveryRead,
        Self::DeliveryStored,
        Self::Leased,
        Self::Answered,
        Self::EventsRead,
    ];

    /// A short name that stays the same.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AfterIntent => "c1_after_intent",
            Self::BeforeSend => "c2_before_send",
            Self::HandedOver => "c3_handed_over",
            Self::ReplyRead => "c4_reply_read",
            Self::DeliveryRead => "c5_delivery_read",
            Self::DeliveryStored => "c6_delivery_stored",
            Self::Leased => "c7_leased",
            Self::Answered => "c8_answered",
            Self::EventsRead => "c9_events_read",
        }
    }
}

/// Told of each place that is reached. Whoever never returns has killed the process there.
#[async_trait]
pub trait CrashPoints: Debug + Send + Sync {
    /// The engine is at `point`.
    async fn reached(&self, point: CrashPoint);
}
