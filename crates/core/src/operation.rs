use std::fmt;

use crate::Effect;
use crate::naming::named;

/// What is done. Open: more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Paying someone.
    PayOut,
    /// Asking someone to pay us.
    Collect,
    /// Confirming a collection with its payer's code.
    Confirm,
    /// Buying airtime or a bundle.
    Airtime,
    /// Paying a bill.
    Bill,
    /// Buying an airtime voucher.
    Voucher,
    /// Asking what became of a payment.
    Status,
    /// Asking for our balances.
    Balances,
    /// Telling the gateway where to post.
    RegisterCallback,
    /// Getting a token.
    Authorize,
    /// Putting a provider together.
    Configure,
}

impl Operation {
    /// Those that an instruction can be.
    pub const INSTRUCTIONS: &[Self] =
        &[Self::PayOut, Self::Collect, Self::Confirm, Self::Airtime, Self::Bill, Self::Voucher];

    /// Whether it may move money. What does not can be repeated at will.
    pub const fn moves_money(self) -> bool {
        match self {
            Self::PayOut | Self::Collect | Self::Confirm | Self::Airtime | Self::Bill | Self::Voucher => true,
            Self::Status | Self::Balances | Self::RegisterCallback | Self::Authorize | Self::Configure => {
                false
            }
        }
    }

    /// The effect of a failure after which the gateway certainly has not started this.
    pub const fn not_started(self) -> Effect {
        if self.moves_money() { Effect::None } else { Effect::Unchanged }
    }

    /// The effect of a failure after which nobody knows whether the gateway has started this.
    pub const fn uncertain(self) -> Effect {
        if self.moves_money() { Effect::Unknown } else { Effect::Unchanged }
    }
}

named! {
    Operation {
        PayOut = "pay_out",
        Collect = "collect",
        Confirm = "confirm",
        Airtime = "airtime",
        Bill = "bill",
        Voucher = "voucher",
        Status = "status",
        Balances = "balances",
        RegisterCallback = "register_callback",
        Authorize = "authorize",
        Configure = "configure",
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
