use http::Uri;

use super::fields::Fields;
use super::refusal::Refusal;
use super::result::Failure;
use super::{DIGITS, Daraja, HEX};
use crate::eat;
use crate::world::Stage;

/// Initiator or credential are not as they should be. Told by callback, not on the spot (Safaricom B2C page,
/// read 2026-11-22).
pub(super) const UNAUTHORISED: Failure =
    Failure { code: "2001", text: "The initiator information is invalid." };

/// Whether the operator may order anything, which only the core system finds out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Authority {
    Granted,
    Denied,
}

/// What every accepted call has: its names, its callbacks, and whether its initiator was right.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) originator: String,
    pub(super) conversation: String,
    pub(super) result_url: Uri,
    pub(super) timeout_url: Uri,
    pub(super) authority: Authority,
    pub(super) lane: u64,
}

impl Daraja {
    /// Reads what all calls have in common. `initiator` is the field that names the operator: it differs
    /// between the calls. Without an `originator` the gateway makes one up.
    pub(super) fn read_order(
        &mut self,
        stage: &mut Stage,
        fields: &Fields,
        initiator: &str,
        originator: Option<String>,
    ) -> Result<Order, Refusal> {
        let operator = fields.text(initiator)?;
        let credential = fields.text("SecurityCredential")?;
        if fields.digits("PartyA")? != self.account.shortcode() {
            return Err(Refusal::field("PartyA", "it is not the shortcode of this account"));
        }
        fields.sentence("Remarks", 2, 100)?;
        let timeout_url = fields.url("QueueTimeOutURL")?;
        let result_url = fields.url("ResultURL")?;
        let trusted = operator == self.account.initiator() && self.trusts(&credential);
        let authority = if trusted { Authority::Granted } else { Authority::Denied };
        let date = eat::compact_date(stage.now());
        let dice = &mut stage.dice;
        let conversation = format!("AG_{date}_{}", dice.text(HEX, 20));
        let originator =
            originator.unwrap_or_else(|| format!("{}-{}-1", dice.text(DIGITS, 5), dice.text(DIGITS, 8)));
        let lane = stage.new_lane();
        Ok(Order { originator, conversation, result_url, timeout_url, authority, lane })
    }

    fn trusts(&mut self, credential: &str) -> bool {
        if self.trusted.as_deref() == Some(credential) {
            return true;
        }
        let password = self.account.key().decrypt(credential);
        let good = password.is_some_and(|password| password == self.account.initiator_password().as_bytes());
        if good {
            self.trusted = Some(credential.to_owned());
        }
        good
    }
}
