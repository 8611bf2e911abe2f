//! Whatever is wrong with a path, a tag, a method or an address, the answer is the same.

use http::Request;
use http_body_util::{BodyExt as _, Full};
use malipo_core::DeliveryPurpose;
use malipo_journal::{Address, CallbackKey, CallbackUrls, PaymentId};
use malipo_receiver::{SourceMode, Sources};
use tower_service::Service as _;

use crate::rig::{ACCOUNT, Served, Stand, ask, path, urls_long_before};

/// The one answer to all of it.
pub(crate) const NOBODYS: &str =
    "HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\ndate: now\r\n\r\n";

/// The answer, but for the time. To HEAD, hyper writes the same lines in another order.
pub(crate) fn timeless(answer: &str) -> String {
    let (length, connection) = ("content-length: 0\r\n", "connection: close\r\n");
    let answer = answer.replace(&format!("{length}{connection}"), &format!("{connection}{length}"));
    let at = answer.find("date: ").unwrap_or_else(|| panic!("no date in {answer:?}"));
    let end = answer[at..].find("\r\n").unwrap() + at;
    format!("{}date: now{}", &answer[..at], &answer[end..])
}

/// A method and a path that nobody is answered at, each wrong in a way of its own.
pub(crate) fn wrongs(stand: &Stand) -> Vec<(&'static str, &'static str, String)> {
    let good = stand.path_of(12);
    let parts = || good.split('/').map(str::to_owned).collect::<Vec<_>>();
    let with = |at: usize, part: &str| {
        let mut parts = parts();
        part.clone_into(&mut parts[at]);
        parts.join("/")
    };
    let (version, key, account, payment, purpose, tag) = (2, 3, 4, 5, 6, 7);
    let digit = |at: usize| {
        let mut digits = parts()[tag].clone().into_bytes();
        digits[at] = if digits[at] == b'0' { b'1' } else { digits[at] - 1 };
        String::from_utf8(digits).unwrap()
    };
    let stranger =
        CallbackKey::new(7, malipo_core::Secret::new("a key that is somebody else's, of 7")).unwrap();
    let stranger = CallbackUrls::new("https://pay.example.com/callbacks", stranger).unwrap();
    let address = Address::of(3, PaymentId(12), DeliveryPurpose::Result);
    vec![
        ("a tag whose last digit is off by one", "POST", with(tag, &digit(38))),
        ("a tag whose first digit is off by one", "POST", with(tag, &digit(0))),
        ("a tag of zeros", "POST", with(tag, &"0".repeat(39))),
        ("a short tag", "POST", with(tag, "17")),
        ("a tag of letters", "POST", with(tag, &"a".repeat(39))),
        ("no tag", "POST", with(tag, "")),
        ("a key of ours made by another", "POST", path(&stranger.mint(address).unwrap())),
        ("a key that is past its time", "POST", path(&urls_long_before().mint(address).unwrap())),
        ("a key that is unknown", "POST", with(key, "8")),
        ("another version", "POST", with(version, "2")),
        ("another account", "POST", with(account, "4")),
        ("account 0", "POST", with(account, "0")),
        ("another payment", "POST", with(payment, "13")),
        ("no payment", "POST", with(payment, "0")),
        ("a payment with a zero before it", "POST", with(payment, "012")),
        ("another purpose", "POST", with(purpose, "2")),
        ("a purpose that is none", "POST", with(purpose, "99")),
        ("something behind it", "POST", format!("{good}/1")),
        ("a slash behind it", "POST", format!("{good}/")),
        ("GET of a good path", "GET", good.clone()),
        ("PUT to a good path", "PUT", good.clone()),
        ("DELETE of a good path", "DELETE", good.clone()),
        ("OPTIONS of a good path", "OPTIONS", good.clone()),
        ("HEAD of a good path", "HEAD", good.clone()),
        ("PATCH of a good path, in a made-up spelling", "patch", good),
        ("GET of nothing", "GET", "/".to_owned()),
        ("HEAD of nothing", "HEAD", "/".to_owned()),
        ("nothing", "POST", "/".to_owned()),
        ("something else", "POST", "/.git/config".to_owned()),
        ("what nobody could decode", "POST", "/callbacks/%ff%00%zz/1/2/3/4/5/6".to_owned()),
        ("everything", "OPTIONS", "*".to_owned()),
        ("another host", "POST", "http://other.example.com/".to_owned()),
        ("a long path", "POST", format!("/{}", "7".repeat(3000))),
    ]
}

fn plain(method: &str, path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn every_refusal_is_one_empty_404_byte_for_byte() {
    let stand = Stand::new();
    let served = Served::start(stand.receiver()).await;
    let mut answers = Vec::new();
    for (wrong, method, path) in wrongs(&stand) {
        for body in ["", "{}", &"x".repeat(20_000)] {
            let answer = timeless(&ask(served.at, &plain(method, &path, body)).await);
            answers.push((format!("{wrong}, with {} bytes", body.len()), answer));
        }
    }
    // And what has a good tag and comes from somewhere else.
    let far = Sources::new(SourceMode::Enforce, ["192.0.2.0/24"]).unwrap();
    let enforcing = Served::start(stand.receiver().with_sources(&ACCOUNT, far).unwrap()).await;
    answers.push((
        "from elsewhere".into(),
        timeless(&ask(enforcing.at, &plain("POST", &stand.path(), "{}")).await),
    ));
    for (wrong, answer) in answers {
        assert_eq!(answer, NOBODYS, "{wrong}");
    }
    assert!(stand.kept().await.is_empty());
}

#[tokio::test]
async fn the_service_of_another_server_refuses_the_same_way() {
    let stand = Stand::new();
    let mut answers = Vec::new();
    for (wrong, method, path) in wrongs(&stand) {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Full::<bytes::Bytes>::from("{}")).unwrap();
        let (parts, body) = stand.receiver().call(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        answers.push((wrong, format!("{parts:?} {body:?}")));
    }
    let (_, first) = answers[0].clone();
    assert!(first.contains("status: 404") && first.ends_with(r#"b"""#), "{first}");
    for (wrong, answer) in answers {
        assert_eq!(answer, first, "{wrong}");
    }
    assert!(stand.kept().await.is_empty());
}
