//! Reads a body that may be too long, too slow, or nobody's.

use std::pin::pin;

use bytes::Buf as _;
use futures_util::future::{Either, select};
use http::StatusCode;
use http_body::Body;
use http_body_util::BodyExt as _;
use malipo_core::Timer;

use crate::Limits;

/// Whether what is read is worth its memory. A stranger's body is read to its end as well, so that the answer does not
/// come sooner, and none of it is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    All,
    Nothing,
}

/// The whole body, or nothing of it; else the status that says why it was not read.
pub(crate) async fn read<B: Body>(
    body: B,
    keep: Keep,
    limits: &Limits,
    timer: &dyn Timer,
) -> Result<Vec<u8>, StatusCode> {
    // Who says so beforehand need not send it.
    if body.size_hint().lower() > u64::try_from(limits.body).unwrap_or(u64::MAX) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let late = timer.sleep(limits.body_within);
    match select(pin!(collect(body, keep, limits.body)), late).await {
        Either::Left((body, _)) => body,
        Either::Right(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

async fn collect<B: Body>(body: B, keep: Keep, most: usize) -> Result<Vec<u8>, StatusCode> {
    let mut body = pin!(body);
    let (mut kept, mut length) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        let Ok(mut data) = frame.into_data() else { continue };
        length = length.saturating_add(data.remaining());
        if length > most {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        if keep == Keep::All {
            kept.extend_from_slice(&data.copy_to_bytes(data.remaining()));
        }
    }
    Ok(kept)
}
