use bytes::Bytes;
use http::{Response, StatusCode};

use super::plain;
use crate::fault::{Fault, Faults};
use crate::gateways::{Call, unavailable};

/// What the faults leave of a reply to a request that they let be processed.
pub(super) fn spoilt(call: &Call, response: Response<Bytes>, faults: &Faults) -> Option<Response<Bytes>> {
    let Some(gateway) = call.gateway else { return Some(response) };
    if faults.refuse(call.operation) {
        return Some(response);
    }
    if faults.has(Fault::LostReply) {
        return None;
    }
    if faults.has(Fault::ErrorAfterAccept) {
        return Some(unavailable(gateway));
    }
    if faults.has(Fault::HtmlPage) {
        let page = "<html><head><title>504 Gateway Time-out</title></head>\
                    <body><h1>504 Gateway Time-out</h1></body></html>";
        return Some(plain(StatusCode::GATEWAY_TIMEOUT, "text/html", Bytes::from_static(page.as_bytes())));
    }
    if faults.has(Fault::TruncatedJson) {
        return Some(response.map(|body| body.slice(..body.len() / 2)));
    }
    Some(response)
}
