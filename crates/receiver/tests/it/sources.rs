//! Lists of addresses, in each mode, and where the address is taken from.

use http::{Request, StatusCode};
use http_body_util::Full;
use malipo_core::ProviderId;
use malipo_receiver::{InvalidSources, Peer, Receiver, SourceMode, Sources};
use malipo_testkit::CapturedLog;
use tower_service::Service as _;

use crate::answering::gist;
use crate::rig::{ACCOUNT, Served, Stand, TAKEN, ask, post};

const LIST: [&str; 2] = ["192.0.2.0/24", "2001:db8::7"];

fn listed(stand: &Stand, mode: SourceMode) -> Receiver {
    stand.receiver().with_sources(&ACCOUNT, Sources::new(mode, LIST).unwrap()).unwrap()
}

/// A callback from this end of a connection, by these proxies.
async fn callback(mut receiver: Receiver, path: &str, peer: Option<&str>, forwarded: &[&str]) -> StatusCode {
    let mut request = Request::post(path);
    for line in forwarded {
        request = request.header("x-forwarded-for", *line);
    }
    let mut request = request.body(Full::<bytes::Bytes>::from("{}")).unwrap();
    if let Some(peer) = peer {
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
    }
    receiver.call(request).await.unwrap().status()
}

#[tokio::test]
async fn a_list_lets_in_who_is_on_it_and_says_who_is_not() {
    let (yes, no) = (StatusCode::OK, StatusCode::NOT_FOUND);
    let (on, off) = (Some("192.0.2.9:4000"), Some("198.51.100.9:4000"));
    for (mode, peer, expected) in [
        (SourceMode::Off, on, yes),
        (SourceMode::Off, off, yes),
        (SourceMode::Off, None, yes),
        (SourceMode::Report, on, yes),
        (SourceMode::Report, off, yes),
        (SourceMode::Report, None, yes),
        (SourceMode::Enforce, on, yes),
        (SourceMode::Enforce, Some("[::ffff:192.0.2.9]:4000"), yes),
        (SourceMode::Enforce, Some("[2001:db8::7]:4000"), yes),
        (SourceMode::Enforce, Some("[2001:db8::8]:4000"), no),
        (SourceMode::Enforce, off, no),
        (SourceMode::Enforce, None, no),
    ] {
        let stand = Stand::new();
        // Who posts can write what it likes, as long as there is no proxy that is trusted.
        for forwarded in [&[][..], &["192.0.2.9"], &["198.51.100.9"]] {
            let status = callback(listed(&stand, mode), &stand.path(), peer, forwarded).await;
            assert_eq!(status, expected, "{mode:?} {peer:?} {forwarded:?}");
        }
        assert_eq!(stand.kept().await.is_empty(), expected == no);
    }
}

#[tokio::test]
async fn the_server_knows_who_is_at_the_other_end() {
    let stand = Stand::new();
    let here = Sources::new(SourceMode::Enforce, ["127.0.0.1"]).unwrap();
    let served = Served::start(stand.receiver().with_sources(&ACCOUNT, here).unwrap()).await;
    assert_eq!(gist(&ask(served.at, &post(&stand.path(), "{}")).await).1, TAKEN);
}

#[tokio::test]
async fn behind_proxies_the_address_is_counted_from_the_right() {
    let (yes, no) = (StatusCode::OK, StatusCode::NOT_FOUND);
    let stand = Stand::new();
    for (proxies, forwarded, expected) in [
        (1, &["192.0.2.9"][..], yes),
        (1, &["198.51.100.9, 192.0.2.9"], yes),
        (1, &["192.0.2.9, 198.51.100.9"], no),
        (1, &["192.0.2.9", "198.51.100.9"], no),
        (1, &["198.51.100.9", "192.0.2.9"], yes),
        (1, &[], no),
        (1, &["unknown"], no),
        (1, &["192.0.2.9,"], no),
        (2, &["192.0.2.9, 198.51.100.9"], yes),
        (2, &["192.0.2.9", "198.51.100.9"], yes),
        (2, &["192.0.2.9"], no),
        (2, &["198.51.100.9, 192.0.2.9"], no),
    ] {
        let receiver = listed(&stand, SourceMode::Enforce).with_proxies(proxies);
        // The other end is the proxy, whatever its address.
        let peer = Some("192.0.2.9:4000");
        let status = callback(receiver, &stand.path(), peer, forwarded).await;
        assert_eq!(status, expected, "{proxies} {forwarded:?}");
    }
}

#[tokio::test]
async fn a_list_is_of_one_account_that_exists() {
    let stand = Stand::new();
    let list = || Sources::new(SourceMode::Report, LIST).unwrap();
    let other = ProviderId::of("other");
    let error = stand.receiver().with_sources(&other, list()).unwrap_err();
    assert_eq!(error, InvalidSources::NoSuchAccount(other));
    assert!(error.to_string().contains("`other`"));
}

#[test]
fn what_is_no_list_is_refused() {
    let new = |list: &[&'static str]| Sources::new(SourceMode::Enforce, list.iter().copied());
    for good in ["192.0.2.7", " 192.0.2.7 ", "0.0.0.0/0", "2001:db8::/32", "::ffff:192.0.2.7", "192.0.2.7/32"]
    {
        assert!(new(&["192.0.2.0/24", good]).is_ok(), "{good}");
    }
    for bad in [
        "",
        "here",
        "192.0.2",
        "192.0.2.7/33",
        "192.0.2.7/24",
        "192.0.2.0-9",
        "192.0.2.07",
        "2001:db8::/129",
        "::ffff:192.0.2.0/120",
        "192.0.2.7:80",
        "192.0.2.0/24,198.51.100.7",
    ] {
        assert_eq!(new(&["192.0.2.0/24", bad]).unwrap_err(), InvalidSources::Network(bad.to_owned()));
    }
    assert_eq!(new(&[]).unwrap_err(), InvalidSources::Empty);
    assert!(Sources::new(SourceMode::Off, []).is_ok());
}

#[test]
fn what_is_not_listed_is_logged_without_its_path() {
    let log = CapturedLog::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let stand = Stand::new();
    let path = stand.path();
    log.during(|| {
        runtime.block_on(async {
            let (reporting, enforcing) =
                (listed(&stand, SourceMode::Report), listed(&stand, SourceMode::Enforce));
            callback(reporting, &path, Some("198.51.100.1:1"), &["198.51.100.66"]).await;
            callback(enforcing.clone(), &path, Some("198.51.100.2:1"), &["198.51.100.66"]).await;
            // A server that does not say who is at the other end refuses all, which is said once.
            for _ in 0..5 {
                callback(enforcing.clone(), &path, None, &[]).await;
            }
        });
    });
    let text = log.text();
    for expected in
        ["a callback came from an address", "198.51.100.1", "a callback was refused", "198.51.100.2"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert_eq!(text.matches("insert `Peer`").count(), 1, "{text}");
    assert!(!text.contains("198.51.100.66") && !text.contains(&path[path.len() - 39..]), "{text}");
}
