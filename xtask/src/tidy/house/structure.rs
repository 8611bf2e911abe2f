//! How the house is built: rooms, edges, manifests, pages.

use super::{Repository, broken, house};
use crate::metadata::{Publication, Table};

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
    a_snapshot_in_waiting: "pending-snapshots" at "crates/daraja/tests/it/snapshots/it__wallet.snap.new:1" when |house| {
        house.write("crates/daraja/tests/it/snapshots/it__wallet.snap.new", "");
    };
    a_snapshot_of_nothing: "stray-snapshots" at "crates/daraja/tests/it/snapshots/it__paybill.snap:1" when |house| {
        house.write("crates/daraja/tests/it/snapshots/it__paybill.snap", "");
    };
    a_gateway_taken_on_trust: "roster" at "docs/unverified.md:1" when |house| {
        house.write("docs/unverified.md", "# Unverified\nDaraja.\n");
    };
    no_list_of_what_is_taken_on_trust: "roster" at "docs/unverified.md:1" when |house| {
        house.files.remove("docs/unverified.md");
    };
    a_room_nobody_explains: "explained-rooms" at "docs/architecture.md:1" when |house| {
        house.replace("docs/architecture.md", "`journal`", "journal");
    };
    no_page_for_the_rooms: "explained-rooms" at "docs/architecture.md:1" when |house| {
        house.files.remove("docs/architecture.md");
    };
    an_answer_without_a_page: "code-tables" at "crates/daraja/src/decode.rs:3" when |house| {
        let rows = "const A: &[B] = &[CodeRow::new(\"1\", C, \"d\"),\nCodeRow::new(\"17\", C, \"d\")];\n";
        house.append("crates/daraja/src/decode.rs", rows);
    };
    a_result_without_a_page: "code-tables" at "crates/daraja/src/callback.rs:2" when |house| {
        house.append("crates/daraja/src/callback.rs", "const A: B = CodeRow::new(\"17\", C, \"d\");\n");
    };
    nothing_to_understand_first: "front-page" at "crates/sim/README.md:1" when |house| {
        house.write("crates/sim/README.md", "One sentence.\n");
    };
    a_link_to_no_file: "links" at "docs/gateways/daraja.md:3" when |house| {
        house.append("docs/gateways/daraja.md", "\n[a](../architecture.md) [b](../rooms.md)\n");
    };
    a_link_to_no_heading: "links" at "crates/core/README.md:5" when |house| {
        house.append("crates/core/README.md", "[a](#the-one-thing-to-understand-first)\n[b](#another)\n");
    };
    a_link_to_no_heading_elsewhere: "links" at "docs/gateways/daraja.md:3" when |house| {
        let links = "[a](../unverified.md#daraja-ids)\n[b]: ../unverified.md#kyanda-ids\n";
        house.append("docs/gateways/daraja.md", links);
    };
    a_link_out_of_the_house: "links" at "docs/architecture.md:2" when |house| {
        house.append("docs/architecture.md", "[a](../../elsewhere)\n");
    };
}
