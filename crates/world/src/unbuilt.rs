use std::error::Error as StdError;
use std::fmt;

/// A world that could not be put together: a fault of its own, which says nothing of what it was to prove.
#[derive(Debug)]
pub struct Unbuilt(Box<dyn StdError + Send + Sync>);

impl Unbuilt {
    pub(crate) fn because(why: &'static str) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for Unbuilt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the world cannot be put together: {}", self.0)
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Unbuilt {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}
