/// Gives every variant of an enum a short name that stays the same for ever, since journals are read by later versions.
macro_rules! named {
    ($type:ident { $($variant:ident = $name:literal,)* }) => {
        impl $type {
            /// All that there are so far.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// A short name that stays the same for ever, for storing and for metrics.
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
                Self::ALL
                    .iter()
                    .copied()
                    .find(|known| known.as_str() == name)
                    .ok_or($crate::UnknownName(stringify!($type)))
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use named;

/// A text that is none of the names it could be: a newer version wrote it, or nobody did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this version knows no such {0}")]
#[non_exhaustive]
pub struct UnknownName(pub &'static str);
