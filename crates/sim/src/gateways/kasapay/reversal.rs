//! Payouts that KasaPay takes back.

use std::time::Duration;

use http::HeaderMap;

use super::{KasaPay, told};
use crate::gateways::Gateway;
use crate::notify::{Callback, When};
use crate::world::Stage;

/// The page's code and words for it.
const REVERSED: &str = "702";
const WORDS: &str = "Payout was reversed";

/// Why a payout cannot be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReversalError {
    /// No payout has this reference.
    #[error("KasaPay has no payout with this reference")]
    Unknown,
    /// It is still to be decided, or it failed, or it was taken back before.
    #[error("the payout with this reference is not paid, so there is nothing to take back")]
    NotPaid,
}

impl KasaPay {
    /// Takes a paid payout back whole, and tells the merchant.
    pub(crate) fn reverse(&mut self, stage: &mut Stage, reference: &str) -> Result<(), ReversalError> {
        let payout = self.payouts.get_mut(reference).ok_or(ReversalError::Unknown)?;
        let at = stage.now();
        stage.ledger.reverse(payout.payment, REVERSED, WORDS, at).map_err(|_| ReversalError::NotPaid)?;
        let payment = stage.ledger.payment(payout.payment).ok_or(ReversalError::Unknown)?;
        let held = payout.held(stage);
        let body = told::body(payout, payment, held);
        payout.held_after = Some(held);
        let (url, headers) = (&payout.callback_url, HeaderMap::new());
        let callback = Callback::json(Gateway::KasaPay, reference, payout.lane, url, headers, body);
        stage.tell(stage.monotonic(), When::After(Duration::ZERO), callback);
        Ok(())
    }
}
