//! Who may depend on whom.

use super::rooms::{self, Kind, Room};
use super::{Check, Finding, House, Rule, manifests};
use crate::metadata::{Dependency, Package, Presence, Publication, Table};

/// The rules about packages and the edges between them.
pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "rooms",
        reason: "a folder of crates/ is a room of the table in xtask/src/tidy/rooms.rs, its package `malipo-<room>`",
        check: Check::Whole(every_folder_is_a_room),
    },
    Rule {
        name: "edges",
        reason: "the table in xtask/src/tidy/rooms.rs says which room may depend on which",
        check: Check::Whole(edges),
    },
    Rule {
        name: "outsiders",
        reason: "what a room may not do it may not link either: http, sockets, runtimes, resending",
        check: Check::Whole(outsiders),
    },
    Rule {
        name: "publication",
        reason: "the world and xtask stay in the house; everything else is published",
        check: Check::Whole(publication),
    },
];

/// Crates that send again by themselves. The only loop that resends is the journal's.
const RESENDING: &[&str] = &[
    "again",
    "backoff",
    "backon",
    "exponential-backoff",
    "reqwest-middleware",
    "reqwest-retry",
    "retry",
    "tokio-retry",
];

fn every_folder_is_a_room(house: &House<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, _) in house.repository.under("crates/") {
        if rooms::of_path(path).is_none() {
            findings.push(Finding::new(path, 1, "lies in no room of the house"));
        }
    }
    for room in house.repository.rooms() {
        let at = |package: &&Package| package.folder == room.folder();
        let name = house.repository.packages.iter().find(at).map(|package| package.name.as_str());
        if name != Some(&room.package()) {
            let what = format!("package {} is missing here", room.package());
            findings.push(Finding::new(format!("{}/Cargo.toml", room.folder()), 1, what));
        }
    }
    findings
}

fn edges(house: &House<'_>) -> Vec<Finding> {
    each_dependency(house, |package, dependency| {
        let is_xtask = dependency.name == "xtask";
        let target = rooms::of_package(&dependency.name);
        if !is_xtask && target.is_none() {
            return None;
        }
        let allowed = match (rooms::of_package(&package.name), target) {
            (Some(room), Some(target)) => may_use(room, target, dependency.table),
            _ => false,
        };
        let what =
            format!("{} may not have {} in [{}]", package.name, dependency.name, dependency.table.heading());
        (!allowed).then_some(what)
    })
}

fn may_use(room: &Room, target: &Room, table: Table) -> bool {
    let in_tests = table == Table::Dev && room.tests_use.contains(&target.name);
    room.uses.contains(&target.name) || in_tests
}

fn outsiders(house: &House<'_>) -> Vec<Finding> {
    each_dependency(house, |package, dependency| {
        let room = rooms::of_package(&package.name)?;
        let name = dependency.name.as_str();
        let in_code = dependency.table != Table::Dev;
        let resends = room.name != "journal" && RESENDING.contains(&name);
        let refused = room.never.contains(&name) || (in_code && (room.without.contains(&name) || resends));
        let must_be_optional = room.optional.contains(&name) && dependency.presence == Presence::Required;
        if refused {
            return Some(format!("{} may not have {name} in [{}]", package.name, dependency.table.heading()));
        }
        (in_code && must_be_optional).then(|| format!("{} may have {name} as an option only", package.name))
    })
}

fn publication(house: &House<'_>) -> Vec<Finding> {
    let wrong = house.repository.packages.iter().filter(|package| {
        let stays = rooms::of_package(&package.name).is_none_or(|room| room.kind == Kind::World);
        stays != (package.publication == Publication::Unpublished)
    });
    wrong.map(|package| Finding::new(manifest(package), 1, "has the wrong `publish`")).collect()
}

/// Asks `complaint` about every dependency and places the answers at its line in the manifest.
fn each_dependency(
    house: &House<'_>,
    complaint: impl Fn(&Package, &Dependency) -> Option<String>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &house.repository.packages {
        let path = manifest(package);
        let text = house.repository.file(&path).unwrap_or_default();
        for dependency in &package.dependencies {
            if let Some(what) = complaint(package, dependency) {
                let line = manifests::line_of(text, dependency.table.heading(), &dependency.name);
                findings.push(Finding::new(path.as_str(), line, what));
            }
        }
    }
    findings
}

fn manifest(package: &Package) -> String {
    format!("{}/Cargo.toml", package.folder)
}
