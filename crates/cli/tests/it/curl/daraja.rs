//! Safaricom's page on M-PESA B2C. It prints no command line.

use serde_json::Value;

use super::With::{Credential, Text, Told};
use super::answer::Answer;
use super::client::Client;
use super::{Body, Books, Example, Fault, Mend, Page, Refusal};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../../daraja/tests/it/fixtures/", $name))
    };
}

pub(super) const PAGE: Page = Page {
    gateway: "daraja",
    host: "https://sandbox.safaricom.co.ke",
    door: Some(
        "curl -u '{consumer_key}:{consumer_secret}' \
         'https://sandbox.safaricom.co.ke/oauth/v1/generate?grant_type=client_credentials'",
    ),
    examples: &[PAYMENT],
};

const PAYMENT: Example = Example {
    name: "Request Body",
    // The token is the one in the page's printed refusal.
    line: "curl -X POST https://sandbox.safaricom.co.ke/mpesa/b2c/v3/paymentrequest \
           -H 'Authorization: Bearer BJGFGOXv5aZnw90KkA4TDtu4Xdyf' -H 'Content-Type: application/json'",
    body: Body::Stdin(fixture!("request.json")),
    faults: &[
        PRINTED_TOKEN,
        Fault::named(400, &["expected `,` or `}` at line 7 column 4"], &[AMOUNT]),
        // What is wrong with the credential is told later: see the test of it.
        Fault::named(
            400,
            &["expected `,` or `}` at line 9 column 4"],
            &[PARTY, Mend::Put(CREDENTIAL, Credential)],
        ),
    ],
    answer: ACCEPTED,
    books: Books::Entered("paid", "254728762287", "10"),
};

const CODE: &str = "2001";
const WORDS: &str = "The initiator information is invalid.";

/// The same, with the credential as it is printed.
const UNAUTHORISED: Example = Example {
    faults: &[
        PRINTED_TOKEN,
        Fault::named(400, &["expected `,` or `}` at line 7 column 4"], &[AMOUNT]),
        Fault::named(400, &["expected `,` or `}` at line 9 column 4"], &[PARTY]),
    ],
    books: Books::Refused(CODE, WORDS),
    ..PAYMENT
};

const ACCEPTED: Answer =
    Answer::new(fixture!("acknowledgement.json"), &["ConversationID", "OriginatorConversationID"]);
const AMOUNT: Mend = Mend::Put(r#""Amount":"10""#, Text(r#""Amount":"10","#));
const PARTY: Mend = Mend::Put(r#""PartyB":"254728762287""#, Text(r#""PartyB":"254728762287","#));
const CREDENTIAL: &str = "EsJocK7+NjqZPC3I3EO+TbvS+xVb9TymWwaKABoaZr/Z/n0UysSs..";
const PRINTED_TOKEN: Fault = Fault {
    status: 401,
    refusal: Refusal::Printed(Answer::new(fixture!("error.json"), &["requestId"])),
    mends: &[Mend::Put("BJGFGOXv5aZnw90KkA4TDtu4Xdyf", Told("access_token"))],
};

#[test]
fn each_example_gets_its_answer_or_a_refusal_that_names_its_fault() {
    if !super::is_without(&["curl", "openssl"]) {
        super::run(&PAGE);
    }
}

/// As the page says: the call is accepted, and the printed result of a payment that failed says why nobody is paid.
#[test]
fn a_printed_credential_is_found_out_once_the_call_is_accepted() {
    let result: Value = serde_json::from_str(fixture!("result_failure.json")).unwrap();
    let told = (result["Result"]["ResultCode"].to_string(), &result["Result"]["ResultDesc"]);
    assert_eq!(told, (CODE.to_owned(), &Value::from(WORDS)));
    if !super::is_without(&["curl"]) {
        super::attempt(&mut Client::start(&PAGE), &UNAUTHORISED);
    }
}
