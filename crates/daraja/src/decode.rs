//! What Daraja answers, as what is known. Pure.

use std::time::Duration;

use malipo_core::{
    CodeRow, Effect, Error, ErrorKind, Meaning, Operation, ProviderId, ProviderRefs, Reference, Report,
    Result, Secret, State, Told, Trust, filled, read_object,
};
use malipo_transport::{Complaint, Response, Token};

use crate::wire::{Reply, TokenReply};

/// The kinds of reference that M-PESA gives a request.
pub(crate) const REF_CONVERSATION: &str = "conversation";
pub(crate) const REF_ORIGINATOR: &str = "originator";

pub(crate) fn token(response: &Response) -> Result<Token> {
    if !response.is_success() {
        let error = refusal(Operation::Authorize, response);
        // A wrong key or secret has been seen as a 400 without a word.
        return Err(match (error.kind(), response.status) {
            (ErrorKind::Unreadable, 400) => {
                let message = "the gateway gave no token and no reason";
                Error::new(ErrorKind::Credentials, Effect::Unchanged, Operation::Authorize, message)
                    .with_status(400)
                    .with_remedy(CHECK_KEYS)
            }
            _ => error,
        });
    }
    let reply: Option<TokenReply> = read_object(&response.body).ok();
    let value =
        reply.as_ref().and_then(|reply| reply.access_token.as_deref()).filter(|token| !token.is_empty());
    let lifetime = reply.as_ref().and_then(|reply| reply.expires_in.as_ref()?.as_str().parse().ok());
    match value {
        Some(value) => Ok(Token::new(Secret::new(value), lifetime.map(Duration::from_secs))),
        None => Err(response.unreadable(Operation::Authorize)),
    }
}

/// Whether the token was turned away before anything was done.
pub(crate) fn rejected(response: &Response) -> bool {
    let row = read(response).and_then(|reply| CodeRow::find(CODES, reply.complaint().code?));
    row.is_some_and(|row| row.meaning == Meaning::TokenRejected)
}

/// The acknowledgement of a payout: it is queued, not paid.
pub(crate) fn accepted(provider: &ProviderId, reference: &Reference, response: &Response) -> Result<Report> {
    let reply = acknowledged(Operation::PayOut, response)?;
    let originator = filled(reply.originator_conversation_id.as_ref());
    let mut report = Report::new(provider.clone(), State::Pending, Trust::Answered);
    report.operation = Some(Operation::PayOut);
    report.provider_refs = reply.provider_refs(originator.filter(|id| *id != reference.as_str()));
    report.reference = Some(reference.clone());
    report.code = filled(reply.response_code.as_ref()).map(Told::code);
    report.text = filled(reply.response_description.as_ref()).map(Told::new);
    report.raw = response.body.clone().into();
    Ok(report)
}

/// The acknowledgement of a question: its answer will be posted.
pub(crate) fn asked(operation: Operation, response: &Response) -> Result<ProviderRefs> {
    let reply = acknowledged(operation, response)?;
    Ok(reply.provider_refs(filled(reply.originator_conversation_id.as_ref())))
}

fn acknowledged(operation: Operation, response: &Response) -> Result<Reply> {
    match read(response) {
        Some(reply) if response.is_success() && reply.accepts() => Ok(reply),
        _ => Err(refusal(operation, response)),
    }
}

/// What an answer that is no acknowledgement means for the operation.
fn refusal(operation: Operation, response: &Response) -> Error {
    match read(response) {
        Some(reply) => response.refusal(operation, CODES, reply.complaint()),
        None => response.unreadable(operation),
    }
}

fn read(response: &Response) -> Option<Reply> {
    read_object(&response.body).ok()
}

impl Reply {
    /// What it complains of: its one code. An answer with two codes, or with an error beside the name of an accepted
    /// request, contradicts itself, and then it has none.
    fn complaint(&self) -> Complaint<'_> {
        let fault = self.fault.as_ref();
        let fault_code = filled(fault.and_then(|fault| fault.detail.as_ref()?.errorcode.as_ref()));
        let fault_text = filled(fault.and_then(|fault| fault.faultstring.as_ref()));
        let accepted = filled(self.conversation_id.as_ref());
        let codes = (filled(self.error_code.as_ref()), fault_code, filled(self.response_code.as_ref()));
        let texts =
            [filled(self.error_message.as_ref()), fault_text, filled(self.response_description.as_ref())];
        Complaint {
            code: match codes {
                (Some(code), None, None) | (None, Some(code), None) if accepted.is_none() => Some(code),
                (None, None, code) if fault.is_none() => code,
                _ => None,
            },
            text: texts.into_iter().flatten().next(),
            request_id: filled(self.request_id.as_ref()),
        }
    }

    fn accepts(&self) -> bool {
        self.complaint().code == Some("0")
    }

    fn provider_refs(&self, originator: Option<&str>) -> ProviderRefs {
        ProviderRefs::new()
            .with(REF_CONVERSATION, filled(self.conversation_id.as_ref()))
            .with(REF_ORIGINATOR, originator)
    }
}

const CHECK_KEYS: &str =
    "check that the consumer key and secret are of this environment and were copied whole";
const CHECK_PRODUCT: &str =
    "if a new token does not help, the app may lack the B2C product or the shortcode may not be linked to it";
const CORRECT: &str = "correct the field that the gateway names";
const CHECK_ADDRESS: &str = "check the base URL: the gateway does not know this path";
const SLOW_DOWN: &str = "send fewer requests a second";
const ASK: &str = "ask for the payment's status, and wait for its result, before anything else";

/// The error tables: Safaricom's B2C page has two of these, the rest are from public copies of the portal's error
/// page (read 2026-11-22). "Not started" is concluded from where an error is raised.
#[rustfmt::skip]
const CODES: &[CodeRow<Meaning>] = &[
    CodeRow::new("400.002.02", Meaning::Refused, CORRECT),
    CodeRow::new("400.002.05", Meaning::Refused, CORRECT),
    CodeRow::new("400.003.01", Meaning::TokenRejected, CHECK_PRODUCT),
    CodeRow::new("400.003.02", Meaning::Refused, CORRECT),
    CodeRow::new("400.008.01", Meaning::CredentialsRejected, CHECK_KEYS),
    CodeRow::new("400.008.02", Meaning::CredentialsRejected, CHECK_KEYS),
    CodeRow::new("401.002.01", Meaning::TokenRejected, CHECK_PRODUCT),
    CodeRow::new("401.003.01", Meaning::TokenRejected, CHECK_PRODUCT),
    CodeRow::new("404.001.03", Meaning::TokenRejected, CHECK_PRODUCT),
    CodeRow::new("404.001.04", Meaning::CredentialsRejected, CHECK_KEYS),
    CodeRow::new("404.002.01", Meaning::Refused, CHECK_ADDRESS),
    CodeRow::new("404.003.01", Meaning::Refused, CHECK_ADDRESS),
    CodeRow::new("405.001", Meaning::Refused, CHECK_ADDRESS),
    CodeRow::new("500.001.1001", Meaning::Failed, ASK),
    CodeRow::new("500.002.1001", Meaning::Duplicate, ASK),
    CodeRow::new("500.003.1001", Meaning::Failed, ASK),
    CodeRow::new("500.003.02", Meaning::Throttled, SLOW_DOWN),
    CodeRow::new("500.003.03", Meaning::Throttled, "the app's quota is used up: wait, or ask Safaricom for a larger one"),
    CodeRow::new("00.002.1001", Meaning::Closed, "M-PESA is under maintenance: try again later"),
    CodeRow::new("26", Meaning::Throttled, SLOW_DOWN),
    CodeRow::new("100000000", Meaning::Failed, ASK),
    CodeRow::new("100000001", Meaning::Throttled, SLOW_DOWN),
    CodeRow::new("100000002", Meaning::Throttled, SLOW_DOWN),
    CodeRow::new("100000004", Meaning::Failed, ASK),
    CodeRow::new("100000005", Meaning::Refused, CORRECT),
    CodeRow::new("100000007", Meaning::Failed, ASK),
    CodeRow::new("100000009", Meaning::Failed, ASK),
    CodeRow::new("100000010", Meaning::Refused, "the shortcode is not permitted to do this: ask Safaricom"),
    CodeRow::new("100000011", Meaning::Throttled, SLOW_DOWN),
    CodeRow::new("policies.ratelimit.SpikeArrestViolation", Meaning::Throttled, SLOW_DOWN),
    CodeRow::new("keymanagement.service.InvalidAPICallAsNoApiProductMatchFound", Meaning::CredentialsRejected, "the app does not have the B2C product: add it on the portal"),
];
