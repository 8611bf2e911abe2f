use proptest::prelude::*;

use super::*;

fn key(id: u8) -> CallbackKey {
    CallbackKey::new(id, Secret::new(format!("{id}: a key of more than thirty-two bytes"))).unwrap()
}

fn urls() -> CallbackUrls {
    CallbackUrls::new("https://pay.example.com/in/", key(7)).unwrap()
}

const NOTICES: Address = Address::of_account(3, DeliveryPurpose::Notice);

fn with_notices() -> CallbackUrls {
    urls().with_notice_key(3, key(9)).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_millis(seconds * 1000).unwrap()
}

fn path(url: &CallbackUrl) -> &str {
    url.as_str().strip_prefix("https://pay.example.com").unwrap()
}

const ONE: Address = Address::of(3, PaymentId(82_031), DeliveryPurpose::Result);

#[test]
fn what_is_appended_is_digits_and_comes_back_as_what_it_was_given_out_for() {
    let urls = urls().with_notice_key(0, key(8)).unwrap().with_notice_key(u32::MAX, key(9)).unwrap();
    for (purpose, _) in PURPOSES {
        for address in [Address::of(0, PaymentId(1), *purpose), Address::of_account(u32::MAX, *purpose)] {
            let url = urls.mint(address).unwrap();
            let appended = url.as_str().strip_prefix("https://pay.example.com/in/").unwrap();
            assert!(appended.bytes().all(|byte| byte.is_ascii_digit() || byte == b'/'), "{appended}");
            assert_eq!(urls.verify(path(&url), at(0)), Some(address));
        }
    }
}

#[test]
fn one_address_has_one_spelling() {
    let url = urls().mint(ONE).unwrap();
    let good = path(&url);
    for bad in [
        good.replacen("/3/", "/03/", 1),
        good.replacen("/3/", "/+3/", 1),
        good.replacen("/in/1/", "/in/2/", 1),
        good.strip_prefix("/in/").unwrap().to_owned(),
        format!("{good}/"),
        format!("{good}/1"),
        format!("{good}?a=1"),
        good.trim_end_matches(|digit: char| digit.is_ascii_digit()).to_owned(),
        String::new(),
    ] {
        assert_eq!(urls().verify(&bad, at(0)), None, "{bad}");
    }
}

#[test]
fn what_stands_before_is_the_routers() {
    let url = urls().mint(ONE).unwrap();
    let appended = path(&url).strip_prefix("/in").unwrap();
    for before in ["", "/in", "/behind/a/proxy/", "/1/7"] {
        assert_eq!(urls().verify(&format!("{before}{appended}"), at(0)), Some(ONE), "{before}");
    }
}

#[test]
fn an_older_key_is_good_until_it_is_not() {
    let old = urls().mint(ONE).unwrap();
    let rotated = CallbackUrls::new("https://pay.example.com/in", key(8)).unwrap();
    assert_eq!(rotated.verify(path(&old), at(0)), None, "a key that nobody has any more");
    let rotated = rotated.with_retired(key(7), at(100)).unwrap();
    assert_eq!(rotated.verify(path(&old), at(99)), Some(ONE));
    assert_eq!(rotated.verify(path(&old), at(100)), None);
    assert_ne!(rotated.mint(ONE).unwrap().as_str(), old.as_str());
    let repeated = rotated.with_retired(key(8), at(100));
    assert_eq!(repeated.unwrap_err(), InvalidCallbacks::RepeatedKey(8));
}

#[test]
fn a_notice_url_has_a_key_of_its_own_and_outlives_the_payments() {
    assert_eq!(urls().mint(NOTICES).unwrap_err(), InvalidCallbacks::NoNoticeKey(3));
    let url = with_notices().mint(NOTICES).unwrap();
    let rotated = CallbackUrls::new("https://pay.example.com/in", key(8)).unwrap();
    assert_eq!(rotated.verify(path(&url), at(0)), None);
    let rotated = rotated.with_notice_key(3, key(9)).unwrap();
    assert_eq!(
        rotated.verify(path(&url), at(i32::MAX.into())),
        Some(NOTICES),
        "whatever became of the other"
    );
    assert_eq!(rotated.mint(NOTICES).unwrap().as_str(), url.as_str(), "there is nothing to register anew");
    // The key of one account is none of another's, and a payment's is none of either.
    let other = Address::of_account(4, DeliveryPurpose::Notice);
    assert_eq!(rotated.mint(other).unwrap_err(), InvalidCallbacks::NoNoticeKey(4));
    let forged = |with: u8, address| {
        let forger = CallbackUrls::new("https://pay.example.com/in", key(1)).unwrap();
        forger.with_notice_key(address, key(with)).unwrap()
    };
    let by_payments = forged(8, 3).mint(NOTICES).unwrap();
    assert_eq!(rotated.verify(path(&by_payments), at(0)), None, "the payments' key signs no notice URL");
    let by_another = forged(9, 4).mint(other).unwrap();
    assert_eq!(rotated.verify(path(&by_another), at(0)), None);
    let payment = CallbackUrls::new("https://pay.example.com/in", key(9)).unwrap().mint(ONE).unwrap();
    assert_eq!(rotated.verify(path(&payment), at(0)), None, "nor does a notice key sign a payment's");
}

#[test]
fn a_notice_key_retires_like_another() {
    let old = with_notices().mint(NOTICES).unwrap();
    let rotated = urls().with_notice_key(3, key(10)).unwrap();
    let rotated = rotated.with_retired_notice_key(3, key(9), at(100)).unwrap();
    assert_ne!(rotated.mint(NOTICES).unwrap().as_str(), old.as_str());
    assert_eq!(rotated.verify(path(&old), at(99)), Some(NOTICES));
    assert_eq!(rotated.verify(path(&old), at(100)), None);
    let early = urls().with_retired_notice_key(3, key(9), at(100)).unwrap();
    assert_eq!(early.mint(NOTICES).unwrap_err(), InvalidCallbacks::NoNoticeKey(3), "it makes no more");
}

#[test]
fn every_key_has_a_number_of_its_own() {
    let repeated = |urls: Result<CallbackUrls, _>, id| {
        assert_eq!(urls.unwrap_err(), InvalidCallbacks::RepeatedKey(id));
    };
    repeated(urls().with_notice_key(3, key(7)), 7);
    repeated(urls().with_retired_notice_key(3, key(7), at(1)), 7);
    repeated(with_notices().with_retired(key(9), at(1)), 9);
    repeated(with_notices().with_notice_key(4, key(9)), 9);
    let second = with_notices().with_notice_key(3, key(10)).unwrap_err();
    assert_eq!(second, InvalidCallbacks::RepeatedNoticeKey(3));
}

#[test]
fn a_weak_key_and_a_base_that_takes_no_path_are_refused() {
    assert_eq!(CallbackKey::new(1, Secret::new("short")).unwrap_err(), InvalidCallbacks::ShortKey);
    let new = |base| CallbackUrls::new(base, key(1)).unwrap_err();
    assert_eq!(new("https://pay.example.com/?a=b"), InvalidCallbacks::Query);
    assert!(matches!(new("http://pay.example.com"), InvalidCallbacks::Base(_)));
    assert!(!format!("{:?}", with_notices()).contains("thirty-two"), "no key is printed");
}

proptest! {
    #[test]
    fn no_notice_url_but_the_one_that_was_minted_is_taken(at_byte in 0_usize..200, digit in 0_u8..10, account: u32) {
        let urls = urls().with_notice_key(account, key(9)).unwrap();
        let address = Address::of_account(account, DeliveryPurpose::Notice);
        let url = urls.mint(address).unwrap();
        let mut changed = path(&url).to_owned().into_bytes();
        let before = "/in/".len();
        let place = before + at_byte % (changed.len() - before);
        changed[place] = b'0' + digit;
        let changed = String::from_utf8(changed).unwrap();
        let expected = (changed == path(&url)).then_some(address);
        prop_assert_eq!(urls.verify(&changed, at(0)), expected);
    }

    #[test]
    fn nothing_but_what_was_minted_is_taken(at_byte in 0_usize..200, digit in 0_u8..10, account: u32, payment: u64) {
        let address = Address::of(account, PaymentId(payment.max(1)), DeliveryPurpose::Answer);
        let url = urls().mint(address).unwrap();
        let mut changed = path(&url).to_owned().into_bytes();
        let before = "/in/".len();
        let place = before + at_byte % (changed.len() - before);
        changed[place] = b'0' + digit;
        let changed = String::from_utf8(changed).unwrap();
        let expected = (changed == path(&url)).then_some(address);
        prop_assert_eq!(urls().verify(&changed, at(0)), expected);
    }

    #[test]
    fn a_tag_is_not_guessed(tag: u128) {
        let url = urls().mint(ONE).unwrap();
        let (address, own) = path(&url).rsplit_once('/').unwrap();
        let guess = format!("{address}/{tag:039}");
        prop_assert_eq!(urls().verify(&guess, at(0)).is_some(), own == format!("{tag:039}"));
    }
}
