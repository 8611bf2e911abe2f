use malipo_core::Timestamp;

use super::record::{Happened, settle};
use super::{Stop, begin, payment};
use crate::fold::judge;
use crate::tx::Tx;
use crate::{
    Begun, Decision, Done, EventKind, Evidence, News, PaymentId, PaymentState, Raise, Refused, Resolve,
};

pub(super) async fn resolve(tx: &mut dyn Tx, resolve: Resolve, now: Timestamp) -> Result<Done, Stop> {
    let Resolve { payment: id, operator, reason, decision } = resolve;
    if !explains(&operator) || !explains(&reason) {
        return Err(Refused::Unexplained.into());
    }
    let mut payment = payment(tx, id).await?;
    // While an attempt may be on its way nobody can know better than its answer.
    if payment.state() == PaymentState::Review {
        begin::may_have(&payment, None, now)?;
    }
    let verdict = judge(&payment.standing, &Evidence::Resolved(decision.clone()));
    if verdict.standing == payment.standing {
        return Err(Refused::WrongState { state: payment.state() }.into());
    }
    let mut happened = Happened::new(EventKind::Resolved).by_operator(operator, reason);
    let mut begun = None;
    match decision {
        Decision::SendAgain(lease) => {
            begin::unflagged_beside(tx, &payment).await?;
            begin::untwinned(tx, &payment).await?;
            let operation = payment.operation;
            begin::attempt(tx, &mut payment, operation, lease, now).await?;
            begun = Some(Begun::new(payment.attempt, payment.fence));
            happened = happened.in_attempt(payment.attempt);
        }
        Decision::Paid { receipt: Some(receipt) } => payment.receipt = Some(receipt),
        Decision::Paid { receipt: None } | Decision::Failed | Decision::Keep => {}
    }
    settle(tx, &mut payment, verdict, happened, now).await?;
    Ok(Done::Resolved { state: payment.state(), begun })
}

/// One line that says something.
fn explains(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= 200 && !text.chars().any(char::is_control)
}

pub(super) async fn cancel(tx: &mut dyn Tx, id: PaymentId, now: Timestamp) -> Result<Done, Stop> {
    let mut payment = payment(tx, id).await?;
    let verdict = judge(&payment.standing, &Evidence::Cancelled);
    if verdict.standing.state == payment.state() || payment.state() != PaymentState::Recorded {
        return Err(Refused::WrongState { state: payment.state() }.into());
    }
    settle(tx, &mut payment, verdict, Happened::new(EventKind::Cancelled), now).await?;
    Ok(Done::Cancelled)
}

pub(super) async fn raise(tx: &mut dyn Tx, raise: Raise, now: Timestamp) -> Result<Done, Stop> {
    let Raise { payment: id, delivery, attention, replayed } = raise;
    let mut payment = payment(tx, id).await?;
    let verdict = judge(&payment.standing, &Evidence::Noticed(attention.clone()));
    if verdict.raised.is_none() || tx.was_noticed(payment.id, &attention).await? {
        return Ok(Done::Raised(News::Repeat));
    }
    let mut happened = Happened::new(EventKind::Noticed).by_delivery(delivery);
    happened.replayed = replayed;
    settle(tx, &mut payment, verdict, happened, now).await?;
    Ok(Done::Raised(News::New))
}
