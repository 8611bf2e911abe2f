//! What a provider may not do.

use super::{Repository, broken, house};

goes_red! {
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
    encode_mints: "pure-parts" at "crates/daraja/src/encode.rs:2" when |house| {
        house.append("crates/daraja/src/encode.rs", "fn f() { Reference::mint(g) }\n");
    };
    decode_reads_a_file: "pure-parts" at "crates/daraja/src/decode.rs:2" when |house| {
        house.append("crates/daraja/src/decode.rs", "use std::{fmt, fs};\n");
    };
    callback_remembers: "pure-parts" at "crates/daraja/src/callback.rs:2" when |house| {
        house.append("crates/daraja/src/callback.rs", "struct Seen(std::sync::Mutex<u8>);\n");
    };
    callback_counts: "pure-parts" at "crates/daraja/src/callback.rs:2" when |house| {
        house.append("crates/daraja/src/callback.rs", "use std::sync::{Arc, atomic::AtomicU64};\n");
    };
    provider_names_a_field: "provider-only-joins" at "crates/daraja/src/provider.rs:4" when |house| {
        let code = "pub const GATEWAY: &str = \"daraja\";\n#[allow(a, reason = \"b\")]\nconst A: &str = \"Result\";\n";
        house.append("crates/daraja/src/provider.rs", code);
    };
    provider_reads_a_field: "provider-only-joins" at "crates/daraja/src/provider.rs:3" when |house| {
        house.append("crates/daraja/src/provider.rs", "#[a]\nfn f() { value[\"Result\"] }\n");
    };
    provider_compares_a_status: "provider-only-joins" at "crates/daraja/src/provider.rs:3" when |house| {
        let code = "fn f() { self.status(ticket); encode::status(a) }\nfn g() { response.status >= 400 }\n";
        house.append("crates/daraja/src/provider.rs", code);
    };
    provider_goes_through_a_list: "provider-only-joins" at "crates/daraja/src/provider.rs:3" when |house| {
        house.append("crates/daraja/src/provider.rs", "impl A for B {}\nfn f() { for a in b {} }\n");
    };
    provider_waits_for_something: "provider-only-joins" at "crates/daraja/src/provider.rs:2" when |house| {
        house.append("crates/daraja/src/provider.rs", "fn f() { while a() {} }\n");
    };
    a_provider_reads_its_arguments: "quiet-providers" at "crates/daraja/src/config.rs:2" when |house| {
        house.append("crates/daraja/src/config.rs", "fn f() { env::args_os() }\n");
    };
    a_provider_hides_its_client: "quiet-providers" at "crates/daraja/src/config.rs:2" when |house| {
        house.append("crates/daraja/src/config.rs", "use std::{fmt, net::{IpAddr, SocketAddr}};\n");
    };
    a_provider_reads_its_env: "borrowed-time" at "crates/daraja/src/provider.rs:3" when |house| {
        let code = "fn f() { self.gateway.now() }\nfn g() { env.now() }\n";
        house.append("crates/daraja/src/provider.rs", code);
    };
    a_provider_measures: "borrowed-time" at "crates/daraja/src/provider.rs:2" when |house| {
        house.append("crates/daraja/src/provider.rs", "fn f() { line.env().monotonic() }\n");
    };
    a_provider_rolls_dice: "borrowed-time" at "crates/daraja/src/credential.rs:2" when |house| {
        house.append("crates/daraja/src/credential.rs", "fn f() { env.fill_bytes(&mut a) }\n");
    };
    a_provider_mints: "borrowed-time" at "crates/daraja/src/provider.rs:2" when |house| {
        house.append("crates/daraja/src/provider.rs", "fn f() { Reference::mint(env) }\n");
    };
}
