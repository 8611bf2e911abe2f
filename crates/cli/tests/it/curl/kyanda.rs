//! Kyanda's merchant page. It prints requests as they go on the wire, every one to the path of the first, and under
//! digests that no key and no concatenation on the page lead to.

use super::With::{Account, Text, Told};
use super::answer::Answer;
use super::{Body, Books, Example, Fault, Mend, Page};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../../kyanda/tests/it/fixtures/", $name))
    };
}

pub(super) const PAGE: Page = Page {
    gateway: "kyanda",
    host: "{GatewayBaseURL}",
    // The key is shown with each request.
    door: None,
    // The check is moved behind the payout that its printed answer tells of.
    examples: &[BALANCE, MOBILE_PAYOUT, BANK_PAYOUT, CHECK, CHECKOUT, AIRTIME, BILL, VOUCHER, REGISTRATION],
};

const LINE: &str = "curl -X POST {GatewayBaseURL}/billing/v1/account-balance \
                    -H 'apiKey: {api-key}' -H 'Content-Type: application/json'";

const KEY: Fault = Fault::named(
    400,
    &["1102", "the header apiKey holds no key known here"],
    &[Mend::Put("{api-key}", Account("api_key"))],
);

const MERCHANT: &str = "/MerchantID";

const BALANCE: Example = Example {
    name: "Check Account Balance",
    line: LINE,
    body: Body::Stdin(fixture!("balance_request.json")),
    faults: &[KEY, Fault::named(400, &["of MerchantID, each"], &[Mend::Sign(&[MERCHANT])])],
    answer: Answer {
        printed: fixture!("balance.json"),
        misprints: &[(r#":"Account_Bal""#, r#""Account_Bal""#), (r#":"Earnings_Bal""#, r#""Earnings_Bal""#)],
        varies: &["Account_Bal", "Earnings_Bal"],
    },
    books: Books::Untouched,
};

const MOBILE_PAYOUT: Example = Example {
    name: "Mobile Wallet Payout API",
    line: LINE,
    body: Body::Stdin(fixture!("mobile_payout_request.json")),
    faults: &[
        KEY,
        Fault::named(
            400,
            &["unknown to this path: destination, source"],
            &[to("/billing/v3/mobile-payout/create")],
        ),
        Fault::named(
            400,
            &["of destination.amount + destination.destinationPhone + source.initiatorName"],
            &[Mend::Sign(&[
                "/destination/amount",
                "/destination/destinationPhone",
                "/source/initiatorName",
                "/source/initiatorCountry",
                "/destination/channel",
                MERCHANT,
            ])],
        ),
    ],
    answer: Answer::new(fixture!("mobile_payout.json"), &["merchant_reference"]),
    books: Books::Entered("paid", "0715330000", "1500"),
};

const BANK_PAYOUT: Example = Example {
    name: "Bank Payout API",
    line: LINE,
    body: Body::Stdin(fixture!("bank_payout_request.json")),
    faults: &[
        KEY,
        Fault::named(
            400,
            &["unknown to this path: destination, source"],
            &[to("/billing/v3/bank-payout/create")],
        ),
        Fault::named(
            400,
            &["of destination.amount + destination.accountNumber + destination.phoneNumber"],
            &[Mend::Sign(&[
                "/destination/amount",
                "/destination/accountNumber",
                "/destination/phoneNumber",
                "/destination/bankCode",
                "/source/initiatorName",
                "/source/initiatorCountry",
                MERCHANT,
            ])],
        ),
    ],
    answer: Answer::new(fixture!("bank_payout.json"), &["merchant_reference"]),
    books: Books::Entered("paid", "2042581154", "1500"),
};

const CHECK: Example = Example {
    name: "Check Transaction Status",
    line: LINE,
    body: Body::Stdin(fixture!("check_request.json")),
    faults: &[
        KEY,
        Fault::named(400, &["unknown to this path: transactionRef"], &[to("/billing/v1/transaction-check")]),
        Fault::named(400, &["of MerchantID + transactionRef, each"], &[SIGN_CHECK]),
        Fault::named(
            400,
            &["7001", "transactionRef was given to no payment"],
            &[Mend::Put("kyanda-API1089772", Told("merchant_reference")), SIGN_CHECK],
        ),
    ],
    answer: Answer {
        printed: fixture!("check.json"),
        misprints: &[
            ("\u{201c}", "\""),
            ("\u{201d}", "\""),
            ("},\n\n    }", "}}"),
            // It is printed twice. The second is taken for the code that notifications have beside it.
            ("\"status\": \"Success\",\n    \"status\"", "\"status\": \"Success\", \"status_code\""),
        ],
        varies: &["details.details", "details.status_code", "details.transactionFee"],
    },
    books: Books::Untouched,
};

const SIGN_CHECK: Mend = Mend::Sign(&[MERCHANT, "/transactionRef"]);

const CHECKOUT: Example = Example {
    name: "Mobile Checkout",
    line: LINE,
    body: Body::Stdin(fixture!("checkout_request.json")),
    faults: &[
        KEY,
        Fault::named(
            400,
            &["1109", "expected `,` or `}` at line 7 column 6"],
            &[Mend::Put("\"metadata\":\n", Text("\"metadata\":{\n"))],
        ),
        Fault::named(
            400,
            &["1109", "trailing comma at line 8 column 2"],
            &[Mend::Put(r#""abc":"balloon","#, Text(r#""abc":"balloon""#))],
        ),
        Fault::named(
            400,
            &["unknown to this path: amount, channel, metadata, phoneNumber"],
            &[to("/billing/v1/checkout/create")],
        ),
        Fault::named(
            400,
            &["of amount + phoneNumber + channel + MerchantID, each"],
            &[Mend::Sign(&["/amount", "/phoneNumber", "/channel", MERCHANT])],
        ),
    ],
    answer: Answer::new(fixture!("checkout.json"), &["merchant_reference"]),
    books: Books::Entered("paid", "0715330000", "1500"),
};

const AIRTIME: Example = Example {
    name: "Airtime API",
    line: LINE,
    body: Body::Stdin(fixture!("airtime_request.json")),
    faults: &[
        KEY,
        Fault::named(
            400,
            &["unknown to this path: amount, initiatorPhone, phoneNumber, telco"],
            &[to("/billing/v1/airtime/create")],
        ),
        Fault::named(
            400,
            &["not sent: phone; sent, but unknown to this path: phoneNumber"],
            &[Mend::Put("phoneNumber", Text("phone"))],
        ),
        Fault::named(400, &["of amount + phone + telco + initiatorPhone + MerchantID, each"], &[SIGN_PHONE]),
    ],
    answer: Answer::new(fixture!("airtime.json"), &["merchant_reference"]),
    books: Books::Entered("paid", "0715330000", "1500"),
};

const SIGN_PHONE: Mend = Mend::Sign(&["/amount", "/phone", "/telco", "/initiatorPhone", MERCHANT]);

const BILL: Example = Example {
    name: "Pay Bill API",
    line: LINE,
    body: Body::Stdin(fixture!("bill_request.json")),
    faults: &[
        KEY,
        Fault::named(
            400,
            &["unknown to this path: amount, initiatorPhone, phoneNumber, telco"],
            &[to("/billing/v1/bill/create")],
        ),
        Fault::named(
            400,
            &["not sent: account; sent, but unknown to this path: phoneNumber"],
            &[Mend::Put("phoneNumber", Text("account"))],
        ),
        Fault::named(
            400,
            &["of amount + account + telco + initiatorPhone + MerchantID, each"],
            &[Mend::Sign(&["/amount", "/account", "/telco", "/initiatorPhone", MERCHANT])],
        ),
    ],
    answer: Answer::new(fixture!("bill.json"), &["transactionId"]),
    books: Books::Entered("paid", "0715330000", "1500"),
};

const VOUCHER: Example = Example {
    name: "Voucher/Pin Airtime API",
    line: LINE,
    body: Body::Stdin(fixture!("voucher_request.json")),
    faults: &[
        KEY,
        Fault::named(
            400,
            &["unknown to this path: amount, initiatorPhone, phone, telco"],
            &[to("/billing/v1/pin-airtime/create")],
        ),
        Fault::named(400, &["of amount + phone + telco + initiatorPhone + MerchantID, each"], &[SIGN_PHONE]),
        Fault::named(
            400,
            &["9002", "telco must be one of SAFARICOM, AIRTEL, TELKOM"],
            &[Mend::Put("DSTV", Text("SAFARICOM")), SIGN_PHONE],
        ),
    ],
    answer: Answer::new(fixture!("voucher.json"), &["transactionId"]),
    books: Books::Entered("paid", "0715330000", "1500"),
};

const REGISTRATION: Example = Example {
    name: "Callback URL Registration",
    line: LINE,
    body: Body::Stdin(fixture!("registration_request.json")),
    faults: &[
        KEY,
        Fault::named(
            400,
            &["1109", "key must be a string at line 3 column 2"],
            &[Mend::Put(
                "\u{201c}callbackURL\u{201d}:\u{201d}https://website.com/callback\u{201d}",
                Text(r#""callbackURL":"https://website.com/callback""#),
            )],
        ),
        Fault::named(400, &["unknown to this path: callbackURL"], &[to("/billing/v1/callback-url/create")]),
        Fault::named(400, &["of MerchantID, each"], &[Mend::Sign(&[MERCHANT])]),
    ],
    answer: Answer::new(fixture!("registration.json"), &["transactionId"]),
    books: Books::Untouched,
};

const fn to(path: &'static str) -> Mend {
    Mend::Put("/billing/v1/account-balance", Text(path))
}

#[test]
fn each_example_gets_its_answer_or_a_refusal_that_names_its_fault() {
    if !super::is_without(&["curl", "openssl"]) {
        super::run(&PAGE);
    }
}
