//! What Kyanda refuses, with which code, and in words that name the rule and no secret.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use malipo_sim::{Event, Options, World};
use serde_json::{Value, json};

use crate::client::{options, send};
use crate::in_process::world;
use crate::kyanda_client::{
    AIRTIME, ALL, BALANCE, BANK, BILL, BOOK, CHECK, CHECKOUT, Kind, MOBILE, PAYING, REGISTER, Rig, VOUCHER,
    account, post, refused, sign,
};

#[tokio::test]
async fn a_key_and_a_merchant_that_are_unknown_are_refused_first() {
    let rig = Rig::new().await;
    for kind in ALL {
        let body = sign(kind, rig.sim.kyanda().security_key(), kind.body());
        for headers in ["", "apiKey: wrong\r\n", "apiKey: \r\n", "Authorization: simulated-kyanda-key\r\n"] {
            let (code, text) = refused(&post(&rig.sim, kind.path, headers, &body).await);
            assert_eq!((&*code, text.contains("apiKey")), ("1102", true), "{}: {text}", kind.path);
        }
        let (code, text) = refused(&rig.post(kind, kind.body_with("/MerchantID", json!("other"))).await);
        assert_eq!((&*code, text.contains("MerchantID")), ("1101", true), "{}: {text}", kind.path);
    }
    assert!(rig.sim.ledger().payments().is_empty());
}

#[tokio::test]
async fn a_signature_is_made_of_the_values_as_sent_in_one_order() {
    let rig = Rig::new().await;
    let key = rig.sim.kyanda().security_key();
    for kind in ALL {
        let good = sign(kind, key, kind.body());
        let digest = good["signature"].as_str().unwrap();
        let wrong = [
            digest.to_uppercase(),
            digest[1..].to_owned(),
            "9447d0ea436cdddd756132c46136a1ecf6d511263669014c212b9db6f57d79b6".to_owned(),
            sign(kind, rig.sim.kyanda().api_key(), kind.body())["signature"].as_str().unwrap().to_owned(),
        ];
        for wrong in wrong {
            let mut body = good.clone();
            body["signature"] = json!(wrong);
            let headers = format!("apiKey: {}\r\n", rig.sim.kyanda().api_key());
            let reply = post(&rig.sim, kind.path, &headers, &body).await;
            let (code, text) = refused(&reply);
            let order: Vec<_> = kind.signed.iter().map(|pointer| pointer[1..].replace('/', ".")).collect();
            assert_eq!((&*code, text.contains(&order.join(" + "))), ("1104", true), "{text}");
            let logged = format!("{:?}", rig.sim.events().pop());
            for secret in [digest, &wrong, key] {
                assert!(!text.contains(secret) && !logged.contains(secret), "{text}");
            }
            let transaction = reply.json()["transactionId"].as_str().unwrap().to_owned();
            assert_eq!(refused(&rig.ask(&transaction).await).0, "7001", "it names no payment");
        }
        // Every signed value counts; the amount counts as text.
        for pointer in kind.signed.iter().filter(|pointer| **pointer != "/MerchantID") {
            let mut body = good.clone();
            let value = body.pointer_mut(pointer).unwrap();
            *value = json!(format!("{}0", value.as_str().unwrap()));
            let headers = format!("apiKey: {}\r\n", rig.sim.kyanda().api_key());
            assert_eq!(refused(&post(&rig.sim, kind.path, &headers, &body).await).0, "1104", "{pointer}");
        }
        for pointer in kind.unsigned {
            let mut body = good.clone();
            *body.pointer_mut(pointer).unwrap() = json!("https://other.example/x");
            let headers = format!("apiKey: {}\r\n", rig.sim.kyanda().api_key());
            let reply = post(&rig.sim, kind.path, &headers, &body).await;
            assert!(reply.status() == 200 || refused(&reply).0 == "6001", "{pointer}: {}", reply.body());
        }
    }
}

#[tokio::test]
async fn just_the_right_parameters_and_all_of_them_texts() {
    let rig = Rig::new().await;
    let headers = format!("apiKey: {}\r\n", rig.sim.kyanda().api_key());
    for kind in ALL {
        let mut pointers = [kind.signed, kind.unsigned].concat();
        pointers.push("/signature");
        for pointer in pointers {
            let name = pointer[1..].replace('/', ".");
            for (value, code, rule) in [
                (Value::Null, "1108", "not sent"),
                (json!(""), "1109", "must not be blank"),
                (json!(" \t"), "1109", "must not be blank"),
                (json!(7), "1109", "must be a string"),
                (json!(["7"]), "1109", "must be a string"),
            ] {
                let mut body = sign(kind, rig.sim.kyanda().security_key(), kind.body());
                let (object, last) = pointer.rsplit_once('/').unwrap();
                let object = body.pointer_mut(object).unwrap().as_object_mut().unwrap();
                object.remove(last);
                if !value.is_null() {
                    object.insert(last.to_owned(), value.clone());
                }
                let (found, text) = refused(&post(&rig.sim, kind.path, &headers, &body).await);
                assert_eq!(
                    (&*found, text.contains(&name), text.contains(rule)),
                    (code, true, true),
                    "{text}"
                );
                let Some(Event::Request { refused: Some(why), .. }) = rig.sim.events().pop() else {
                    panic!("{pointer}")
                };
                assert!(why.starts_with(code) && text.ends_with(&why[6..]), "{why}");
            }
        }
        let (code, text) = refused(&rig.post(kind, kind.body_with("/extra", json!("x"))).await);
        assert_eq!((&*code, text.contains("unknown to this path: extra")), ("1108", true), "{text}");
    }
    assert!(rig.sim.ledger().payments().is_empty());
}

#[tokio::test]
async fn what_belongs_to_another_path_is_named() {
    let rig = Rig::new().await;
    for (kind, pointer, named) in [
        (&MOBILE, "/destination/name", "destination.name"),
        (&AIRTIME, "/phoneNumber", "phoneNumber"),
        (&AIRTIME, "/productCode", "productCode"),
        (&VOUCHER, "/productCode", "productCode"),
        (&BILL, "/phone", "phone"),
        (&AIRTIME, "/metadata", "metadata"),
    ] {
        let (code, text) = refused(&rig.post(kind, kind.body_with(pointer, json!("x"))).await);
        assert_eq!((&*code, text.contains(&format!("path: {named}"))), ("1108", true), "{text}");
    }
    // What every sample of the page does.
    let body = sign(&MOBILE, rig.sim.kyanda().security_key(), MOBILE.body());
    let headers = format!("apiKey: {}\r\n", rig.sim.kyanda().api_key());
    let (code, text) = refused(&post(&rig.sim, BALANCE.path, &headers, &body).await);
    assert_eq!(
        (&*code, text.contains("unknown to this path: destination, source")),
        ("1108", true),
        "{text}"
    );
    assert!(rig.sim.ledger().payments().is_empty());
    // A checkout may do without its metadata, which is an object.
    rig.accepted(&CHECKOUT, CHECKOUT.body_with("/metadata", Value::Null)).await;
    for wrong in [json!("x"), json!([])] {
        let (code, text) = refused(&rig.post(&CHECKOUT, CHECKOUT.body_with("/metadata", wrong)).await);
        assert_eq!((&*code, text.contains("metadata must be an object")), ("1109", true), "{text}");
    }
}

#[tokio::test]
async fn values_that_break_a_rule_get_the_code_of_their_service() {
    let rig = Rig::new().await;
    let phones = ["715330000", "254715330000", "+254715330000", "0815330000", "07153300000", "07l5330000"];
    let amounts = ["0", "-5", "1e3", "1,000", "1.234", "010", "0.00"];
    let cases: [(&Kind, &str, &str, &[&str]); 17] = [
        (&MOBILE, "/destination/destinationPhone", "1109", &phones),
        (&BANK, "/destination/phoneNumber", "1109", &phones),
        (&CHECKOUT, "/phoneNumber", "1109", &phones),
        (&AIRTIME, "/phone", "9001", &phones),
        (&AIRTIME, "/initiatorPhone", "9001", &phones),
        (&VOUCHER, "/phone", "9001", &phones),
        (&BILL, "/initiatorPhone", "8002", &phones),
        (&MOBILE, "/destination/channel", "1109", &["mpesa", "TELKOM"]),
        (&CHECKOUT, "/channel", "1109", &["M-PESA"]),
        (&AIRTIME, "/telco", "9002", &["DSTV", "safaricom"]),
        (&VOUCHER, "/telco", "9002", &["DSTV", "EQUITEL", "FAIBA_B"]),
        (&BILL, "/telco", "8003", &["SAFARICOM", "KPLC", "dstv"]),
        (&BILL, "/account", "8001", &["no spaces", "0123456789012345678901234567890", "a&b"]),
        (&BANK, "/destination/accountNumber", "1109", &["2042 581154"]),
        (&BANK, "/destination/bankCode", "1201", &["100", "147", "0101", "1O1", "01"]),
        (&AIRTIME, "/amount", "9003", &["10.00", "10.5"]),
        (&VOUCHER, "/amount", "9003", &["10.00"]),
    ];
    for (kind, pointer, code, values) in cases {
        for value in values {
            let (found, text) = refused(&rig.post(kind, kind.body_with(pointer, json!(value))).await);
            let named = text.contains(&pointer[1..].replace('/', "."));
            assert_eq!((&*found, named), (code, true), "{pointer} {value}: {text}");
        }
    }
    for kind in PAYING {
        let code = match kind.path {
            path if path == BILL.path => "8004",
            path if path == AIRTIME.path || path == VOUCHER.path => "9003",
            _ => "1109",
        };
        for amount in amounts {
            let (found, text) = refused(&rig.post(kind, kind.body_with(kind.amount(), json!(amount))).await);
            assert_eq!((&*found, text.contains("greater than 0")), (code, true), "{amount}: {text}");
        }
    }
    assert!(rig.sim.ledger().payments().is_empty());
    for (kind, pointer, value) in [
        (&MOBILE, "/destination/amount", "0.5"),
        (&MOBILE, "/destination/destinationPhone", "0115330000"),
        (&MOBILE, "/destination/channel", "EQUITEL"),
        (&BANK, "/destination/bankCode", "146"),
        (&AIRTIME, "/telco", "FAIBA"),
        (&BILL, "/telco", "NAIROBI_WTR"),
        (&BILL, "/account", "12345-6/A"),
    ] {
        rig.accepted(kind, kind.body_with(pointer, json!(value))).await;
    }
}

#[tokio::test]
async fn bundles_are_sold_at_their_price_and_by_their_name() {
    let rig = Rig::new().await;
    let bundle = |amount: &str, product: Option<&str>| {
        let mut body = AIRTIME.body_with("/telco", json!("FAIBA_B"));
        body["amount"] = json!(amount);
        if let Some(product) = product {
            body["productCode"] = json!(product);
        }
        body
    };
    for amount in ["50", "300", "500", "1000", "2000", "3000"] {
        rig.accepted(&AIRTIME, bundle(amount, None)).await;
    }
    for (amount, product) in
        [("20", "DAILY_500MB"), ("75", "Gumzo_Weekly_50"), ("3500", "Family_Plus_Plus_300Mins")]
    {
        rig.accepted(&AIRTIME, bundle(amount, Some(product))).await;
    }
    for (body, named) in [
        (bundle("51", None), "amount must be the price of a bundle"),
        (bundle("20", None), "amount must be the price of a bundle"),
        (bundle("50", Some("DAILY_500MB")), "amount must be 20, which is the price of DAILY_500MB"),
        (bundle("50", Some("DailyData1GB")), "productCode must be one of DAILY_500MB"),
    ] {
        let (code, text) = refused(&rig.post(&AIRTIME, body.clone()).await);
        assert_eq!((&*code, text.contains(named)), ("9002", true), "{text}");
        // Which is looked at even before the signature.
        let mut body = body;
        body["signature"] = json!("wrong");
        let headers = format!("apiKey: {}\r\n", rig.sim.kyanda().api_key());
        assert_eq!(refused(&post(&rig.sim, AIRTIME.path, &headers, &body).await).0, "9002");
    }
    assert_eq!(refused(&rig.post(&AIRTIME, bundle("50.00", None)).await).0, "9003");
    assert_eq!(refused(&rig.post(&AIRTIME, bundle("x", Some("DAILY_500MB"))).await).0, "9003");
    assert_eq!(rig.sim.ledger().payments().len(), 9);
}

#[tokio::test]
async fn a_float_too_low_is_seen_first_on_what_is_vended() {
    let rig = Rig::with(account().with_float(1000.into())).await;
    for (kind, pointer) in
        [(&BILL, "/telco"), (&AIRTIME, "/telco"), (&VOUCHER, "/phone"), (&MOBILE, "/destination/channel")]
    {
        let mut body = kind.body_with(kind.amount(), json!("1001"));
        let reply = rig.post(kind, body.clone()).await;
        let (code, text) = refused(&reply);
        assert_eq!((&*code, text.contains("wallet")), ("1107", true), "{text}");
        assert!(reply.json()["transactionId"].is_string(), "seen of the live service");
        *body.pointer_mut(pointer).unwrap() = json!("wrong");
        let (code, _) = refused(&rig.post(kind, body).await);
        assert_eq!(code == "1107", kind.path != MOBILE.path, "{code}");
    }
    // Nothing stands in the way of collecting.
    rig.accepted(&CHECKOUT, CHECKOUT.body()).await;
    rig.sim.idle().await;
    assert_eq!(rig.held(), 2500.into());
    // Both are accepted, and there is enough for one.
    for _ in 0..2 {
        rig.accepted(&MOBILE, MOBILE.body_with("/destination/amount", json!("2000"))).await;
    }
    rig.sim.idle().await;
    let codes: Vec<_> = rig.merchant.posts().iter().map(|post| post.json()["status_code"].clone()).collect();
    assert_eq!(codes, [json!("0000"), json!("0000"), json!("1107")]);
    assert_eq!(rig.held(), 500.into());
}

fn hand(world: &World, kind: &Kind, body: Value) -> (u16, Value) {
    let body = sign(kind, world.kyanda().security_key(), body);
    let request = Request::post(kind.path)
        .header("apikey", world.kyanda().api_key())
        .header("content-type", "application/json")
        .body(Bytes::from(body.to_string()))
        .unwrap();
    let reply = world.handle(&request).reply.unwrap();
    let body: Value = serde_json::from_slice(reply.body()).unwrap();
    (reply.status().as_u16(), body["status_code"].clone())
}

#[test]
fn the_same_again_is_a_duplicate_only_within_the_window_if_there_is_one() {
    let window = Duration::from_secs(60);
    let (strict, clock) = world(Options::new().with_kyanda(account().with_duplicate_window(window)));
    let (honest, _clock) = world(Options::new().with_kyanda(account()));
    for kind in PAYING {
        let code = match kind.path {
            path if path == BILL.path => json!("8006"),
            path if path == AIRTIME.path || path == VOUCHER.path => json!("9005"),
            _ => json!("200"),
        };
        let first = hand(&strict, kind, kind.body());
        assert_eq!(first.0, 200);
        clock.advance(window - Duration::from_millis(1));
        assert_eq!(hand(&strict, kind, kind.body()).1, code, "{}", kind.path);
        let more = hand(&strict, kind, kind.body_with(kind.amount(), json!("11")));
        let other = hand(&strict, kind, kind.body_with(kind.party(), json!("0715339999")));
        assert_eq!((&more, &other), (&first, &first), "another amount, another payee");
        clock.advance(Duration::from_millis(1));
        assert_eq!(hand(&strict, kind, kind.body()), first, "the refused one does not count");
        assert_eq!(hand(&honest, kind, kind.body()), hand(&honest, kind, kind.body()));
    }
    assert_eq!(honest.ledger().payments().len(), 12);
}

#[tokio::test]
async fn other_paths_methods_and_bodies_are_refused() {
    let rig = Rig::new().await;
    let key = format!("apiKey: {}\r\n", rig.sim.kyanda().api_key());
    for (start, path) in [
        ("GET", BALANCE.path),
        ("POST", "/billing/v1/mobile-payout/create"),
        ("POST", "/billing/v1/account-query"),
        ("POST", "/billing/v1/account-balance/"),
    ] {
        let request = format!("{start} {path} HTTP/1.1\r\nHost: sim\r\n{key}Connection: close\r\n\r\n");
        let reply = send(&rig.sim, &request).await;
        assert_eq!((reply.status(), &reply.json()["status"]), (404, &json!("Failed")), "{path}");
        assert!(reply.body().contains(&format!("Cannot {start} {path}")), "{}", reply.body());
    }
    for (body, rule) in [("[]", "one JSON object"), ("{", "one JSON object"), ("", "one JSON object")] {
        let length = body.len();
        let rest = format!("Host: sim\r\n{key}Connection: close\r\nContent-Length: {length}\r\n");
        let json =
            format!("POST {} HTTP/1.1\r\n{rest}Content-Type: application/json\r\n\r\n{body}", CHECK.path);
        let (code, text) = refused(&send(&rig.sim, &json).await);
        assert_eq!((&*code, text.contains(rule)), ("1109", true), "{text}");
        let form = format!("POST {} HTTP/1.1\r\n{rest}Content-Type: text/plain\r\n\r\n{body}", CHECK.path);
        let (code, text) = refused(&send(&rig.sim, &form).await);
        assert_eq!((&*code, text.contains("content type")), ("1109", true), "{text}");
    }
    // Nobody's path: the simulator lists those there are.
    let nobody = send(&rig.sim, "GET / HTTP/1.1\r\nHost: sim\r\nConnection: close\r\n\r\n").await;
    assert!(ALL.iter().all(|kind| nobody.body().contains(kind.path)), "{}", nobody.body());
    let bare = Rig::bare(options()).await;
    assert_eq!(bare.post(&REGISTER, REGISTER.body()).await.status(), 200, "https needs no listener");
    assert_eq!(bare.sim.calls(BOOK, REGISTER.operation), 1);
}
