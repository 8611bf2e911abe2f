//! The faces. Each turns a request into a reply, and work it accepted into callbacks; everything they share
//! is the [`Stage`].

pub(crate) mod daraja;
mod decimal;
pub(crate) mod kasapay;
pub(crate) mod kyanda;
pub(crate) mod sasapay;

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde::Serialize;
use serde_json::Value;

use crate::fault::Faults;
use crate::world::{Stage, plain};
use daraja::{Daraja, DarajaAccount};
use kasapay::{KasaPay, KasaPayAccount};
use kyanda::{Kyanda, KyandaAccount};
use sasapay::{SasaPay, SasaPayAccount};

pub(crate) use decimal::{plain_decimal, positive_decimal};

/// The gateways the simulator plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Gateway {
    /// Safaricom Daraja: M-PESA B2C.
    Daraja,
    /// KasaPay: B2B payouts.
    KasaPay,
    /// SasaPay: C2B collections.
    SasaPay,
    /// Kyanda: payouts, collections, airtime, bills, vouchers.
    Kyanda,
    /// One more, for tests of what gateways share.
    #[cfg(test)]
    Elsewhere,
}

/// What a call asks a gateway for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// A token for the other calls.
    Token,
    /// To pay somebody.
    PayOut,
    /// To be paid by somebody.
    Collect,
    /// To go on with a collection, now that its payer has given a code.
    Confirm,
    /// What became of a payment.
    Status,
    /// What the merchant's accounts hold.
    Balance,
    /// What one transaction of the gateway's was.
    Verify,
    /// Airtime or data for a phone.
    Airtime,
    /// To pay somebody's bill.
    Bill,
    /// A voucher with a PIN.
    Voucher,
    /// Where to post callbacks from now on.
    RegisterCallback,
}

impl Gateway {
    /// What it can be asked for: each operation once, in the order of its paths.
    pub fn operations(self) -> Vec<Operation> {
        let mut operations: Vec<_> = self.paths().into_iter().map(|(_, operation)| operation).collect();
        operations.dedup();
        operations
    }

    /// Whether a callback may come of such a call.
    pub(crate) fn tells_of(self, operation: Operation) -> bool {
        let told = match self {
            Self::Daraja => daraja::TOLD,
            Self::KasaPay => kasapay::TOLD,
            Self::SasaPay => sasapay::TOLD,
            Self::Kyanda => kyanda::TOLD,
            #[cfg(test)]
            Self::Elsewhere => &[],
        };
        told.contains(&operation)
    }

    fn paths(self) -> Vec<(&'static str, Operation)> {
        match self {
            Self::Daraja => daraja::PATHS.to_vec(),
            Self::KasaPay => kasapay::PATHS.to_vec(),
            Self::SasaPay => sasapay::PATHS.to_vec(),
            Self::Kyanda => {
                kyanda::PATHS.iter().map(|(path, endpoint)| (*path, endpoint.operation())).collect()
            }
            #[cfg(test)]
            Self::Elsewhere => Vec::new(),
        }
    }
}

/// What can be told of a request before the gateway has looked at it.
#[derive(Debug)]
pub(crate) struct Call {
    /// `None` when no face claims the path.
    pub(crate) gateway: Option<Gateway>,
    pub(crate) operation: Option<Operation>,
    /// The caller's reference, when the gateway takes one and it could be read.
    pub(crate) reference: Option<String>,
    /// Who is to be paid, or to pay, as [`MAGIC_PAYEES`](crate::MAGIC_PAYEES) spells numbers, however the gateway does:
    /// the face sees to it.
    pub(crate) payee: Option<String>,
}

impl Call {
    /// Asks each face in turn whether the path is one of its own.
    pub(crate) fn read(request: &Request<Bytes>) -> Self {
        let nobodys = Self { gateway: None, operation: None, reference: None, payee: None };
        daraja::recognise(request)
            .or_else(|| kasapay::recognise(request))
            .or_else(|| sasapay::recognise(request))
            .or_else(|| kyanda::recognise(request))
            .unwrap_or(nobodys)
    }
}

/// A gateway's own reply, before any fault has got at it.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) response: Response<Bytes>,
    /// Why the gateway refused, in words that hold no secret.
    pub(crate) refused: Option<String>,
}

/// A call that a gateway accepted and has yet to get round to.
#[derive(Debug)]
pub(crate) enum Work {
    Daraja(Box<daraja::Work>),
    KasaPay(kasapay::Work),
    SasaPay(Box<sasapay::Work>),
    Kyanda(kyanda::Work),
}

/// The merchant's account at each gateway.
#[derive(Clone)]
pub(crate) struct Accounts {
    pub(crate) daraja: Arc<DarajaAccount>,
    pub(crate) kasapay: Arc<KasaPayAccount>,
    pub(crate) sasapay: Arc<SasaPayAccount>,
    pub(crate) kyanda: Arc<KyandaAccount>,
}

/// The faces, with what each remembers.
pub(crate) struct Faces {
    daraja: Daraja,
    pub(crate) kasapay: KasaPay,
    pub(crate) sasapay: SasaPay,
    kyanda: Kyanda,
}

impl Faces {
    pub(crate) fn open(accounts: &Accounts, stage: &mut Stage) -> Self {
        Self {
            daraja: Daraja::open(Arc::clone(&accounts.daraja), stage),
            kasapay: KasaPay::open(Arc::clone(&accounts.kasapay), stage),
            sasapay: SasaPay::open(Arc::clone(&accounts.sasapay), stage),
            kyanda: Kyanda::open(Arc::clone(&accounts.kyanda), stage),
        }
    }

    /// Puts a request to the gateway it is meant for.
    pub(crate) fn answer(
        &mut self,
        stage: &mut Stage,
        request: &Request<Bytes>,
        call: &Call,
        faults: &Faults,
    ) -> Reply {
        match call.gateway {
            Some(Gateway::Daraja) => self.daraja.answer(stage, request, call, faults),
            Some(Gateway::KasaPay) => self.kasapay.answer(stage, request, call, faults),
            Some(Gateway::SasaPay) => self.sasapay.answer(stage, request, call, faults),
            Some(Gateway::Kyanda) => self.kyanda.answer(stage, request, faults),
            #[cfg(test)]
            Some(Gateway::Elsewhere) => no_such_path(),
            None => no_such_path(),
        }
    }

    /// Gets round to a call accepted earlier.
    pub(crate) fn perform(&mut self, stage: &mut Stage, work: Work) {
        match work {
            Work::Daraja(work) => self.daraja.perform(stage, *work),
            Work::KasaPay(work) => self.kasapay.perform(stage, work),
            Work::SasaPay(work) => self.sasapay.perform(stage, *work),
            Work::Kyanda(work) => self.kyanda.perform(stage, &work),
        }
    }
}

/// HTTP 503 in the words of `gateway`.
pub(crate) fn unavailable(gateway: Gateway) -> Response<Bytes> {
    match gateway {
        Gateway::Daraja => daraja::unavailable(),
        Gateway::KasaPay => kasapay::unavailable(),
        Gateway::SasaPay => sasapay::unavailable(),
        Gateway::Kyanda => kyanda::unavailable(),
        #[cfg(test)]
        Gateway::Elsewhere => daraja::unavailable(),
    }
}

/// The simulator's own answer, since no gateway is asked.
fn no_such_path() -> Reply {
    let paths = Gateway::ALL.iter().flat_map(|gateway| gateway.paths());
    let paths = paths.map(|(path, _)| path).collect::<Vec<_>>().join("\n");
    let body = format!("No simulated gateway has this path. These exist:\n{paths}\n");
    let response = plain(StatusCode::NOT_FOUND, "text/plain", body.into());
    Reply { response, refused: Some("no gateway has such a path".into()) }
}

/// What is wrong with a body that is no JSON object: also where, if it is no JSON at all. Nothing that stands there is
/// repeated: it may be a secret.
pub(crate) fn no_object(body: &[u8]) -> String {
    let rule = "the body must be one JSON object";
    match serde_json::from_slice::<Value>(body) {
        Err(error) => format!("{rule}: {error}"),
        Ok(_) => rule.to_owned(),
    }
}

/// A response with a JSON body.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response<Bytes> {
    plain(status, "application/json", json_bytes(body))
}

pub(crate) fn json_bytes(body: &impl Serialize) -> Bytes {
    // Only maps with keys that are no strings, and failing Serialize impls, fail; there are none here.
    serde_json::to_vec(body).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_gateway_names_each_of_its_operations_once_and_tells_of_no_other() {
        for gateway in Gateway::ALL {
            let operations = gateway.operations();
            assert_eq!(operations.iter().collect::<BTreeSet<_>>().len(), operations.len(), "{gateway}");
            for operation in Operation::ALL {
                assert!(
                    operations.contains(operation) || !gateway.tells_of(*operation),
                    "{gateway} {operation}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_object_is_told_with_its_place_and_without_its_words() {
        for (body, place) in [
            ("", ": EOF while parsing a value at line 1 column 0"),
            ("{\"Amount\":\"10\"\n\"PartyA\":\"600996\"}", ": expected `,` or `}` at line 2 column 1"),
            ("{\"PIN\":\"0000\",}", ": trailing comma at line 1 column 15"),
            ("{\u{201c}PIN\u{201d}:\"0000\"}", ": key must be a string at line 1 column 2"),
            ("[\"0000\"]", ""),
            ("\"0000\"", ""),
        ] {
            assert_eq!(
                no_object(body.as_bytes()),
                format!("the body must be one JSON object{place}"),
                "{body}"
            );
        }
    }
}
