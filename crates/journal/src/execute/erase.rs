use malipo_core::Timestamp;

use super::Stop;
use super::record::{Happened, settle};
use crate::fold::Verdict;
use crate::tx::{Select, Tx};
use crate::{Done, Erase, EventKind};

/// Erases names, numbers, words and bodies of payments that are over and that nobody has to look at. What was paid,
/// when, under which names, stays. Likewise of deliveries of nobody, and of credits.
pub(super) async fn erase(tx: &mut dyn Tx, erase: Erase, now: Timestamp) -> Result<Done, Stop> {
    let over = tx.payments(&Select::Erasable { before: erase.before }, erase.limit).await?;
    let mut payments = 0;
    for mut payment in over {
        tx.erase_beside(payment.id).await?;
        (payment.instruction, payment.fingerprint) = (None, None);
        let verdict = Verdict { standing: payment.standing.clone(), raised: None };
        settle(tx, &mut payment, verdict, Happened::new(EventKind::Erased), now).await?;
        payments += 1;
    }
    let deliveries = tx.erase_deliveries(erase.before, erase.limit).await?;
    let credits = tx.erase_credits(erase.before, erase.limit).await?;
    Ok(Done::Erased { payments, deliveries, credits })
}
