//! Breaks of what is sent, and of what is said when there is no answer.

use bytes::Bytes;
use http::{Response, StatusCode};
use malipo::{
    Callback, Capabilities, Details, Effect, Error, ErrorKind, Instruction, Money, Network, PartyKind,
    PayOut, Payee, PayeeAccount, Terms,
};
use malipo_testkit::conformance::TokenExchange;

use super::{Break, asks_for_token, breaking, harmless, hears, replaced};
use crate::altered::{Alteration, Memory, SOUND, with_effect};
use crate::outside_subject::{ACCEPTED, REJECTED, TOKEN_REPLY};

pub(super) fn admission() -> Vec<Break> {
    let takes = |takes: fn(Instruction) -> Instruction| Alteration { takes, ..SOUND };
    vec![
        breaking(
            "capabilities_make_sense",
            Alteration { declares: |all| all.with_refused_callback_words(&["TEMBO"]), ..SOUND },
        ),
        breaking("everything_declared_is_tried", Alteration { declares: declare_tills, ..SOUND }),
        breaking("everything_declared_is_tried", Alteration { tokens: unsaid, ..SOUND }),
        omitting("seen before"),
        omitting("an unlisted state"),
        omitting("failed"),
        omitting("paid"),
        omitting("the news RESTING"),
        omitting("the news FAILED"),
        omitting("the news PAID"),
        omitting("the balance"),
        breaking(
            "a_declared_operation_sends_one_request",
            Alteration { sends_again: |response| response.body() == ACCEPTED, ..SOUND },
        )
        .along(&[
            "an_amount_within_the_limits_is_sent",
            "a_rejected_token_is_renewed_once",
            "a_doubted_token_is_not_used_again",
            "one_provider_serves_many_threads",
        ]),
        breaking("an_undeclared_operation_sends_nothing", takes(collections_are_payouts)),
        breaking("an_undeclared_party_sends_nothing", takes(tills_are_wallets)),
        breaking(
            "an_amount_within_the_limits_is_sent",
            takes(|instruction| with_terms(instruction, |terms| swap(&mut terms.amount, "150000", "150001"))),
        ),
        breaking(
            "an_amount_outside_the_limits_sends_nothing",
            takes(|instruction| with_terms(instruction, |terms| swap(&mut terms.amount, "150001", "150000"))),
        ),
        breaking(
            "an_unknown_detail_sends_nothing",
            takes(|instruction| with_terms(instruction, |terms| terms.details = Details::default())),
        ),
        breaking(
            "a_wrong_callback_sends_nothing",
            takes(|instruction| {
                with_terms(instruction, |terms| {
                    let fallback = Callback::new("https://pay.example.com/any".parse().unwrap());
                    terms.callback.get_or_insert(fallback);
                })
            }),
        ),
        breaking(
            "the_least_callback_is_enough",
            takes(|instruction| {
                with_terms(instruction, |terms| {
                    terms.callback = terms.callback.take().filter(|callback| callback.timeout.is_some());
                })
            }),
        ),
    ]
}

fn omitting(omits: &'static str) -> Break {
    breaking("everything_declared_is_tried", Alteration { omits, ..SOUND })
}

fn unsaid(token: TokenExchange) -> TokenExchange {
    TokenExchange::new(token.path, token.reply)
}

fn declare_tills(mut capabilities: Capabilities) -> Capabilities {
    capabilities.abilities.first_mut().unwrap().parties.push(PartyKind::Till);
    capabilities
}

fn collections_are_payouts(instruction: Instruction) -> Instruction {
    match instruction {
        Instruction::Collect(collect) => Instruction::PayOut(PayOut::new(wallet(), collect.terms)),
        other => other,
    }
}

fn tills_are_wallets(instruction: Instruction) -> Instruction {
    match instruction {
        Instruction::PayOut(PayOut { to, terms, .. }) if matches!(to.account, PayeeAccount::Till { .. }) => {
            Instruction::PayOut(PayOut::new(wallet(), terms))
        }
        other => other,
    }
}

fn wallet() -> Payee {
    Payee::wallet(Network::Safaricom, "0708374149".parse().unwrap())
}

pub(super) fn with_terms(mut instruction: Instruction, change: impl FnOnce(&mut Terms)) -> Instruction {
    if let Instruction::PayOut(pay_out) = &mut instruction {
        change(&mut pay_out.terms);
    }
    instruction
}

fn swap(amount: &mut Money, from: &str, to: &str) {
    if *amount == Money::kes(from).unwrap() {
        *amount = Money::kes(to).unwrap();
    }
}

pub(super) fn losing() -> Vec<Break> {
    let fails = |fails: fn(Error) -> Error| Alteration { fails, ..SOUND };
    vec![
        breaking(
            "a_failure_before_sending_means_no_effect",
            fails(|error| match (error.kind(), error.effect()) {
                (ErrorKind::NotSent, Effect::None) if of_a_payment(&error) => {
                    with_effect(&error, Effect::Unknown, error.operation())
                }
                _ => error,
            }),
        )
        .along(&["a_payment_without_a_token_is_not_sent"]),
        breaking(
            "a_failure_after_sending_means_unknown",
            fails(|error| harmless(error, ErrorKind::Interrupted, None)),
        )
        .along(&["a_rejected_token_is_renewed_once"]),
        breaking(
            "a_server_in_trouble_means_unknown",
            fails(|error| harmless(error, ErrorKind::Unreadable, Some(502))),
        ),
        breaking("a_redirect_means_unknown", fails(|error| harmless(error, ErrorKind::Unlisted, Some(307)))),
        breaking(
            "an_unreadable_success_means_unknown",
            hears(|_, response| {
                let cheer = |status, body: &[u8]| (status == 202 && body == b"null").then_some(ACCEPTED);
                replaced(response, cheer)
            }),
        ),
        breaking(
            "an_unreadable_refusal_means_unknown",
            hears(|_, response| {
                let bare = |status, body: &[u8]| (status == 401 && body.is_empty()).then_some(REJECTED);
                replaced(response, bare)
            }),
        )
        .along(&["a_doubted_token_is_not_used_again"]),
        breaking(
            "an_unreadable_refusal_means_unknown",
            fails(|error| harmless(error, ErrorKind::Unreadable, Some(403))),
        ),
    ]
}

fn of_a_payment(error: &Error) -> bool {
    error.operation().moves_money()
}

pub(super) fn tokens() -> Vec<Break> {
    vec![
        breaking(
            "a_rejected_token_is_renewed_once",
            hears(|_, response| {
                let hush =
                    |status, body: &[u8]| (status == 401 && body.starts_with(b"{\"code\"")).then_some("");
                replaced(response, hush)
            }),
        ),
        breaking(
            "a_doubted_token_is_not_used_again",
            hears(|_, mut response| {
                let undoubted = response.status() == 401 && response.body() != REJECTED;
                if undoubted {
                    *response.status_mut() = StatusCode::FORBIDDEN;
                }
                response
            }),
        ),
        breaking(
            "a_payment_without_a_token_is_not_sent",
            hears(|request, response| {
                let invents = asks_for_token(request) && response.status() == 503;
                if invents { Response::new(Bytes::from_static(TOKEN_REPLY.as_bytes())) } else { response }
            }),
        )
        .along(&["a_question_without_an_answer_changes_nothing"]),
        breaking("a_token_is_kept", Alteration { memory: Memory::None, ..SOUND })
            .along(&["one_provider_serves_many_threads"]),
    ]
}
