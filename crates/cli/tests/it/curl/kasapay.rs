//! KasaPay's page on B2B payouts.

use super::With::{Account, Text, Told};
use super::answer::Answer;
use super::{Body, Books, Example, Fault, Mend, Page, Refusal};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../../kasapay/tests/it/fixtures/", $name))
    };
}

pub(super) const PAGE: Page = Page {
    gateway: "kasapay",
    host: "https://sandbox.api.gateway.kasapay.com",
    // The first examples ask for a token.
    door: None,
    examples: &[TOKEN, TOKEN_LINE, PAYOUT, PAYOUT_LINE, STATUS_LINE],
};

const GRANTED: Answer = Answer::new(fixture!("token.json"), &["access_token"]);
const ACCEPTED: Answer = Answer::new(fixture!("acknowledgement.json"), &["payout_reference"]);

const PRINTED_TOKEN: Fault =
    Fault::named(401, &["Unauthorized"], &[Mend::Put("xyz789abc123", Told("access_token"))]);

const TOKEN: Example = Example {
    name: "Authentication Request Payload",
    line: r#"curl -X POST https://sandbox.api.gateway.kasapay.com/v1/auth -H "Content-Type: application/json""#,
    body: Body::Stdin(fixture!("token_request.json")),
    faults: &[Fault {
        status: 400,
        refusal: Refusal::Printed(Answer::new(fixture!("token_error.json"), &[])),
        mends: &[
            Mend::Put("<your_consumer_key>", Account("consumer_key")),
            Mend::Put("<your_consumer_secret>", Account("consumer_secret")),
        ],
    }],
    answer: GRANTED,
    books: Books::Untouched,
};

const TOKEN_LINE: Example = Example {
    name: "Example Authentication Request",
    line: "curl -X POST https://sandbox.api.gateway.kasapay.com/v1/auth \\\n\
           -H \"Content-Type: application/json\"",
    body: Body::Data(fixture!("token_request_curl.json")),
    faults: &[Fault {
        status: 400,
        refusal: Refusal::Printed(Answer::new(fixture!("token_error.json"), &[])),
        mends: &[
            Mend::Put("your_consumer_key", Account("consumer_key")),
            Mend::Put("your_consumer_secret", Account("consumer_secret")),
        ],
    }],
    answer: GRANTED,
    books: Books::Untouched,
};

const PAYOUT: Example = Example {
    name: "Payout Request Payload",
    line: "curl -X POST https://sandbox.api.gateway.kasapay.com/v1/payouts/b2b/initiate \
           -H 'Content-Type: application/json' -H 'x-access-token: <access_token>'",
    body: Body::Stdin(fixture!("request.json")),
    faults: &[
        Fault::named(401, &["Unauthorized"], &[Mend::Put("<access_token>", Told("access_token"))]),
        Fault {
            status: 400,
            refusal: Refusal::Printed(Answer::new(fixture!("refusal.json"), &[])),
            mends: &[Mend::Put("SERVICE_CODE", Account("service_code"))],
        },
    ],
    answer: ACCEPTED,
    books: Books::Entered("paid", "5656", "10"),
};

/// It stays masked: the page masks the account number in its answers likewise, and forbids nothing.
const PAYOUT_LINE: Example = Example {
    name: "Example Payout Request",
    line: "curl -X POST https://sandbox.api.gateway.kasapay.com/v1/payouts/b2b/initiate \\\n\
           -H \"Content-Type: application/json\" \\\n\
           -H \"x-access-token: xyz789abc123\"",
    body: Body::Data(fixture!("request_bank.json")),
    faults: &[
        PRINTED_TOKEN,
        Fault::named(
            400,
            &["payment_method must be BANK for recipient_type BANK_ACCOUNT_NUMBER"],
            &[Mend::Put("MPESA_B2B", Text("BANK"))],
        ),
    ],
    answer: ACCEPTED,
    books: Books::Entered("paid", "08292******849", "100.00"),
};

/// What is in braces curl takes for a list of one, and so asks about a payout called `payout_reference`.
const STATUS_LINE: Example = Example {
    name: "Example Status Query Request",
    line: "curl -X GET https://sandbox.api.gateway.kasapay.com/v1/payouts/b2b/{payout_reference}/status \\\n\
           -H \"x-access-token: xyz789abc123\"",
    body: Body::None,
    faults: &[
        PRINTED_TOKEN,
        Fault::named(404, &["Payout not found"], &[Mend::Put("{payout_reference}", Text("ms83-367839"))]),
    ],
    answer: Answer::new(
        fixture!("status.json"),
        &["transaction_id", "payment_reference", "transaction_time", "account_balance"],
    ),
    books: Books::Untouched,
};

#[test]
fn each_example_gets_its_answer_or_a_refusal_that_names_its_fault() {
    if !super::is_without(&["curl"]) {
        super::run(&PAGE);
    }
}
