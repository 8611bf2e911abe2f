//! What source may not say, and how it may not look.

use super::{RING, Repository, broken, house};

goes_red! {
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
    a_timeout_in_a_tree: "ambient" at "crates/transport/src/lib.rs:2" when |house| {
        house.append("crates/transport/src/lib.rs", "use tokio::{net, time::{timeout, interval}};\n");
    };
    something_is_static: "process-defaults" at "crates/sim/src/lib.rs:3" when |house| {
        house.append("crates/sim/src/lib.rs", "const A: &'static str = \"\";\nstatic B: &str = \"\";\n");
    };
    the_facade_keeps_something: "process-defaults" at "crates/malipo/src/lib.rs:3" when |house| {
        house.append("crates/malipo/src/lib.rs", "pub static A: u8 = 1;\n");
    };
    a_library_reads_the_environment: "environment" at "crates/transport/src/lib.rs:2" when |house| {
        house.append("crates/transport/src/lib.rs", "use std::{env, fmt};\n");
    };
    a_library_reads_a_variable: "environment" at "crates/sim/src/lib.rs:2" when |house| {
        house.append("crates/sim/src/lib.rs", "fn f() { env::var_os(\"A\") }\n");
    };
    a_feature_replaces: "additive-features" at "crates/sim/src/lib.rs:2" when |house| {
        house.append("crates/sim/src/lib.rs", "#[cfg(all(unix, not(feature = \"a\")))]\nfn f() {}\n");
    };
    a_feature_takes_away: "additive-features" at "crates/transport/src/lib.rs:2" when |house| {
        house.append("crates/transport/src/lib.rs", "#[cfg(not(any(feature = \"a\")))]\nfn f() {}\n");
    };
    an_attribute_hangs_on_no_feature: "additive-features" at "crates/core/src/lib.rs:2" when |house| {
        house.append("crates/core/src/lib.rs", "#[cfg_attr(not(feature = \"a\"), b)]\nfn f() {}\n");
    };
    cryptography_outside_a_transport: "additive-features" at "crates/daraja/src/config.rs:2" when |house| {
        house.append("crates/daraja/src/config.rs", RING);
    };
    the_send_path_loops: "resends" at "crates/transport/src/gateway.rs:2" when |house| {
        house.write("crates/transport/src/gateway.rs", "impl A for B {}\nfn f() { for a in b {} }\n");
    };
    a_transport_sends_in_a_loop: "resends" at "crates/reqwest/src/lib.rs:3" when |house| {
        let code = "fn f() { while g() {} client.execute(a) }\nfn h() { while b { client.execute(a) } }\n";
        house.append("crates/reqwest/src/lib.rs", code);
    };
    a_condition_sends: "resends" at "crates/reqwest/src/lib.rs:2" when |house| {
        house.append("crates/reqwest/src/lib.rs", "fn f() { while client.send(a).is_err() {} }\n");
    };
    something_for_later: "unfinished" at "crates/core/src/lib.rs:2" when |house| {
        house.append("crates/core/src/lib.rs", "// TODO: the rest\n");
    };
    something_clever: "unfinished" at "crates/core/src/lib.rs:2" when |house| {
        house.append("crates/core/src/lib.rs", "fn f() {} // HACK\n");
    };
    a_flag_that_may_be_absent: "boolean-parameters" at "crates/core/src/lib.rs:3" when |house| {
        house.append("crates/core/src/lib.rs", "fn f() -> Option<bool> { g }\nfn g(now: Option<bool>) {}\n");
    };
    a_flag_by_reference: "boolean-parameters" at "crates/core/src/lib.rs:2" when |house| {
        house.append("crates/core/src/lib.rs", "fn f<'a>(now: &'a bool) {}\n");
    };
    an_undecided_enum: "open-enums" at "crates/core/src/lib.rs:8" when |house| {
        let code = "/// Closed on\n/// purpose: two.\n#[derive(Debug)]\npub enum A {}\n\
                    #[non_exhaustive]\npub enum B {}\npub enum C {}\npub(crate) enum D {}\n";
        house.append("crates/core/src/lib.rs", code);
    };
}
