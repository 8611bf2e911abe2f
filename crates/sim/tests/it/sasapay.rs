//! SasaPay's face: what it lets in, what it refuses and how, and what it answers to questions.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use malipo_sim::{Event, Operation, Options, SasaPayAccount};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::client::with;
use crate::sasapay_shop::{
    BALANCE, BOOK, COLLECT, CONFIRM, PAYER, REGISTER, STATUS, Shop, TOKEN, VERIFY, basic, confirmation,
    notified, question, request, told,
};

fn shop() -> Shop {
    Shop::open(SasaPayAccount::new())
}

#[test]
fn a_token_comes_with_its_life_as_a_number() {
    let shop = shop();
    let authorization = basic(shop.world.sasapay());
    let got = shop.call("GET", TOKEN, &authorization, &Value::Null);
    let token = got.json["access_token"].as_str().unwrap();
    let expected = json!({
        "status": true, "detail": "SUCCESS", "access_token": token, "expires_in": 3600, "token_type": "Bearer",
        "scope": "merchant-c2b",
    });
    assert_eq!((got.status, &got.json), (200, &expected));

    let other = basic(&SasaPayAccount::new().with_client("simulated-sasapay-client", "wrong"));
    for wrong in [other, "Basic !".into(), String::new(), format!("Bearer {token}")] {
        let got = shop.call("GET", TOKEN, &wrong, &Value::Null);
        let refusal = r#"{"detail":"Invalid client credentials","status":false,"status_code":401}"#;
        assert_eq!((got.status, &*got.text), (401, refusal), "{wrong}");
    }
    let got = shop.call("GET", "/api/v1/auth/token/", &authorization, &Value::Null);
    let refusal = r#"{"detail":"grant_type must be client_credentials","status":false,"status_code":400}"#;
    assert_eq!((got.status, &*got.text), (400, refusal));
    assert_eq!(shop.world.calls(BOOK, Operation::Token), 7);
}

#[test]
fn a_token_is_shown_as_a_bearer_and_runs_out() {
    let shop = Shop::open(SasaPayAccount::new().with_token_life(Duration::from_secs(60)));
    let refusal = r#"{"detail":"Invalid or expired access token","status":false,"status_code":401}"#;
    let body = request("63902", "ref");
    let calls =
        [("POST", COLLECT), ("POST", CONFIRM), ("POST", STATUS), ("POST", VERIFY), ("POST", REGISTER)];
    for (method, path) in calls.into_iter().chain([("GET", BALANCE)]) {
        for wrong in
            [String::new(), shop.token.clone(), "Bearer wrong".into(), format!("Bearer {}  ", shop.token)]
        {
            let got = shop.call(method, path, &wrong, &body);
            assert_eq!((got.status, &*got.text), (401, refusal), "{path} {wrong}");
        }
    }
    shop.wait(59);
    assert_eq!(shop.post(COLLECT, &body).status, 200);
    shop.wait(1);
    assert_eq!(shop.post(COLLECT, &body).status, 401);
    assert_eq!(shop.world.ledger().payments().len(), 1);
}

#[test]
fn paths_and_methods_are_djangos() {
    let shop = shop();
    // Sent on, with the question mark and what follows it; what was posted is lost on the way.
    for (path, place) in [
        ("/api/v1/payments/request-payment", COLLECT),
        ("/api/v1/auth/token?grant_type=client_credentials", TOKEN),
        ("/api/v1/payments/check-balance?MerchantCode=600980", BALANCE),
    ] {
        let got = shop.post(path, &request("63902", "ref"));
        assert_eq!((got.status, got.headers["location"].to_str().unwrap(), &*got.text), (301, place, ""));
    }
    assert_eq!(shop.world.calls(BOOK, Operation::Collect), 0);
    for path in ["/api/v1/", "/api/v1/payments/b2c/", "/api/v1/payments/request-payment//"] {
        let got = shop.post(path, &json!({}));
        assert_eq!(got.status, 404);
        assert!(got.text.contains("<h1>Not Found</h1>"), "{path}");
    }
    let bearer = format!("Bearer {}", shop.token);
    let calls = [("GET", COLLECT), ("GET", CONFIRM), ("PUT", STATUS), ("GET", VERIFY), ("GET", REGISTER)];
    for (method, path) in calls.into_iter().chain([("POST", TOKEN), ("POST", BALANCE)]) {
        let got = shop.call(method, path, &bearer, &request("63902", "ref"));
        let refusal = format!(r#"{{"status":false,"detail":"Method \"{method}\" not allowed."}}"#);
        assert_eq!((got.status, got.text), (405, refusal), "{path}");
        assert_eq!(got.headers["allow"], if method == "POST" { "GET" } else { "POST" });
    }
    assert!(shop.world.ledger().payments().is_empty());
}

#[test]
fn a_body_is_one_json_object() {
    let shop = shop();
    for body in ["", "[]", "{", "\"text\"", "MerchantCode=600980"] {
        let bearer = format!("Bearer {}", shop.token);
        let request = Request::post(COLLECT).header("authorization", bearer);
        let json = request.header("content-type", "application/json").body(Bytes::from(body)).unwrap();
        let refusal = r#"{"status":false,"detail":"JSON parse error: the body must be one JSON object"#;
        let reply = shop.put(&json);
        assert!(reply.status == 400 && reply.text.starts_with(refusal), "{}", reply.text);
    }
    let bearer = format!("Bearer {}", shop.token);
    let form = Request::post(COLLECT).header("authorization", bearer).body(Bytes::from("{}")).unwrap();
    assert_eq!(shop.put(&form).status, 415);
}

#[test]
fn a_refusal_names_the_field_and_the_rule() {
    let shop = shop();
    let good = request("63902", "ref");
    let url = "Enter a valid URL: http or https, with a host.";
    let decimals = "This must be a plain decimal number with no more than 2 decimal places.";
    let mobile = "This must be a Kenyan mobile number: 07..., 01... or 254...";
    let network = "This is no code of a network or bank: 0, 63902, 63903, 63907 or two digits.";
    let mut cases = vec![
        ("NetworkCode", json!("63999"), network),
        ("NetworkCode", json!("1"), network),
        ("Currency", json!("USD"), "This must be KES."),
        ("Currency", json!("kes"), "This must be KES."),
        ("Amount", json!("0"), "This must be greater than 0."),
        ("Amount", json!(0), "This must be greater than 0."),
        ("Amount", json!("1.234"), decimals),
        ("Amount", json!(1.5e300), decimals),
        ("Amount", json!(-1), decimals),
        ("Amount", json!("1,000"), decimals),
        ("Transaction Fee", json!("free"), decimals),
        ("Transaction Fee", json!(-1), decimals),
        ("PhoneNumber", json!("+254712345678"), mobile),
        ("PhoneNumber", json!("712345678"), mobile),
        ("PhoneNumber", json!("0812345678"), mobile),
        ("CallBackURL", json!("/result"), url),
        ("CallBackURL", json!("ftp://shop.example/x"), url),
        ("CallBackURL", json!("https://shop******/x"), url),
    ];
    for field in good.as_object().unwrap().keys().filter(|field| *field != "Transaction Fee") {
        cases.push((field, Value::Null, "This field is required."));
        cases.push((field, json!(""), "This field may not be blank."));
        cases.push((field, json!("  "), "This field may not be blank."));
        cases.push((field, json!(true), "This field must be a string."));
    }
    for (field, value, rule) in cases {
        let got = shop.post(COLLECT, &with(good.clone(), field, value.clone()));
        assert_eq!((got.status, &got.json), (400, &json!({ field: [rule] })), "{field} {value}");
        let Some(Event::Request { refused: Some(why), .. }) = shop.world.events().pop() else {
            panic!("{field}")
        };
        assert_eq!(why, format!("{field}: {rule}"));
    }
    let all = shop.post(COLLECT, &json!({})).json;
    assert_eq!(all.as_object().unwrap().len(), 8, "all at once: {all}");
    // As other gateways spell them, or without the space.
    let renamed =
        with(with(good.clone(), "CallBackURL", Value::Null), "CallbackUrl", json!("https://shop.example"));
    assert_eq!(shop.post(COLLECT, &renamed).json, json!({ "CallBackURL": ["This field is required."] }));
    assert!(shop.world.ledger().payments().is_empty() && shop.settle().is_empty());
    assert_eq!(shop.post(COLLECT, &good).status, 200, "the body the cases start from is good");
}

#[test]
fn another_merchant_is_refused_everywhere() {
    let shop = shop();
    let checkout = shop.ask("0", "ref")["CheckoutRequestID"].clone();
    let bearer = format!("Bearer {}", shop.token);
    let refusal = r#"{"status":false,"ResponseCode":"SP4041","ResponseDescription":"MerchantCode is not that of this account"}"#;
    for (path, body) in [
        (COLLECT, request("63902", "next")),
        (CONFIRM, confirmation(&checkout, &shop.code())),
        (STATUS, question("CheckoutRequestId", &checkout)),
        (VERIFY, json!({ "TransactionCode": "SPEJ" })),
        (REGISTER, json!({ "ConfirmationUrl": "https://shop.example/ipn" })),
    ] {
        let got = shop.post(path, &with(body, "MerchantCode", json!("600981")));
        assert_eq!((got.status, &*got.text), (400, refusal), "{path}");
    }
    let path = "/api/v1/payments/check-balance/?MerchantCode=600981";
    assert_eq!(shop.call("GET", path, &bearer, &Value::Null).text, refusal);
    for path in ["/api/v1/payments/check-balance/", "/api/v1/payments/check-balance/?MerchantCode="] {
        let got = shop.call("GET", path, &bearer, &Value::Null);
        assert_eq!((got.status, got.json), (400, json!({ "MerchantCode": ["This field is required."] })));
    }
    assert_eq!(shop.world.ledger().payments().len(), 1);
}

#[test]
fn what_the_real_one_lets_pass_passes() {
    let shop = shop();
    let good = request("63902", "ref");
    for (field, value) in [
        ("Transaction Fee", Value::Null),
        ("Transaction Fee", json!("0")),
        ("Transaction Fee", json!("12.50")),
        ("TransactionFee", json!("free")),
        ("BillBankAccountNumber", json!([7])),
        ("Amount", json!(1)),
        ("Amount", json!(1.5)),
        ("Amount", json!("1")),
        ("PhoneNumber", json!("0712345678")),
        ("PhoneNumber", json!("0112345678")),
        ("PhoneNumber", json!("254112345678")),
        ("MerchantCode", json!(600_980)),
        ("NetworkCode", json!("00")),
        ("NetworkCode", json!("97")),
    ] {
        let got = shop.post(COLLECT, &with(good.clone(), field, value.clone()));
        assert_eq!(got.status, 200, "{field} {value}: {}", got.text);
    }
}

#[test]
fn a_status_tells_what_came_in_and_not_why_nothing_did() {
    let shop = shop();
    let asked = shop.ask("63902", "ref");
    let checkout = &asked["CheckoutRequestID"];
    let pending = shop.status("CheckoutRequestId", checkout);
    let data = json!({
        "TransactionType": "C2B", "TransactionDate": "20261122120000", "CheckoutId": checkout,
        "MerchantReference": "ref", "TransactionAmount": 100.5, "Paid": false, "AmountPaid": 0.0, "PaidDate": "",
        "SourceChannel": "M-PESA", "DestinationChannel": "SasaPay", "TransactionCode": "",
        "ThirdPartyTransactionCode": "",
    });
    let expected = json!({ "status": true, "message": "Transaction details", "data": data });
    assert_eq!((pending.status, &pending.json), (200, &expected));
    assert!(pending.text.contains(r#""TransactionAmount":100.50,"#), "exact: {}", pending.text);

    let posts = shop.settle();
    let code = told(&posts, "/result", "TransactionCode")[0];
    for (field, value) in [
        ("CheckoutRequestId", checkout),
        ("MerchantTransactionReference", &json!("ref")),
        ("TransactionCode", code),
    ] {
        let data = shop.status(field, value).json["data"].clone();
        assert_eq!((&data["Paid"], &data["AmountPaid"]), (&json!(true), &json!(100.5)), "{field}");
        assert_eq!((&data["PaidDate"], &data["TransactionCode"]), (&json!("20261122120000"), code));
        assert_eq!(data["ThirdPartyTransactionCode"], posts[0].json["ThirdPartyTransID"]);
    }
    // One that failed looks like one still to be made.
    let cancels = with(request("63902", "no"), "PhoneNumber", json!("254700000130"));
    let checkout = shop.post(COLLECT, &cancels).json["CheckoutRequestID"].clone();
    let before = shop.status("CheckoutRequestId", &checkout).json;
    shop.settle();
    let after = shop.status("CheckoutRequestId", &checkout).json;
    assert_eq!((&before, &after["data"]["Paid"]), (&after, &json!(false)));
}

#[test]
fn a_question_about_nothing_and_one_with_bad_fields_are_refused() {
    let shop = shop();
    let asked = shop.ask("63902", "ref");
    let posts = shop.settle();
    let good = question("CheckoutRequestId", &asked["CheckoutRequestID"]);
    let all = with(good.clone(), "MerchantTransactionReference", json!("ref"));
    let all = with(all, "TransactionCode", posts[0].json["TransactionCode"].clone());
    assert_eq!(shop.post(STATUS, &all).status, 200, "as the page's sample has it");

    let refusal = r#"{"status":false,"message":"No such transaction was found"}"#;
    for (field, value) in [
        ("CheckoutRequestId", "6e1e251f-afb0-4000-a097-f1ae0e0b2ce6"),
        ("MerchantTransactionReference", "nobody's"),
        ("TransactionCode", "EDSWKTT"),
    ] {
        let got = shop.status(field, &json!(value));
        assert_eq!((got.status, &*got.text), (404, refusal), "{field}");
        let got = shop.post(STATUS, &with(all.clone(), field, json!(value)));
        assert_eq!((got.status, &*got.text), (404, refusal), "{field} is another's");
    }
    let got = shop.post(STATUS, &with(good.clone(), "CheckoutRequestId", json!(" ")));
    let rule = "This field, MerchantTransactionReference or TransactionCode is required.";
    assert_eq!((got.status, got.json), (400, json!({ "CheckoutRequestId": [rule] })));
    for (field, value) in
        [("MerchantCode", Value::Null), ("CallbackUrl", Value::Null), ("CheckoutRequestId", json!(7))]
    {
        let got = shop.post(STATUS, &with(good.clone(), field, value));
        assert_eq!((got.status, got.json.as_object().unwrap().len()), (400, 1));
        assert!(got.json[field].is_array(), "{}", got.text);
    }
}

#[test]
fn a_status_may_be_told_by_callback_alone() {
    let shop = Shop::open(SasaPayAccount::new().with_status_by_callback());
    let checkout = shop.ask("63902", "ref")["CheckoutRequestID"].clone();
    shop.settle();
    let got = shop.status("CheckoutRequestId", &checkout);
    assert_eq!((got.status, &got.json["status"], got.json.get("data")), (200, &json!(true), None));
    let posts = shop.settle();
    assert_eq!((posts.len(), &*posts[0].path), (1, "/status"));
    assert_eq!(
        (&posts[0].json["data"]["Paid"], &posts[0].json["data"]["CheckoutId"]),
        (&json!(true), &checkout)
    );
    assert_eq!(shop.status("CheckoutRequestId", &json!("unknown")).status, 404, "there and then");
}

#[test]
fn one_transaction_can_be_verified_and_the_accounts_looked_into() {
    let account = SasaPayAccount::new().with_working(Decimal::new(50_000, 2));
    let shop = Shop::open(account);
    shop.ask("63902", "ref");
    let posts = shop.settle();
    let code = &posts[0].json["TransactionCode"];
    let expected = json!({ "statusCode": 0, "detail": "Transaction details", "data": {
        "MerchantCode": "600980", "FirstName": "Jane", "MiddleName": "Wanjiku", "LastName": "Doe",
        "CustomerMobile": PAYER, "OrgAccountBalance": 600.5, "TransAmount": 100.5, "TransactionCode": code,
        "ThirdPartyTransID": posts[0].json["ThirdPartyTransID"], "BillRefNumber": "ref", "TransactionType": "C2B",
        "SourceChannel": "M-PESA", "TransactionDate": "20261122120000",
    } });
    for body in [
        json!({ "MerchantCode": "600980", "TransactionCode": code }),
        json!({ "merchantCode": 600_980, "transactionCode": code }),
    ] {
        let got = shop.post(VERIFY, &body);
        assert_eq!((got.status, got.json), (200, expected.clone()));
    }
    assert_eq!(shop.post(VERIFY, &json!({ "MerchantCode": "600980", "TransactionCode": "X" })).status, 404);
    let wrong = shop.post(VERIFY, &json!({ "merchantCode": "" })).json;
    let blank = json!({ "merchantCode": ["This field may not be blank."], "TransactionCode": ["This field is required."] });
    assert_eq!(wrong, blank);

    let balances = r#"{"statusCode":"0","message":"Account Balances","data":{"CurrencyCode":"KES","OrgAccountBalance":600.50,"Accounts":[{"account_label":"Bulk Payment","account_balance":0.00},{"account_label":"Utility Account","account_balance":0.00},{"account_label":"Working Account","account_balance":600.50}]}}"#;
    assert_eq!((shop.balance().status, &*shop.balance().text), (200, balances));
}

#[test]
fn an_ipn_url_can_be_registered_and_replaced() {
    for (account, first) in [(SasaPayAccount::new(), vec![]), (notified(), vec!["/ipn"])] {
        let shop = Shop::open(account);
        shop.ask("63902", "ref");
        let paths = |posts: &[crate::sasapay_shop::Post]| -> Vec<String> {
            posts.iter().filter(|post| post.path != "/result").map(|post| post.path.clone()).collect()
        };
        assert_eq!(paths(&shop.settle()), first);
        for name in ["ConfirmationUrl", "ConfirmationURL"] {
            let body = json!({ "MerchantCode": "600980", name: format!("https://shop.example/{name}") });
            let got = shop.post(REGISTER, &body);
            assert_eq!(
                (got.status, &got.json),
                (200, &json!({ "status": true, "detail": "IPN URL registered" }))
            );
            shop.ask("63902", "ref");
            assert_eq!(paths(&shop.settle()), [format!("/{name}")]);
        }
        let got = shop.post(REGISTER, &json!({ "MerchantCode": "600980", "ConfirmationUrl": "shop" }));
        assert_eq!((got.status, got.json["ConfirmationUrl"].is_array()), (400, true));
    }
}

#[test]
fn nothing_printed_holds_a_secret() {
    let account = notified().with_client("ID-MARKER", "SECRET-MARKER").with_signed_callbacks();
    let options = Options::new().with_sasapay(account);
    let shop = Shop::with(options.clone());
    let checkout = shop.ask("0", "ref")["CheckoutRequestID"].clone();
    let code = shop.code();
    shop.confirm(&checkout, "000000");
    shop.confirm(&checkout, &code);
    shop.settle();
    let (world, account) = (&shop.world, shop.world.sasapay());
    let printed = format!(
        "{options:?} {world:?} {account:?} {:?} {:?} {:?}",
        world.messages(),
        world.events(),
        world.ledger()
    );
    for secret in ["MARKER", &*code, &shop.token, "shop.example"] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
    assert!(printed.contains("600980") && printed.contains(PAYER));
}
