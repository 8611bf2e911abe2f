//! A small house that keeps every rule, and one test for each way to break one.

use super::{Repository, rules, violations};
use crate::metadata::{Dependency, Package, Presence, Product, Publication, Table};

impl Repository {
    /// Writes a file, or writes it anew.
    fn write(&mut self, path: &str, text: &str) {
        self.files.insert(path.to_owned(), text.to_owned());
    }

    /// Adds code below what a file has. A house file is at least one line.
    fn append(&mut self, path: &str, text: &str) {
        self.files.entry(path.to_owned()).or_default().push_str(text);
    }

    fn replace(&mut self, path: &str, from: &str, to: &str) {
        let text = self.files.get_mut(path).unwrap();
        assert!(text.contains(from), "{path} has no {from}");
        *text = text.replace(from, to);
    }

    fn package(&mut self, name: &str) -> &mut Package {
        self.packages.iter_mut().find(|package| package.name == name).unwrap()
    }

    fn depend(&mut self, package: &str, on: &str, table: Table) {
        let dependency = Dependency {
            name: on.to_owned(),
            requirement: "^1".to_owned(),
            table,
            presence: Presence::Required,
        };
        self.package(package).dependencies.push(dependency);
        let folder = self.package(package).folder.clone();
        self.append(
            &format!("{folder}/Cargo.toml"),
            &format!("[{}]\n{on}.workspace = true\n", table.heading()),
        );
    }

    fn settle(&mut self, name: &str, folder: &str) {
        self.packages.push(Package {
            name: name.to_owned(),
            folder: folder.to_owned(),
            publication: if name == "xtask" { Publication::Unpublished } else { Publication::Published },
            license: Some("MIT OR Apache-2.0".to_owned()),
            readme: Some("README.md".to_owned()),
            features: Vec::new(),
            product: Product::Library,
            dependencies: Vec::new(),
        });
        self.write(&format!("{folder}/Cargo.toml"), "[lints]\nworkspace = true\n");
        self.write(&format!("{folder}/README.md"), "One sentence.\n\n## The one thing to understand first\n");
        self.write(&format!("{folder}/src/lib.rs"), "#![doc = include_str!(\"../README.md\")]\n");
    }
}

/// Nothing in it breaks a rule. Every `Cargo.toml` has two lines and every `lib.rs` one.
fn house() -> Repository {
    let mut house = Repository::default();
    house.write("Cargo.toml", "[workspace.dependencies]\nserde = \"1\"\n");
    house.settle("xtask", "xtask");
    for room in ["core", "transport", "reqwest", "daraja", "journal", "sim", "testkit", "cli"] {
        house.settle(&format!("malipo-{room}"), &format!("crates/{room}"));
    }
    house.settle("malipo", "crates/malipo");
    house.package("malipo").features.push("daraja".to_owned());
    house.append("crates/malipo/src/lib.rs", "pub use malipo_daraja as daraja;\n");
    for part in ["config", "encode", "decode", "callback", "provider", "credential"] {
        house.write(&format!("crates/daraja/src/{part}.rs"), "\n");
    }
    house.write("crates/daraja/src/wire.rs", &(EXPLAINED.to_owned() + &"\n".repeat(799)));
    house.write("crates/daraja/tests/it/main.rs", "malipo_testkit::conformance!(daraja);\nfn wallet() {}\n");
    house.write("crates/daraja/tests/it/snapshots/it__wallet-2.snap", "---\n");
    house.write("crates/sim/src/gateways/daraja.rs", "\n");
    house.write("docs/gateways/daraja.md", "Daraja knows `1`.\n");
    house.write("docs/unverified.md", "## Daraja: ids\n");
    let rooms: Vec<_> = house.rooms().map(|room| format!("`{}`", room.name)).collect();
    house.write("docs/architecture.md", &(rooms.join(" ") + "\n"));
    for (package, on) in [("malipo-daraja", "malipo-core"), ("malipo-daraja", "malipo-transport")] {
        house.depend(package, on, Table::Normal);
    }
    house.depend("malipo-daraja", "malipo-sim", Table::Dev);
    house
}

/// A condition that only a transport may have.
const RING: &str = "#[cfg(all(feature = \"ring\", not(feature = \"aws-lc-rs\")))]\nfn f() {}\n";

const EXPLAINED: &str = "// tidy: over 400 lines: a house of few bricks\n";

/// The broken rules and their places, as `rule path:line`.
fn broken(house: &Repository) -> Vec<String> {
    let mut broken: Vec<_> = violations(house)
        .into_iter()
        .map(|violation| format!("{} {}:{}", violation.rule, violation.finding.path, violation.finding.line))
        .collect();
    broken.dedup();
    broken
}

/// One test for each break: the house keeps every rule, then only the named one goes red, at the named place.
macro_rules! goes_red {
    ($($test:ident: $rule:literal at $place:literal when $break:expr;)*) => {
        $(#[test]
        fn $test() {
            let mut house = house();
            assert_eq!(broken(&house), [""; 0]);
            let work: fn(&mut Repository) = $break;
            work(&mut house);
            assert_eq!(broken(&house), [concat!($rule, " ", $place)]);
        })*

        /// The rules that have a test.
        pub(super) const TESTED: &[&str] = &[$($rule),*];
    };
}

mod providers;
mod sources;
mod structure;

#[test]
fn every_rule_has_a_test() {
    let tested = [providers::TESTED, sources::TESTED, structure::TESTED].concat();
    let untested: Vec<_> = rules().map(|rule| rule.name).filter(|name| !tested.contains(name)).collect();
    assert_eq!(untested, [""; 0]);
}

#[test]
fn comments_strings_and_tests_do_not_count() {
    let mut house = house();
    house.append(
        "crates/daraja/src/encode.rs",
        "// SystemTime::now()\n/* spawn(x).await */ const A: &str = \"println!\";\n",
    );
    house.append(
        "crates/daraja/src/decode.rs",
        "#[cfg(test)]\nmod tests { fn f() { println!(\"{}\", x.expose()) } }\n",
    );
    house.write("crates/daraja/tests/it/wallet.rs", "fn f() { secret.expose(); SystemTime::now(); }\n");
    house.write("crates/core/src/env.rs", "fn f() { SystemTime::now(); }\n");
    house.write("crates/core/src/secret.rs", "fn expose() { self.expose(); self.0.expose_secret(); }\n");
    house.append("crates/daraja/src/credential.rs", "fn f() { key.expose(); }\n");
    assert_eq!(broken(&house), [""; 0]);
}

#[test]
fn a_transport_chooses_its_cryptography() {
    let mut house = house();
    let none = "#[cfg(not(any(feature = \"aws-lc-rs\", feature = \"ring\")))]\n";
    house.append("crates/reqwest/src/lib.rs", &format!("{none}compile_error!(\"a\");\n{RING}"));
    house.write("crates/reqwest/src/tls.rs", &format!("{none}fn g() {{}}\n"));
    assert_eq!(broken(&house), [""; 0]);
}

#[test]
fn words_and_accounts_are_no_violations() {
    let mut house = house();
    house.append("crates/core/src/lib.rs", "struct UtilityAccount;\nstruct Commonwealth;\n");
    house.append("crates/cli/src/lib.rs", "fn f() { std::env::args(); }\npub enum A {}\n");
    house.write("crates/testkit/src/bin/a.rs", "fn f() { std::env::args(); }\n");
    house.append("docs/architecture.md", "`[a](b)` [c](https://d.e) [f](g::h)\n```text\n[i](j)\n```\n");
    assert_eq!(broken(&house), [""; 0]);
}

#[test]
fn a_violation_says_where_what_and_why() {
    let mut house = house();
    house.append("crates/sim/src/lib.rs", "fn f() { Instant::now() }\n");
    let told: Vec<_> = violations(&house).iter().map(ToString::to_string).collect();
    let expected = "crates/sim/src/lib.rs:2: `Instant::now`\n    rule ambient: time, randomness and sleep come from an \
                    Env, or the simulated world cannot repeat itself";
    assert_eq!(told, [expected]);
}

#[test]
fn kasapay_says_that_it_is_not_the_other_one() {
    let complaint = "front-page crates/kasapay/README.md:1".to_owned();
    let mut house = house();
    house.write("crates/kasapay/README.md", "One sentence.\n");
    assert!(broken(&house).contains(&complaint));
    house.write("crates/kasapay/README.md", "Not crates.io's `kasapay`, an unrelated library.\n");
    assert!(!broken(&house).contains(&complaint));
}
