//! The house: which room may depend on which, as data. `docs/` explains; this decides.

use std::fmt::Debug;

/// A folder of `crates/` and what it may know.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// Its folder below `crates/`.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) kind: Kind,
    /// The rooms it may use in its code.
    pub(crate) uses: &'static [&'static str],
    /// The rooms its tests may use besides.
    pub(crate) tests_use: &'static [&'static str],
    /// Crates of others that its code may have as an option only.
    pub(crate) optional: &'static [&'static str],
    /// Crates of others that its code may not have at all.
    pub(crate) without: &'static [&'static str],
    /// Crates of others that not even its tests may have.
    pub(crate) never: &'static [&'static str],
}

/// What a room is, where a rule holds for several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A library that is none of the others.
    Library,
    /// One gateway each.
    Provider,
    /// How bytes leave; knows nothing of payments.
    Transport,
    /// The front door: re-exports only.
    Facade,
    /// Suites and scripted parts for tests, published for outside providers.
    Testkit,
    /// Everything under virtual time; never published.
    World,
    /// A binary.
    Program,
}

/// The four gateways' rooms.
pub(crate) const PROVIDERS: &[&str] = &["kasapay", "daraja", "sasapay", "kyanda"];

const RUNTIMES: &[&str] = &["async-std", "futures-executor", "monoio", "pollster", "smol", "tokio"];
const HTTP: &[&str] =
    &["http", "http-body", "http-body-util", "axum", "hyper", "hyper-util", "reqwest", "tower", "ureq"];
const SOCKETS: &[&str] = &[
    "async-std",
    "curl",
    "hyper",
    "hyper-rustls",
    "hyper-util",
    "isahc",
    "mio",
    "monoio",
    "reqwest",
    "rustls",
    "smol",
    "socket2",
    "tokio",
    "tokio-rustls",
    "ureq",
];
const PUBLISHED: &[&str] = &[
    "core",
    "transport",
    "reqwest",
    "hyper",
    "kasapay",
    "daraja",
    "sasapay",
    "kyanda",
    "journal",
    "receiver",
];

const ROOM: Room = Room {
    name: "",
    kind: Kind::Library,
    uses: &[],
    tests_use: &[],
    optional: &[],
    without: &[],
    never: &[],
};
const PROVIDER: Room = Room {
    kind: Kind::Provider,
    uses: &["core", "transport"],
    tests_use: &["testkit", "sim", "reqwest", "hyper"],
    without: SOCKETS,
    ..ROOM
};

/// Every room there is or will be.
pub(crate) const ROOMS: &[Room] = &[
    Room { name: "core", optional: RUNTIMES, never: HTTP, ..ROOM },
    Room { name: "transport", uses: &["core"], tests_use: &["testkit"], without: SOCKETS, ..ROOM },
    Room { name: "reqwest", kind: Kind::Transport, ..TRANSPORT },
    Room { name: "hyper", kind: Kind::Transport, ..TRANSPORT },
    Room { name: "kasapay", ..PROVIDER },
    Room { name: "daraja", ..PROVIDER },
    Room { name: "sasapay", ..PROVIDER },
    Room { name: "kyanda", ..PROVIDER },
    Room { name: "malipo", kind: Kind::Facade, uses: PUBLISHED, tests_use: &["sim", "testkit"], ..ROOM },
    Room { name: "journal", uses: &["core"], never: HTTP, ..ROOM },
    Room {
        name: "receiver",
        uses: &["core", "journal"],
        tests_use: &["sim", "testkit"],
        optional: &["axum", "hyper", "hyper-util", "tokio"],
        ..ROOM
    },
    Room { name: "sim", uses: &["core"], ..ROOM },
    Room { name: "testkit", kind: Kind::Testkit, uses: &["core", "transport"], ..ROOM },
    Room {
        name: "world",
        kind: Kind::World,
        uses: &[
            "core",
            "transport",
            "reqwest",
            "hyper",
            "kasapay",
            "daraja",
            "sasapay",
            "kyanda",
            "malipo",
            "journal",
            "receiver",
            "sim",
            "testkit",
        ],
        ..ROOM
    },
    Room {
        name: "cli",
        kind: Kind::Program,
        uses: &[
            "core",
            "transport",
            "reqwest",
            "hyper",
            "kasapay",
            "daraja",
            "sasapay",
            "kyanda",
            "malipo",
            "journal",
            "receiver",
            "sim",
        ],
        ..ROOM
    },
];

const TRANSPORT: Room = Room { uses: &["core", "transport"], tests_use: &["testkit", "sim"], ..ROOM };

impl Room {
    /// Its folder from the root.
    pub(crate) fn folder(&self) -> String {
        format!("crates/{}", self.name)
    }

    /// The name of its package.
    pub(crate) fn package(&self) -> String {
        if self.kind == Kind::Facade { self.name.to_owned() } else { format!("malipo-{}", self.name) }
    }

    /// The name its package has in code.
    pub(crate) fn crate_name(&self) -> String {
        self.package().replace('-', "_")
    }
}

/// The room called so.
pub(crate) fn named(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

/// The room a path from the root lies in.
pub(crate) fn of_path(path: &str) -> Option<&'static Room> {
    named(path.strip_prefix("crates/")?.split('/').next()?)
}

/// The room a package is; nothing for crates of others, and for xtask.
pub(crate) fn of_package(package: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.package() == package)
}

#[cfg(test)]
mod tests {
    use super::{Kind, PROVIDERS, ROOMS, named, of_package, of_path};

    #[test]
    fn every_room_that_is_named_exists() {
        for room in ROOMS {
            for name in room.uses.iter().chain(room.tests_use) {
                assert!(named(name).is_some(), "{} names {name}", room.name);
                assert_ne!(*name, room.name);
            }
        }
    }

    #[test]
    fn the_providers_are_the_four() {
        let providers: Vec<_> =
            ROOMS.iter().filter(|room| room.kind == Kind::Provider).map(|room| room.name).collect();
        assert_eq!(providers, PROVIDERS);
    }

    #[test]
    fn nothing_but_the_world_builds_on_the_testkit() {
        let users: Vec<_> =
            ROOMS.iter().filter(|room| room.uses.contains(&"testkit")).map(|room| room.name).collect();
        assert_eq!(users, ["world"]);
    }

    #[test]
    fn rooms_are_found() {
        assert_eq!(of_path("crates/sim/src/lib.rs").map(|room| room.name), Some("sim"));
        assert_eq!(of_path("crates/simulator/src/lib.rs"), None);
        assert_eq!(of_path("xtask/src/main.rs"), None);
        assert_eq!(of_package("malipo").map(|room| room.name), Some("malipo"));
        assert_eq!(of_package("malipo-core").map(|room| room.name), Some("core"));
        assert_eq!(of_package("malipo-malipo"), None);
    }
}
