//! Reads a body that may be too long, too slow, or nobody's.

use std::pin::pin;

use bytes::Buf as _;
use futures_util::future::{Either, select};
use http_body::Body;
use http_body_util::BodyExt as _;
use malipo_core::Timer;

use crate::Limits;
use crate::watch::Why;

/// Whether what is read is worth its memory. A stranger's body is read to its end as well, so that the answer does not
/// come sooner, and none of it is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    All,
    Nothing,
}

/// Whether a body says beforehand that it is too long. Then nobody needs to send it.
pub(crate) fn is_declared_too_long(body: &impl Body, limits: &Limits) -> bool {
    body.size_hint().lower() > u64::try_from(limits.body).unwrap_or(u64::MAX)
}

/// The whole body, or nothing of it; else why it was not read.
pub(crate) async fn read<B: Body>(
    body: B,
    keep: Keep,
    limits: &Limits,
    timer: &dyn Timer,
) -> Result<Vec<u8>, Why> {
    let late = timer.sleep(limits.body_within);
    match select(pin!(collect(body, keep, limits.body)), late).await {
        Either::Left((body, _)) => body,
        Either::Right(_) => Err(Why::Slow),
    }
}

async fn collect<B: Body>(body: B, keep: Keep, most: usize) -> Result<Vec<u8>, Why> {
    let mut body = pin!(body);
    let (mut kept, mut length) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Why::Unreadable)?;
        let Ok(mut data) = frame.into_data() else { continue };
        length = length.saturating_add(data.remaining());
        if length > most {
            return Err(Why::Length);
        }
        if keep == Keep::All {
            kept.extend_from_slice(&data.copy_to_bytes(data.remaining()));
        }
    }
    Ok(kept)
}
