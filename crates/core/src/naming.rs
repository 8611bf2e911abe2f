/// A text that is none of the names it could be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} has no such name")]
#[non_exhaustive]
pub struct UnknownName(pub &'static str);

/// Gives every variant of an enum a short name that stays the same for ever: what is stored and configured is read by
/// later versions.
macro_rules! named {
    ($type:ident { $($variant:ident = $name:literal,)* }) => {
        impl $type {
            /// A short name that stays the same for ever, for storing, configuration and metrics.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::UnknownName;

            /// Reads the name that [`as_str`](Self::as_str) gives.
            fn from_str(name: &str) -> Result<Self, $crate::UnknownName> {
                match name {
                    $($name => Ok(Self::$variant),)*
                    _ => Err($crate::UnknownName(stringify!($type))),
                }
            }
        }
    };
}

pub(crate) use named;

#[cfg(test)]
mod tests {
    use std::fmt::Debug;
    use std::str::FromStr;

    use crate::{
        Bank, Biller, DeliveryPurpose, GoodKind, Network, Operation, Purpose, Signature, State, Trust,
        UnknownName,
    };

    fn reads_back<T: FromStr<Err = UnknownName> + Copy + PartialEq + Debug>(
        all: &[T],
        name: fn(T) -> &'static str,
    ) {
        for one in all {
            assert_eq!(name(*one).parse(), Ok(*one));
            let plain = name(*one).bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            assert!(plain, "{one:?}");
        }
        assert!("Safaricom ".parse::<T>().is_err());
    }

    #[test]
    fn every_name_reads_back() {
        reads_back(Network::ALL, Network::as_str);
        reads_back(Operation::INSTRUCTIONS, Operation::as_str);
        reads_back(&[Purpose::General, Purpose::Salary, Purpose::Promotion], Purpose::as_str);
        reads_back(&[State::Pending, State::Settled, State::Failed, State::Reversed], State::as_str);
        reads_back(&[Trust::Claimed, Trust::Addressed, Trust::Signed, Trust::Answered], Trust::as_str);
        let signatures = [Signature::NotExpected, Signature::Missing, Signature::Wrong, Signature::Good];
        reads_back(&signatures, Signature::as_str);
        let goods = [
            GoodKind::VoucherPin,
            GoodKind::VoucherSerial,
            GoodKind::PowerToken,
            GoodKind::Units,
            GoodKind::BillerReceipt,
        ];
        reads_back(&goods, GoodKind::as_str);
        let purposes = [
            DeliveryPurpose::Result,
            DeliveryPurpose::Timeout,
            DeliveryPurpose::Answer,
            DeliveryPurpose::AnswerTimeout,
            DeliveryPurpose::Balance,
            DeliveryPurpose::Notice,
        ];
        reads_back(&purposes, DeliveryPurpose::as_str);
    }

    #[test]
    fn banks_and_billers_read_back_also_by_code() {
        for bank in Bank::NAMED.iter().cloned().chain([Bank::code("068").unwrap()]) {
            assert_eq!(bank.to_string().parse(), Ok(bank));
        }
        for biller in Biller::NAMED.iter().cloned().chain([Biller::code("DSTV_2").unwrap()]) {
            assert_eq!(biller.to_string().parse(), Ok(biller));
        }
        assert_eq!(Bank::code("068").unwrap().to_string(), "code:068");
        for bad in ["Equity", "code:", "code:0 68", "068", ""] {
            assert!(bad.parse::<Bank>().is_err(), "{bad:?}");
        }
    }
}
