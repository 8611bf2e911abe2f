//! Daraja's shapes, spelled as Daraja spells them (Safaricom's B2C page, read 2026-11-22; the queries as public
//! copies of the portal print them).

use malipo_core::{Scalar, lenient, object, one_or_many};

pub(crate) const TOKEN_PATH: &str = "/oauth/v1/generate";
pub(crate) const PAYMENT_PATH: &str = "/mpesa/b2c/v3/paymentrequest";
pub(crate) const STATUS_PATH: &str = "/mpesa/transactionstatus/v1/query";
pub(crate) const BALANCE_PATH: &str = "/mpesa/accountbalance/v1/query";

/// The type of identifier that an organisation's shortcode is.
pub(crate) const SHORTCODE_IDENTIFIER: &str = "4";

#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PaymentRequest<'a> {
    #[serde(rename = "OriginatorConversationID")]
    pub(crate) originator_conversation_id: &'a str,
    pub(crate) initiator_name: &'a str,
    pub(crate) security_credential: &'a str,
    #[serde(rename = "CommandID")]
    pub(crate) command_id: &'static str,
    pub(crate) amount: String,
    pub(crate) party_a: &'a str,
    pub(crate) party_b: String,
    pub(crate) remarks: &'a str,
    #[serde(rename = "QueueTimeOutURL")]
    pub(crate) queue_time_out_url: &'a str,
    #[serde(rename = "ResultURL")]
    pub(crate) result_url: &'a str,
    /// With two `c` and two `s`, here and only here.
    #[serde(rename = "Occassion", skip_serializing_if = "Option::is_none")]
    pub(crate) occasion: Option<&'a str>,
}

/// A question: what became of a payment, or what our balances are.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Query<'a> {
    pub(crate) initiator: &'a str,
    pub(crate) security_credential: &'a str,
    #[serde(rename = "CommandID")]
    pub(crate) command_id: &'static str,
    #[serde(rename = "TransactionID", skip_serializing_if = "Option::is_none")]
    pub(crate) transaction_id: Option<&'a str>,
    #[serde(rename = "OriginalConversationID", skip_serializing_if = "Option::is_none")]
    pub(crate) original_conversation_id: Option<&'a str>,
    pub(crate) party_a: &'a str,
    pub(crate) identifier_type: &'static str,
    #[serde(rename = "ResultURL")]
    pub(crate) result_url: &'a str,
    #[serde(rename = "QueueTimeOutURL")]
    pub(crate) queue_time_out_url: &'a str,
    pub(crate) remarks: &'a str,
}

#[derive(serde::Deserialize)]
pub(crate) struct TokenReply {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) access_token: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) expires_in: Option<Scalar>,
}

/// Every immediate answer: an acknowledgement, an error, or a fault of the proxy in front of Daraja. Codes are read
/// strictly: one of an odd shape is no code that is absent.
#[derive(serde::Deserialize)]
pub(crate) struct Reply {
    #[serde(rename = "ConversationID", default, deserialize_with = "lenient")]
    pub(crate) conversation_id: Option<Scalar>,
    #[serde(
        rename = "OriginatorConversationID",
        alias = "OriginatorCoversationID",
        default,
        deserialize_with = "lenient"
    )]
    pub(crate) originator_conversation_id: Option<Scalar>,
    #[serde(rename = "ResponseCode")]
    pub(crate) response_code: Option<Scalar>,
    #[serde(rename = "ResponseDescription", default, deserialize_with = "lenient")]
    pub(crate) response_description: Option<Scalar>,
    #[serde(rename = "requestId", default, deserialize_with = "lenient")]
    pub(crate) request_id: Option<Scalar>,
    #[serde(rename = "errorCode")]
    pub(crate) error_code: Option<Scalar>,
    #[serde(rename = "errorMessage", default, deserialize_with = "lenient")]
    pub(crate) error_message: Option<Scalar>,
    #[serde(default, deserialize_with = "object")]
    pub(crate) fault: Option<Fault>,
}

#[derive(serde::Deserialize)]
pub(crate) struct Fault {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) faultstring: Option<Scalar>,
    #[serde(default, deserialize_with = "object")]
    pub(crate) detail: Option<FaultDetail>,
}

#[derive(serde::Deserialize)]
pub(crate) struct FaultDetail {
    pub(crate) errorcode: Option<Scalar>,
}

/// What is posted to us, if it is an object at all. The id at the top is there when a queue timeout only echoes our request.
#[derive(Default, serde::Deserialize)]
pub(crate) struct Posted {
    #[serde(rename = "Result", default, deserialize_with = "lenient")]
    pub(crate) result: Option<Outcome>,
    #[serde(rename = "OriginatorConversationID", default, deserialize_with = "lenient")]
    pub(crate) originator_conversation_id: Option<Scalar>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Outcome {
    /// Read strictly: whether more messages follow must never be guessed.
    pub(crate) result_type: Option<Scalar>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) result_code: Option<Scalar>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) result_desc: Option<Scalar>,
    #[serde(rename = "OriginatorConversationID", default, deserialize_with = "lenient")]
    pub(crate) originator_conversation_id: Option<Scalar>,
    #[serde(rename = "ConversationID", default, deserialize_with = "lenient")]
    pub(crate) conversation_id: Option<Scalar>,
    #[serde(rename = "TransactionID", default, deserialize_with = "lenient")]
    pub(crate) transaction_id: Option<Scalar>,
    #[serde(default, deserialize_with = "lenient")]
    result_parameters: Option<Parameters>,
}

#[derive(serde::Deserialize)]
struct Parameters {
    #[serde(rename = "ResultParameter", default, deserialize_with = "one_or_many")]
    list: Vec<Parameter>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    #[serde(default, deserialize_with = "lenient")]
    key: Option<Scalar>,
    #[serde(default, deserialize_with = "lenient")]
    value: Option<Scalar>,
}

impl Outcome {
    /// The one filled value of a parameter; none if it comes with two. Keys sometimes hold spaces, as `Conversation ID`.
    pub(crate) fn parameter<'a>(&'a self, key: &'a str) -> Option<&'a str> {
        let mut values = self.parameters(key);
        let first = values.next()?;
        values.all(|value| value == first).then_some(first)
    }

    /// Every filled value of a parameter, as a key may come twice.
    pub(crate) fn parameters<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        let list =
            self.result_parameters.as_ref().map(|parameters| parameters.list.as_slice()).unwrap_or_default();
        let named = move |parameter: &&Parameter| {
            let name = parameter.key.as_ref().map(Scalar::as_str).unwrap_or_default();
            name.chars().filter(|character| *character != ' ').eq(key.chars())
        };
        list.iter().filter(named).filter_map(|parameter| parameter.value.as_ref()?.filled())
    }
}

/// The names of result parameters, without spaces.
pub(crate) mod parameter {
    pub(crate) const AMOUNT: &str = "TransactionAmount";
    pub(crate) const RECEIPT: &str = "TransactionReceipt";
    pub(crate) const REGISTERED: &str = "B2CRecipientIsRegisteredCustomer";
    pub(crate) const RECEIVER: &str = "ReceiverPartyPublicName";
    pub(crate) const COMPLETED_AT: &str = "TransactionCompletedDateTime";
    /// Each with the name that the answer to a question about balances gives the account.
    pub(crate) const FUNDS: &[(&str, &str)] = &[
        ("B2CUtilityAccountAvailableFunds", "Utility Account"),
        ("B2CWorkingAccountAvailableFunds", "Working Account"),
        ("B2CChargesPaidAccountAvailableFunds", "Charges Paid Account"),
    ];
    pub(crate) const STATUS: &str = "TransactionStatus";
    pub(crate) const STATUS_AMOUNT: &str = "Amount";
    pub(crate) const STATUS_RECEIPT: &str = "ReceiptNo";
    pub(crate) const STATUS_CONVERSATION: &str = "ConversationID";
    pub(crate) const STATUS_ORIGINATOR: &str = "OriginatorConversationID";
    pub(crate) const STATUS_FINALISED: &str = "FinalisedTime";
    pub(crate) const STATUS_CREDIT_PARTY: &str = "CreditPartyName";
    pub(crate) const STATUS_DEBIT_PARTY: &str = "DebitPartyName";
    pub(crate) const STATUS_CHARGES: &str = "DebitPartyCharges";
    pub(crate) const BALANCE: &str = "AccountBalance";
    pub(crate) const BALANCE_COMPLETED_AT: &str = "BOCompletedTime";
}
