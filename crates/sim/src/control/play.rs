//! Playing those who do something that no request asks for.

use serde_json::{Value, json};

use super::ask::{Fields, Query};
use super::{Refusal, nothing_more, place_of};
use crate::fault::Fault;
use crate::gateways::sasapay::PayerError;
use crate::server::Server;

pub(super) fn transfer(server: &Server, query: Query, mut fields: Fields) -> Result<Value, Refusal> {
    let (narration, amount) = (fields.text("narration")?, fields.amount()?);
    nothing_more(query, fields)?;
    done(server.transfer(&narration, amount), &[])
}

pub(super) fn walk_in(server: &Server, query: Query, mut fields: Fields) -> Result<Value, Refusal> {
    let (account, number) = (fields.text("account")?, fields.text("number")?);
    let (amount, faults) = (fields.amount()?, fields.faults_if_any()?);
    nothing_more(query, fields)?;
    done(server.walk_in(&account, &number, amount, faults.iter().copied()), &faults)
}

pub(super) fn reverse(server: &Server, query: Query, mut fields: Fields) -> Result<Value, Refusal> {
    let reference = fields.text("reference")?;
    nothing_more(query, fields)?;
    let reversed = server.reverse(&reference).map_err(|error| Refusal::field("reference", error));
    reversed.map(|()| json!({ "done": true }))
}

fn done(by_the_payer: Result<(), PayerError>, faults: &[Fault]) -> Result<Value, Refusal> {
    let field = |error: PayerError| match error {
        PayerError::Narration => Refusal::field("narration", error),
        PayerError::Amount => Refusal::field("amount", error),
        PayerError::Number => Refusal::field("number", error),
        PayerError::Fault(fault) => Refusal::field(&place_of(fault, faults), error),
    };
    by_the_payer.map(|()| json!({ "done": true })).map_err(field)
}
