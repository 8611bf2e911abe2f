//! What is not a payment: our balances, and the URL that notices are posted to.

use malipo_core::{Balances, Effect, Error, ErrorKind, Operation, ProviderRefs, Trust};

use crate::subject::{AIRTIME, BALANCES, kyanda, refusal};

const REGISTRATION: &str = include_str!("fixtures/registration.json");

fn balances(status: u16, body: &str) -> Result<Vec<(String, String)>, Error> {
    let (kyanda, transport) = kyanda(status, body.to_owned());
    let outcome = pollster::block_on(kyanda.balances());
    assert_eq!(transport.requests().len(), 1);
    outcome.map(|report| {
        assert_eq!((report.trust, report.raw.bytes()), (Trust::Answered, body.as_bytes()));
        let told = report.balances.iter();
        told.map(|balance| (balance.account.clone(), balance.available.to_plain())).collect()
    })
}

fn pair(account: &str, amount: &str) -> (String, String) {
    (account.to_owned(), amount.to_owned())
}

#[test]
fn balances_are_read_digit_by_digit() {
    let told = [pair("Account_Bal", "399930.00"), pair("Earnings_Bal", "1586.60")];
    assert_eq!(balances(200, BALANCES).unwrap(), told);
    let zero = r#"{"Account_Bal":0,"Earnings_Bal":"0.00"}"#;
    assert_eq!(balances(200, zero).unwrap(), [pair("Account_Bal", "0.00"), pair("Earnings_Bal", "0.00")]);
    let exact = r#"{"Account_Bal":9007199254740.93}"#;
    assert_eq!(balances(200, exact).unwrap(), [pair("Account_Bal", "9007199254740.93")]);
    let overdrawn = r#"{"status":"Success","status_code":"0000","Account_Bal":-4.5}"#;
    assert_eq!(balances(200, overdrawn).unwrap(), [pair("Account_Bal", "-4.50")]);
}

#[test]
fn what_is_no_balance_is_told_as_none() {
    for (status, body) in [
        (200, "{}"),
        (200, ""),
        (200, "[1,2]"),
        (200, r#"{"Account_Bal":null,"Earnings_Bal":""}"#),
        (200, r#"{"Account_Bal":1e3}"#),
        (200, r#"{"Account_Bal":0.005}"#),
        (200, r#"{"Account_Bal":"399,930"}"#),
        (200, r#"{"Account_Bal":[1]}"#),
        (200, r#"{"Account_Bal":1,"Account_Bal":2}"#),
        (200, r#"{"Account_Bal":1,"Earnings_Bal":"much"}"#),
        (200, r#"{"Account_Bal":1,"status_code":"1104"}"#),
        (200, r#"{"Account_Bal":1,"status":"Failed"}"#),
        (200, AIRTIME),
        (400, BALANCES),
        (500, BALANCES),
    ] {
        let error = balances(status, body).unwrap_err();
        assert_eq!((error.effect(), error.operation()), (Effect::Unchanged, Operation::Balances), "{body}");
    }
    let error = balances(400, &refusal("1104")).unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Credentials, Some("1104")));
}

#[test]
fn torn_balances_are_none() {
    for length in 0..BALANCES.len() {
        assert!(balances(200, &BALANCES[..length]).is_err(), "{length}");
    }
}

fn register(url: &str, status: u16, body: &str) -> (Result<ProviderRefs, Error>, usize) {
    let (kyanda, transport) = kyanda(status, body.to_owned());
    let outcome = pollster::block_on(kyanda.register_callback(&url.parse().unwrap()));
    (outcome, transport.requests().len())
}

const URL: &str = "https://website.com/callback";

#[test]
fn a_url_is_registered_once() {
    let (outcome, requests) = register(URL, 200, REGISTRATION);
    assert_eq!((outcome.unwrap().find("transaction"), requests), (Some("KYAAPI677833"), 1));
    for (code, kind) in [
        ("6001", ErrorKind::Refused),
        ("6002", ErrorKind::Refused),
        ("1104", ErrorKind::Credentials),
        ("5000", ErrorKind::Unavailable),
        ("7777", ErrorKind::Unlisted),
    ] {
        let (outcome, requests) = register(URL, 400, &refusal(code));
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.code(), requests), (kind, Some(code), 1), "{error}");
        assert_eq!((error.effect(), error.operation()), (Effect::Unchanged, Operation::RegisterCallback));
        assert_eq!(error.provider().unwrap().as_str(), "kyanda");
        assert_eq!(error.remedy().is_some(), code != "7777");
    }
}

#[test]
fn only_https_is_registered() {
    let (outcome, requests) = register("http://127.0.0.1:8080/callback", 200, REGISTRATION);
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.effect(), requests), (ErrorKind::Invalid, Effect::Unchanged, 0));
}

#[test]
fn a_torn_registration_is_none() {
    let whole = REGISTRATION.trim_end().len();
    for length in 0..REGISTRATION.len() {
        let (outcome, _) = register(URL, 200, &REGISTRATION[..length]);
        assert_eq!(outcome.is_ok(), length >= whole, "{length}");
    }
}
