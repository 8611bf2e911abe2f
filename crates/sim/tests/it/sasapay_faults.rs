//! SasaPay's face: what can go wrong with each call, and how callbacks are signed.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use malipo_sim::{Fault, Operation, Options, SasaPayAccount};
use serde_json::{Value, json};
use sha2::Sha512;

use crate::client::with;
use crate::sasapay_shop::{
    BALANCE, BOOK, COLLECT, Got, Post, REGISTER, Shop, TOKEN, VERIFY, basic, notified, request, told,
};

const LATE: Duration = Duration::from_secs(10);

/// Makes one call of this kind for the reference `ref`, after `faults` were arranged for it.
fn call(shop: &Shop, operation: Operation, faults: &[Fault]) -> Got {
    let arrange = || shop.world.inject(BOOK, operation, faults.iter().copied()).unwrap();
    match operation {
        Operation::Token => {
            arrange();
            shop.call("GET", TOKEN, &basic(shop.world.sasapay()), &Value::Null)
        }
        Operation::Collect => {
            arrange();
            shop.post(COLLECT, &request("63902", "ref"))
        }
        Operation::Confirm => {
            let checkout = shop.ask("0", "ref")["CheckoutRequestID"].clone();
            arrange();
            shop.confirm(&checkout, &shop.code())
        }
        Operation::Status => {
            let checkout = shop.ask("63902", "ref")["CheckoutRequestID"].clone();
            shop.settle();
            arrange();
            shop.status("CheckoutRequestId", &checkout)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn faults_of_the_reply_strike_every_call() {
    for operation in [Operation::Token, Operation::Collect, Operation::Confirm, Operation::Status] {
        for (fault, status, processed) in [
            (Fault::LostRequest, 0, false),
            (Fault::LostReply, 0, true),
            (Fault::SlowReply(LATE), 200, true),
            (Fault::ErrorBeforeAccept, 503, false),
            (Fault::ErrorAfterAccept, 503, true),
            (Fault::HtmlPage, 504, true),
            (Fault::TruncatedJson, 200, true),
            (Fault::SpikeArrest, 429, false),
            (Fault::TokenExpired, 401, false),
            (Fault::EchoedToken, 403, false),
        ] {
            if operation == Operation::Token && matches!(status, 401 | 403) {
                continue;
            }
            let shop = Shop::open(SasaPayAccount::new());
            let got = call(&shop, operation, &[fault]);
            assert_eq!(got.status, status, "{operation:?} {fault:?}: {}", got.text);
            let readable = !matches!(fault, Fault::HtmlPage | Fault::TruncatedJson) && status != 0;
            assert_eq!(!got.json.is_null(), readable, "{operation:?} {fault:?}: {}", got.text);
            assert_eq!(got.text.contains(&shop.token), fault == Fault::EchoedToken, "{}", got.text);
            assert!(!format!("{:?}", shop.world.events()).contains(&shop.token));
            if readable && status != 200 {
                assert_eq!(got.json["status"], false, "{}", got.text);
            }
            let moves = match operation {
                Operation::Token => 0,
                Operation::Status => 1,
                _ => usize::from(processed),
            };
            let told = shop.settle().len();
            assert_eq!(shop.moved("ref"), moves, "{operation:?} {fault:?}");
            if operation != Operation::Status {
                assert_eq!(told, moves, "{operation:?} {fault:?}");
            }
        }
    }
}

#[test]
fn a_lost_confirmation_cannot_be_sent_again() {
    let shop = Shop::open(SasaPayAccount::new());
    let checkout = shop.ask("0", "ref")["CheckoutRequestID"].clone();
    let code = shop.code();
    shop.world.inject(BOOK, Operation::Confirm, [Fault::LostRequest]).unwrap();
    assert_eq!((shop.confirm(&checkout, &code).status, shop.settle().len()), (0, 0));
    shop.world.inject(BOOK, Operation::Confirm, [Fault::LostReply]).unwrap();
    assert_eq!(shop.confirm(&checkout, &code).status, 0);
    // Looks like a refusal, and the money is on its way.
    let again = shop.confirm(&checkout, &code);
    assert_eq!((again.status, &again.json["status"]), (400, &json!(false)));
    shop.settle();
    assert_eq!(shop.moved("ref"), 1);
}

/// The result codes told, after the calls and whatever else it takes for the money to come.
fn results(network: &str, operation: Operation, faults: &[Fault]) -> (Shop, Vec<Post>) {
    let shop = Shop::open(notified());
    shop.world.inject(BOOK, operation, faults.iter().copied()).unwrap();
    let got = shop.post(COLLECT, &request(network, "ref"));
    let mut posts = got.first;
    if network == "0" {
        posts.extend(shop.confirm(&got.json["CheckoutRequestID"], &shop.code()).first);
    }
    if network == "01" {
        shop.world.transfer("PR1001", "100.50".parse().unwrap()).unwrap();
    }
    posts.extend(shop.settle());
    (shop, posts)
}

#[test]
fn faults_of_the_callback_tell_their_stories_whatever_decides_the_payment() {
    for (faults, codes) in [
        (vec![], vec!["0"]),
        (vec![Fault::CallbackNever], vec![]),
        (vec![Fault::QueueTimeout], vec![]),
        (vec![Fault::QueueTimeout, Fault::CallbackLate(LATE)], vec!["0"]),
        (vec![Fault::CallbackEarly], vec!["0"]),
        (vec![Fault::CallbackLate(LATE)], vec!["0"]),
        (vec![Fault::CallbackTwice], vec!["0", "0"]),
        (vec![Fault::CallbackContradicting], vec!["0", "1"]),
        (vec![Fault::CallbackForged], vec!["0", "0"]),
    ] {
        for (network, operation) in [
            ("63902", Operation::Collect),
            ("0", Operation::Collect),
            ("0", Operation::Confirm),
            ("01", Operation::Collect),
        ] {
            let (shop, posts) = results(network, operation, &faults);
            let which = format!("{network} {operation:?} {faults:?}");
            assert_eq!(json!(told(&posts, "/result", "ResultCode")), json!(codes), "{which}");
            assert_eq!(shop.moved("ref"), 1, "{which}");
            // A notice goes with every story that has money in it, and says the same.
            let money: Vec<_> =
                posts.iter().filter(|post| post.json.get("TransactionCode").is_some()).collect();
            let codes: Vec<_> = money.iter().map(|post| &post.json["TransactionCode"]).collect();
            assert_eq!(told(&posts, "/ipn", "TransID"), codes, "{which}");
            let receipt = json!(shop.world.ledger().moves()[0].receipt);
            if faults == [Fault::CallbackTwice] {
                assert_eq!((&posts[0], &posts[1]), (&posts[2], &posts[3]), "{which}");
            }
            if faults == [Fault::CallbackForged] {
                assert_eq!(
                    (&posts[0].json["TransAmount"], &posts[0].json["Paid"]),
                    (&json!("1005.00"), &json!(true))
                );
                assert_eq!(posts[0].json["RequestedAmount"], "100.50", "{which}");
                assert!(posts[0].json["TransactionCode"] != receipt, "{which}");
            }
            if let Some(last) = posts.last() {
                let truth = faults != [Fault::CallbackContradicting];
                assert_eq!(last.json["TransAmount"] == "100.50", truth, "{which}");
            }
        }
    }
}

#[test]
fn an_early_result_comes_before_the_reply_to_what_decides() {
    let shop = Shop::open(notified());
    shop.world.inject(BOOK, Operation::Collect, [Fault::CallbackEarly]).unwrap();
    assert_eq!(shop.post(COLLECT, &request("63902", "a")).first.len(), 2);
    shop.world.inject(BOOK, Operation::Collect, [Fault::CallbackEarly]).unwrap();
    let got = shop.post(COLLECT, &request("0", "b"));
    assert_eq!((got.first.len(), shop.moved("b")), (0, 0), "nothing is decided yet");
    assert_eq!(shop.confirm(&got.json["CheckoutRequestID"], &shop.code()).first.len(), 2);
    assert!(shop.settle().is_empty());
}

#[test]
fn faults_of_a_request_strike_its_first_result_only() {
    let shop = Shop::open(SasaPayAccount::new());
    shop.world.inject(BOOK, Operation::Collect, [Fault::CallbackTwice]).unwrap();
    shop.ask("01", "ref");
    for results in [2, 1] {
        shop.world.transfer("PR1001", 50.into()).unwrap();
        assert_eq!(shop.settle().len(), results);
    }
}

#[test]
fn a_refusal_is_contradicted_and_forged_as_well() {
    let shop = Shop::open(notified());
    shop.world
        .inject(BOOK, Operation::Collect, [Fault::CallbackForged, Fault::CallbackContradicting])
        .unwrap();
    shop.post(COLLECT, &with(request("63902", "ref"), "PhoneNumber", json!("254700000130")));
    let posts = shop.settle();
    assert_eq!(json!(told(&posts, "/result", "ResultCode")), json!(["0", "1032", "0"]));
    assert_eq!(json!(told(&posts, "/result", "TransAmount")), json!(["1005.00", "0.00", "100.50"]));
    assert_eq!((told(&posts, "/ipn", "TransID").len(), shop.moved("ref")), (2, 0));
}

#[test]
fn reordered_results_change_places_with_their_notices() {
    let shop = Shop::open(notified());
    shop.world.inject(BOOK, Operation::Collect, [Fault::CallbacksReordered]).unwrap();
    let mut posts = Vec::new();
    for reference in ["first", "second"] {
        shop.ask("63902", reference);
        posts.extend(shop.settle());
    }
    let order: Vec<_> = posts.iter().map(|post| (&*post.path, post.json["BillRefNumber"].clone())).collect();
    let [first, second] = ["first", "second"].map(|name| json!(name));
    // What was held back leaves behind the first callback of the second.
    let expected =
        [("/result", second.clone()), ("/result", first.clone()), ("/ipn", first), ("/ipn", second)];
    assert_eq!(order, expected);
}

#[test]
fn a_status_query_with_a_fault_of_callbacks_is_answered_by_one() {
    for (fault, paid) in [
        (Fault::CallbackNever, json!([])),
        // There is no timeout URL, so this is the same.
        (Fault::QueueTimeout, json!([])),
        (Fault::CallbackTwice, json!([true, true])),
        (Fault::CallbackLate(LATE), json!([true])),
        (Fault::CallbackEarly, json!([true])),
        (Fault::CallbackContradicting, json!([true, false])),
        (Fault::CallbackForged, json!([true, true])),
    ] {
        let shop = Shop::open(SasaPayAccount::new());
        let got = call(&shop, Operation::Status, &[fault]);
        assert_eq!((got.status, got.json.get("data")), (200, None), "{fault:?}");
        let mut posts = got.first;
        posts.extend(shop.settle());
        let told: Vec<_> = posts.iter().map(|post| post.json["data"]["Paid"].clone()).collect();
        assert_eq!(json!(told), paid, "{fault:?}");
        if fault == Fault::CallbackForged {
            assert_eq!(posts[0].json["data"]["AmountPaid"], 1005.0);
        }
    }
}

#[test]
fn other_calls_meet_faults_too() {
    let shop = Shop::open(SasaPayAccount::new());
    for (operation, path) in
        [(Operation::Verify, VERIFY), (Operation::RegisterCallback, REGISTER), (Operation::Balance, BALANCE)]
    {
        shop.world.inject(BOOK, operation, [Fault::SpikeArrest]).unwrap();
        let method = if operation == Operation::Balance { "GET" } else { "POST" };
        let got = shop.call(method, path, &format!("Bearer {}", shop.token), &json!({}));
        let refusal =
            r#"{"status":false,"ResponseCode":"SP.429.000","ResponseDescription":"Too many requests"}"#;
        assert_eq!((got.status, &*got.text), (429, refusal));
    }
}

#[test]
fn magic_payers_strike_once_however_spelled() {
    let shop = Shop::open(SasaPayAccount::new());
    let body = with(request("63902", "ref"), "PhoneNumber", json!("0700000102"));
    assert_eq!(shop.post(COLLECT, &body).status, 0);
    assert!(shop.world.ledger().payments().is_empty());
    let spelled = with(body, "PhoneNumber", json!("254700000102"));
    assert_eq!(shop.post(COLLECT, &spelled).status, 200, "for one reference once");
    let body = with(request("0", "wallet"), "PhoneNumber", json!("0700000113"));
    let checkout = shop.post(COLLECT, &body).json["CheckoutRequestID"].clone();
    shop.settle();
    assert_eq!(shop.confirm(&checkout, &shop.code()).status, 200);
    assert_eq!(shop.settle().len(), 2, "the result of a wallet's payment is told twice");
}

#[test]
fn signed_callbacks_are_signed_and_forged_ones_are_not_signed_well() {
    let account = notified().with_signed_callbacks().with_client("client", "secret");
    let shop = Shop::open(account);
    shop.world
        .inject(BOOK, Operation::Collect, [Fault::CallbackForged, Fault::CallbackContradicting])
        .unwrap();
    shop.ask("63902", "inv-7");
    let posts = shop.settle();
    let expected = |post: &Post, account: &str, code: &str| {
        let read = |name: &str| post.json[name].as_str().unwrap_or_default().to_owned();
        let parts = [read(code), "600980".into(), read(account), read("BillRefNumber"), read("TransAmount")];
        let mut mac = Hmac::<Sha512>::new_from_slice(b"client").unwrap();
        mac.update(parts.join("-").as_bytes());
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let mut good = Vec::new();
    for post in &posts {
        let signature = post.signature.as_deref().unwrap();
        assert_eq!(signature.len(), 128);
        let right = match &*post.path {
            "/ipn" => expected(post, "MSISDN", "TransID"),
            _ => expected(post, "CustomerMobile", "TransactionCode"),
        };
        good.push((&*post.path, signature == right));
    }
    let truth = [("/result", true), ("/ipn", true), ("/result", true)];
    assert_eq!(good, [[("/result", false), ("/ipn", false)].as_slice(), &truth].concat());

    let shop = Shop::open(notified());
    shop.ask("63902", "ref");
    assert!(shop.settle().iter().all(|post| post.signature.is_none()));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = |seed| {
        let shop =
            Shop::with(Options::new().with_seed(seed).with_sasapay(notified().with_signed_callbacks()));
        let wallet = shop.ask("0", "a");
        shop.ask("63902", "b");
        shop.ask("01", "c");
        shop.world.transfer("PR1003", 5.into()).unwrap();
        shop.world.walk_in("d", "0712345678", 6.into()).unwrap();
        let code = shop.code();
        let confirmed = shop.confirm(&wallet["CheckoutRequestID"], &code).text;
        format!("{wallet} {code} {confirmed} {:?} {:?}", shop.settle(), shop.world.ledger())
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}
