//! SasaPay's page on C2B collections. It prints headers and bodies, and no command line.

use super::With::{Account, Code, Text, Told};
use super::answer::Answer;
use super::{Body, Books, Example, Fault, Mend, Page};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../../sasapay/tests/it/fixtures/", $name))
    };
}

pub(super) const PAGE: Page = Page {
    gateway: "sasapay",
    host: "https://sandbox.sasapay.app",
    door: Some(
        "curl -u '{client_id}:{client_secret}' \
         'https://sandbox.sasapay.app/api/v1/auth/token/?grant_type=client_credentials'",
    ),
    examples: &[WALLET, CONFIRMATION, MOBILE],
};

const REQUEST: &str = "curl -X POST https://sandbox.sasapay.app/api/v1/payments/request-payment/ \
                       -H 'Authorization: Bearer Q1k2RW5SOGlsYUZnRzNGMk1DNlE1T1gzemFtY' \
                       -H 'Content-Type: application/json'";

const PRINTED_TOKEN: Fault = Fault::named(
    401,
    &["Invalid or expired access token"],
    &[Mend::Put("Q1k2RW5SOGlsYUZnRzNGMk1DNlE1T1gzemFtY", Told("access_token"))],
);

/// Both requests are masked in the same three places.
const MASKED: [Fault; 2] = [
    Fault::named(
        400,
        &[r#""PhoneNumber":["This must be a Kenyan mobile number"#, r#""CallBackURL":["Enter a valid URL"#],
        &[
            Mend::Put("25470*****80", Text("254700000080")),
            Mend::Put("https://******1", Text("https://shop.example/1")),
        ],
    ),
    Fault::named(
        400,
        &["MerchantCode is not that of this account"],
        &[Mend::Put("60***0", Account("merchant_code"))],
    ),
];

const REQUESTED: [&str; 4] =
    ["MerchantRequestID", "CheckoutRequestID", "TransactionReference", "CustomerMessage"];

const WALLET: Example = Example {
    name: "C2B Payment Request from SasaPay User",
    line: REQUEST,
    body: Body::Stdin(fixture!("request_wallet.json")),
    faults: {
        let [masked, other_merchant] = MASKED;
        &[PRINTED_TOKEN, masked, other_merchant]
    },
    answer: Answer::new(fixture!("response_wallet.json"), &REQUESTED),
    books: Books::Entered("accepted", "254700000080", "1.00"),
};

const CONFIRMATION: Example = Example {
    name: "Process Payment",
    line: "curl -X POST https://sandbox.sasapay.app/api/v1/payments/process-payment/ \
           -H 'Authorization: Bearer Q1k2RW5SOGlsYUZnRzNGMk1DNlE1T1gzemFtY' \
           -H 'Content-Type: application/json'",
    body: Body::Stdin(fixture!("request_process.json")),
    faults: &[
        PRINTED_TOKEN,
        Fault::named(
            404,
            &["No such transaction was found"],
            &[Mend::Put("5fb0db20-2550-4612-bb7d-71bf0a4e25f6", Told("CheckoutRequestID"))],
        ),
        Fault::named(
            400,
            &["VerificationCode is not the one sent to the payer"],
            &[Mend::Put("525474", Code)],
        ),
    ],
    answer: Answer::new(fixture!("response_process.json"), &[]),
    books: Books::Settled,
};

/// The reference is that of the first example. It is another payment all the same.
const MOBILE: Example = Example {
    name: "C2B Payment Request from Mobile Money",
    line: REQUEST,
    body: Body::Stdin(fixture!("request_mobile.json")),
    faults: WALLET.faults,
    answer: Answer::new(fixture!("response_mobile.json"), &REQUESTED),
    books: Books::Entered("paid", "254700000080", "1.00"),
};

#[test]
fn each_example_gets_its_answer_or_a_refusal_that_names_its_fault() {
    if !super::is_without(&["curl"]) {
        super::run(&PAGE);
    }
}
