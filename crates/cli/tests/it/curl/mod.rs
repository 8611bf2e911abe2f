//! What somebody finds who tries the simulator with the examples that the gateways print: every request of their pages
//! goes to it as it is printed, by the `curl` program, and gets the printed answer or a refusal that names what is wrong
//! with the example. Mended where refusals said so and nowhere else, each gets its printed answer.

mod answer;
mod client;
mod daraja;
mod kasapay;
mod kyanda;
mod sasapay;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use answer::{Answer, differences};
use client::{Client, Sent};

/// A gateway's page.
struct Page {
    /// The gateway, as the simulator and its provider's folder are called.
    gateway: &'static str,
    /// Where the page says that the gateway is. The simulator stands in for it.
    host: &'static str,
    /// How to get a token, where the page takes for granted that one has it.
    door: Option<&'static str>,
    /// In an order in which each can be answered.
    examples: &'static [Example],
}

/// A request as a page prints it.
struct Example {
    /// The heading it stands under.
    name: &'static str,
    /// The command line up to its body. Where the page prints none, it is ours with the parts that are printed.
    line: &'static str,
    body: Body,
    /// One behind the other, as the simulator finds them.
    faults: &'static [Fault],
    /// What the page prints below it.
    answer: Answer,
    /// What the answer has done.
    books: Books,
}

/// The body of a request, and how it is handed to curl.
#[derive(Clone, Copy)]
enum Body {
    None,
    /// In the command line, as it is printed.
    Data(&'static str),
    Stdin(&'static str),
}

/// Something wrong with an example.
struct Fault {
    /// The HTTP status it gets.
    status: u16,
    refusal: Refusal,
    /// What puts it right.
    mends: &'static [Mend],
}

impl Fault {
    /// One that the refusal names with all of these words.
    const fn named(status: u16, words: &'static [&'static str], mends: &'static [Mend]) -> Self {
        Self { status, refusal: Refusal::Names(words), mends }
    }
}

enum Refusal {
    /// All of this is in it.
    Names(&'static [&'static str]),
    /// The page prints it.
    Printed(Answer),
}

enum Mend {
    /// Some text that the request has once makes way for another.
    Put(&'static str, With),
    /// The signature makes way for that of the values at these JSON pointers, in this order.
    Sign(&'static [&'static str]),
}

#[derive(Clone, Copy)]
enum With {
    Text(&'static str),
    /// What `/_sim/accounts` has under this name.
    Account(&'static str),
    /// What an answer had under this name, the last that had it.
    Told(&'static str),
    /// The initiator's password, encrypted.
    Credential,
    /// The code that was sent to a payer last.
    Code,
}

/// What the gateway's ledger shows once an example is answered and all is decided.
enum Books {
    Untouched,
    /// One payment more: its state, who is paid or pays, and the amount.
    Entered(&'static str, &'static str, &'static str),
    /// One payment more, which was refused for this reason: code and words.
    Refused(&'static str, &'static str),
    /// The last payment is paid now.
    Settled,
}

const PAGES: &[Page] = &[kasapay::PAGE, daraja::PAGE, sasapay::PAGE, kyanda::PAGE];

/// Sends the examples of a page to a simulator of their own.
fn run(page: &Page) {
    let mut client = Client::start(page);
    for example in page.examples {
        attempt(&mut client, example);
    }
}

fn attempt(client: &mut Client, example: &Example) {
    let name = example.name;
    let mut sent = Sent::printed(example, client);
    let before = client.payments();
    for Fault { status, refusal, mends } in example.faults {
        let reply = client.send(&sent);
        assert_eq!(reply.status, *status, "{name}: {}", reply.text);
        match refusal {
            Refusal::Names(pieces) => {
                for piece in *pieces {
                    assert!(reply.text.contains(piece), "{name}: {piece} in {}", reply.text);
                }
            }
            Refusal::Printed(answer) => assert_eq!(differences(answer, &reply.text), [""; 0], "{name}"),
        }
        assert_eq!(client.payments(), before, "{name}: refused, and in the books");
        for mend in *mends {
            sent.mend(client, mend);
        }
    }
    let reply = client.send(&sent);
    assert_eq!(reply.status, 200, "{name}: {}", reply.text);
    assert_eq!(differences(&example.answer, &reply.text), [""; 0], "{name}: {}", reply.text);
    client.learn(&reply);
    check_books(client, example, &before);
}

/// Whether an example that was answered has done what it should to the payments there were.
fn check_books(client: &Client, example: &Example, before: &[Value]) {
    let name = example.name;
    let after = client.payments();
    let entered = usize::from(matches!(example.books, Books::Entered(..) | Books::Refused(..)));
    assert_eq!(after.len(), before.len() + entered, "{name}: {after:?}");
    let last = || after.last().unwrap();
    let shows = |names: [&str; 3]| names.map(|name| last()[name].as_str().unwrap_or_default());
    match example.books {
        Books::Untouched => assert_eq!(after, before, "{name}"),
        Books::Entered(state, party, amount) => {
            assert_eq!(shows(["state", "party", "amount"]), [state, party, amount], "{name}");
        }
        Books::Refused(code, words) => {
            assert_eq!(shows(["state", "code", "text"]), ["refused", code, words], "{name}");
        }
        Books::Settled => {
            assert_eq!(before.last().unwrap()["state"], "accepted", "{name}");
            assert_eq!(last()["state"], "paid", "{name}");
        }
    }
    let paid = after.iter().filter(|payment| payment["state"] == "paid").count();
    assert_eq!(client.moves().len(), paid, "{name}: every payment that is paid moved money once");
}

/// After `cargo xtask test --without` one of them, which itself says NOT RUN.
fn is_without(tools: &[&str]) -> bool {
    let without = std::env::var_os("MALIPO_WITHOUT").unwrap_or_default();
    without.to_string_lossy().split(',').any(|tool| tools.contains(&tool))
}

#[test]
fn every_example_of_every_page_is_tried() {
    let printed: [&[&str]; 4] = [
        &[
            "Authentication Request Payload",
            "Example Authentication Request",
            "Payout Request Payload",
            "Example Payout Request",
            "Example Status Query Request",
        ],
        &["Request Body"],
        &[
            "C2B Payment Request from SasaPay User",
            "Process Payment",
            "C2B Payment Request from Mobile Money",
        ],
        &[
            "Check Account Balance",
            "Mobile Wallet Payout API",
            "Bank Payout API",
            "Check Transaction Status",
            "Mobile Checkout",
            "Airtime API",
            "Pay Bill API",
            "Voucher/Pin Airtime API",
            "Callback URL Registration",
        ],
    ];
    for (page, printed) in PAGES.iter().zip(printed) {
        let tried: Vec<_> = page.examples.iter().map(|example| example.name).collect();
        assert_eq!(tried, printed, "{}", page.gateway);
    }
    assert_eq!(PAGES.iter().map(|page| page.examples.len()).sum::<usize>(), 18);
}

#[test]
fn every_printed_body_is_one_that_the_provider_is_tested_with() {
    for page in PAGES {
        let rooms = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let folder = rooms.join(page.gateway).join("tests/it/fixtures");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let requests = files.filter(|path| path.file_name().unwrap().to_string_lossy().contains("request"));
        let kept: BTreeSet<_> = requests.map(|path| std::fs::read_to_string(path).unwrap()).collect();
        let bodies = page.examples.iter().filter_map(|example| match example.body {
            Body::None => None,
            Body::Data(body) | Body::Stdin(body) => Some(body.to_owned()),
        });
        assert_eq!(bodies.collect::<BTreeSet<_>>(), kept, "{}", page.gateway);
    }
}
