use std::error::Error;

use futures_util::stream::{StreamExt as _, TryStreamExt as _};
use malipo::{Env as _, SystemEnv};

/// How many of `all` were done a second, when so many callers each do one after the other.
///
/// # Errors
///
/// The first failure: a figure of what failed would mean nothing.
pub(crate) async fn rate<T, F>(
    all: Vec<T>,
    callers: usize,
    call: impl Fn(T) -> F,
) -> Result<u64, Box<dyn Error>>
where
    F: Future<Output = Result<(), Box<dyn Error>>>,
{
    let (env, count) = (SystemEnv::new(), u128::try_from(all.len())?);
    futures_util::stream::iter(all)
        .map(call)
        .buffer_unordered(callers)
        .try_for_each(async |()| Ok(()))
        .await?;
    let took = env.monotonic().as_nanos().max(1);
    Ok(u64::try_from(count.saturating_mul(1_000_000_000) / took)?)
}
