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
        self.write(&format!("{folder}/README.md"), "One sentence.\n");
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
    house.write("docs/gateways/daraja.md", "Daraja.\n");
    for (package, on) in [("malipo-daraja", "malipo-core"), ("malipo-daraja", "malipo-transport")] {
        house.depend(package, on, Table::Normal);
    }
    house.depend("malipo-daraja", "malipo-sim", Table::Dev);
    house
}

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
        const TESTED: &[&str] = &[$($rule),*];
    };
}

#[test]
fn every_rule_has_a_test() {
    let untested: Vec<_> = rules().map(|rule| rule.name).filter(|name| !TESTED.contains(name)).collect();
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

goes_red! {
    a_folder_outside_the_table: "rooms" at "crates/bank/notes.md:1" when |house| {
        house.write("crates/bank/notes.md", "");
    };
    a_package_with_another_name: "rooms" at "crates/sim/Cargo.toml:1" when |house| {
        let at = house.packages.iter().position(|package| package.name == "malipo-sim").unwrap();
        house.packages.remove(at);
    };
    core_uses_ours: "edges" at "crates/core/Cargo.toml:4" when |house| {
        house.depend("malipo-core", "malipo-transport", Table::Normal);
    };
    sim_tests_with_a_provider: "edges" at "crates/sim/Cargo.toml:4" when |house| {
        house.depend("malipo-sim", "malipo-daraja", Table::Dev);
    };
    a_provider_builds_on_the_testkit: "edges" at "crates/daraja/Cargo.toml:10" when |house| {
        house.depend("malipo-daraja", "malipo-testkit", Table::Normal);
    };
    a_provider_builds_with_the_sim: "edges" at "crates/daraja/Cargo.toml:10" when |house| {
        house.depend("malipo-daraja", "malipo-sim", Table::Build);
    };
    the_journal_tests_with_a_transport: "edges" at "crates/journal/Cargo.toml:4" when |house| {
        house.depend("malipo-journal", "malipo-transport", Table::Dev);
    };
    the_cli_uses_the_testkit: "edges" at "crates/cli/Cargo.toml:4" when |house| {
        house.depend("malipo-cli", "malipo-testkit", Table::Normal);
    };
    xtask_uses_ours: "edges" at "xtask/Cargo.toml:4" when |house| {
        house.depend("xtask", "malipo-core", Table::Normal);
    };
    somebody_uses_xtask: "edges" at "crates/cli/Cargo.toml:4" when |house| {
        house.depend("malipo-cli", "xtask", Table::Dev);
    };
    core_tests_with_http: "outsiders" at "crates/core/Cargo.toml:4" when |house| {
        house.depend("malipo-core", "http", Table::Dev);
    };
    core_needs_a_runtime: "outsiders" at "crates/core/Cargo.toml:4" when |house| {
        house.depend("malipo-core", "tokio", Table::Normal);
    };
    transport_has_sockets: "outsiders" at "crates/transport/Cargo.toml:4" when |house| {
        house.depend("malipo-transport", "hyper", Table::Normal);
    };
    a_provider_has_a_client: "outsiders" at "crates/daraja/Cargo.toml:10" when |house| {
        house.depend("malipo-daraja", "reqwest", Table::Normal);
    };
    a_transport_links_a_resender: "outsiders" at "crates/reqwest/Cargo.toml:4" when |house| {
        house.depend("malipo-reqwest", "backon", Table::Normal);
    };
    xtask_is_published: "publication" at "xtask/Cargo.toml:1" when |house| {
        house.package("xtask").publication = Publication::Published;
    };
    encode_waits: "pure-parts" at "crates/daraja/src/encode.rs:2" when |house| {
        house.append("crates/daraja/src/encode.rs", "fn f() { g().await }\n");
    };
    decode_logs: "pure-parts" at "crates/daraja/src/decode.rs:2" when |house| {
        house.append("crates/daraja/src/decode.rs", "use tracing::debug;\n");
    };
    callback_asks_an_env: "pure-parts" at "crates/daraja/src/callback.rs:2" when |house| {
        house.append("crates/daraja/src/callback.rs", "fn f(env: &dyn Env) {}\n");
    };
    provider_builds_a_url: "provider-only-joins" at "crates/daraja/src/provider.rs:3" when |house| {
        house.append("crates/daraja/src/provider.rs", "fn f() {\n g(\"mpesa/b2c\") }\n");
    };
    provider_names_json: "provider-only-joins" at "crates/daraja/src/provider.rs:2" when |house| {
        house.append("crates/daraja/src/provider.rs", "use serde_json::Value;\n");
    };
    provider_matches_a_status: "provider-only-joins" at "crates/daraja/src/provider.rs:2" when |house| {
        house.append("crates/daraja/src/provider.rs", "fn f() { match response . status() {} }\n");
    };
    a_provider_spawns: "quiet-providers" at "crates/daraja/src/config.rs:2" when |house| {
        house.append("crates/daraja/src/config.rs", "fn f() { spawn(g()) }\n");
    };
    a_provider_reads_the_environment: "quiet-providers" at "crates/daraja/src/config.rs:2" when |house| {
        house.append("crates/daraja/src/config.rs", "use std::env;\n");
    };
    a_provider_loops: "quiet-providers" at "crates/daraja/src/provider.rs:2" when |house| {
        house.append("crates/daraja/src/provider.rs", "fn f() { loop { g() } }\n");
    };
    a_provider_knows_another: "strangers" at "crates/daraja/src/wire.rs:801" when |house| {
        house.append("crates/daraja/src/wire.rs", "struct KyandaCode;\n");
    };
    the_facade_has_logic: "facade-has-no-fn" at "crates/malipo/src/lib.rs:3" when |house| {
        house.append("crates/malipo/src/lib.rs", "pub fn f() {}\n");
    };
    core_knows_a_gateway: "core-names-no-gateway" at "crates/core/src/lib.rs:2" when |house| {
        house.append("crates/core/src/lib.rs", "//! As SasaPay does.\n");
    };
    a_transport_knows_money: "transports-name-no-payment" at "crates/reqwest/src/lib.rs:2" when |house| {
        house.append("crates/reqwest/src/lib.rs", "use malipo_core::Money;\n");
    };
    a_secret_is_exposed: "exposed-secrets" at "crates/daraja/src/decode.rs:3" when |house| {
        house.append("crates/daraja/src/decode.rs", "fn f() { key\n.expose(); }\n");
    };
    a_listed_file_in_the_wrong_room: "exposed-secrets" at "crates/sim/src/credential.rs:1" when |house| {
        house.write("crates/sim/src/credential.rs", "fn f() { key.expose(); }\n");
    };
    secrecy_is_bypassed: "exposed-secrets" at "crates/testkit/src/lib.rs:2" when |house| {
        house.append("crates/testkit/src/lib.rs", "use secrecy::ExposeSecret;\n");
    };
    a_clock_is_read: "ambient" at "crates/cli/src/lib.rs:2" when |house| {
        house.append("crates/cli/src/lib.rs", "fn f() { SystemTime::now(); }\n");
    };
    somebody_sleeps: "ambient" at "crates/transport/src/lib.rs:2" when |house| {
        house.append("crates/transport/src/lib.rs", "use tokio::time::sleep;\n");
    };
    dice_are_rolled: "ambient" at "crates/sim/src/lib.rs:2" when |house| {
        house.append("crates/sim/src/lib.rs", "fn f() { getrandom::fill(x) }\n");
    };
    a_default_is_installed: "process-defaults" at "crates/cli/src/lib.rs:2" when |house| {
        house.append("crates/cli/src/lib.rs", "fn f() { provider().install_default() }\n");
    };
    something_is_global: "process-defaults" at "crates/transport/src/lib.rs:2" when |house| {
        house.append("crates/transport/src/lib.rs", "static A: LazyLock<u8> = f();\n");
    };
    a_feature_decides: "additive-features" at "crates/transport/src/lib.rs:2" when |house| {
        house.append("crates/transport/src/lib.rs", "fn f() { if cfg!(feature = \"b\") {} }\n");
    };
    a_transport_backs_off: "resends" at "crates/transport/src/lib.rs:2" when |house| {
        house.append("crates/transport/src/lib.rs", "fn f() { backoff() }\n");
    };
    a_float: "floats" at "crates/core/src/lib.rs:2" when |house| {
        house.append("crates/core/src/lib.rs", "const A: u8 = 1.5f64;\n");
    };
    work_left_over: "unfinished" at "crates/core/src/lib.rs:2" when |house| {
        house.append("crates/core/src/lib.rs", "fn f() { todo!() }\n");
    };
    a_note_left_over: "unfinished" at "crates/core/src/lib.rs:3" when |house| {
        house.append("crates/core/src/lib.rs", "/*\nFIXME: later */\n");
    };
    a_test_is_off: "unfinished" at "crates/daraja/tests/it/main.rs:3" when |house| {
        house.append("crates/daraja/tests/it/main.rs", "#[ignore = \"slow\"]\n");
    };
    a_provider_without_a_part: "roster" at "crates/daraja/src/decode.rs:1" when |house| {
        house.files.remove("crates/daraja/src/decode.rs");
    };
    daraja_without_its_extra_part: "roster" at "crates/daraja/src/credential.rs:1" when |house| {
        house.files.remove("crates/daraja/src/credential.rs");
    };
    a_gateway_without_a_face: "roster" at "crates/sim/src/gateways/daraja.rs:1" when |house| {
        house.files.remove("crates/sim/src/gateways/daraja.rs");
    };
    a_gateway_without_a_page: "roster" at "docs/gateways/daraja.md:1" when |house| {
        house.files.remove("docs/gateways/daraja.md");
    };
    a_provider_without_a_feature: "roster" at "crates/malipo/Cargo.toml:1" when |house| {
        house.package("malipo").features.clear();
    };
    a_provider_not_re_exported: "roster" at "crates/malipo/src/lib.rs:1" when |house| {
        house.replace("crates/malipo/src/lib.rs", "pub use malipo_daraja", "// pub use malipo_daraja");
    };
    a_provider_not_conforming: "roster" at "crates/daraja/tests/it/main.rs:1" when |house| {
        house.replace("crates/daraja/tests/it/main.rs", "malipo_testkit::conformance!(daraja)", "mod conformance");
    };
    a_provider_too_small: "provider-size" at "crates/daraja/src/lib.rs:1" when |house| {
        house.write("crates/daraja/src/wire.rs", "\n");
    };
    a_provider_too_large: "provider-size" at "crates/daraja/src/lib.rs:1" when |house| {
        house.append("crates/daraja/src/wire.rs", &"\n".repeat(500));
    };
    no_lints: "manifest" at "crates/core/Cargo.toml:1" when |house| {
        house.write("crates/core/Cargo.toml", "[package]\nworkspace = true\n");
    };
    no_licence: "manifest" at "crates/core/Cargo.toml:1" when |house| {
        house.package("malipo-core").license = None;
    };
    a_version_of_its_own: "versions" at "crates/core/Cargo.toml:4" when |house| {
        house.append("crates/core/Cargo.toml", "[dev-dependencies]\nserde = \"1\"\n");
    };
    a_wildcard: "versions" at "Cargo.toml:3" when |house| {
        house.append("Cargo.toml", "http = { version = \"*\" }\n");
    };
    no_front_page: "front-page" at "crates/core/README.md:1" when |house| {
        house.files.remove("crates/core/README.md");
    };
    a_front_page_not_shown: "front-page" at "crates/core/src/lib.rs:1" when |house| {
        house.write("crates/core/src/lib.rs", "//! Core.\n");
    };
    a_stranger_at_the_top: "top-level" at "notes.txt:1" when |house| {
        house.write("notes.txt", "");
    };
    a_long_file: "long-files" at "crates/daraja/src/wire.rs:401" when |house| {
        house.replace("crates/daraja/src/wire.rs", "a house of few bricks", "");
    };
    a_long_function: "long-functions" at "crates/core/src/lib.rs:2" when |house| {
        house.append("crates/core/src/lib.rs", &format!("fn f(a: [u8; 2]) {{{}}}\n", "\n".repeat(60)));
    };
    a_getter: "names" at "crates/core/src/lib.rs:2" when |house| {
        house.append("crates/core/src/lib.rs", "fn get_amount() {}\n");
    };
    a_vague_type: "names" at "crates/core/src/lib.rs:2" when |house| {
        house.append("crates/core/src/lib.rs", "struct PaymentManager;\n");
    };
    an_alias: "names" at "crates/core/src/lib.rs:3" when |house| {
        house.append("crates/core/src/lib.rs", "impl A for B { type C = D; }\ntype Shillings = u64;\n");
    };
    a_flag: "boolean-parameters" at "crates/core/src/lib.rs:3" when |house| {
        house.append("crates/core/src/lib.rs", "fn f(\n now: bool) -> bool { let a: bool = now; a }\n");
    };
    a_file_elsewhere: "own-files" at "docs/gateways/daraja.md:2" when |house| {
        house.append("docs/gateways/daraja.md", concat!("See ../", "shared/daraja.txt\n"));
    };
    a_snapshot_in_waiting: "pending-snapshots" at "crates/daraja/tests/it/snapshots/it__wallet.snap.new:1" when |house| {
        house.write("crates/daraja/tests/it/snapshots/it__wallet.snap.new", "");
    };
    a_snapshot_of_nothing: "stray-snapshots" at "crates/daraja/tests/it/snapshots/it__paybill.snap:1" when |house| {
        house.write("crates/daraja/tests/it/snapshots/it__paybill.snap", "");
    };
}
