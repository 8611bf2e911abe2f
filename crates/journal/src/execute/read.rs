use malipo_core::Report;

use crate::tx::Tx;
use crate::{JournalError, PaymentId, stored};

/// The reports of a payment, put together from where their parts are kept.
pub(crate) async fn reports(tx: &mut dyn Tx, payment: PaymentId) -> Result<Vec<Report>, JournalError> {
    let mut reports = Vec::new();
    for record in tx.reports(payment).await? {
        let Some(kept) = &record.report else { continue };
        let mut report = stored::read_report(kept)?;
        if let Some(goods) = &record.goods {
            report.goods = stored::read_goods(goods)?;
        }
        report.raw = record.raw.unwrap_or_default();
        reports.push(report);
    }
    Ok(reports)
}
