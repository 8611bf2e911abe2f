//! Proofs that take longer than CI may: each is a program of `malipo-world`, started here.

use crate::cluster::{self, Cluster, Disk};
use crate::tools;
use crate::workspace::{Workspace, run};

/// What `soak` takes.
pub(crate) const SOAK: &[(&str, &str)] = &[
    ("--forged", "NUMBER"),
    ("--kills", "NUMBER"),
    ("--seed", "NUMBER"),
    ("--store", "sqlite|postgres"),
    ("--workers", "NUMBER"),
];
/// What `bench` takes.
pub(crate) const BENCH: &[(&str, &str)] = &[("--folder", "FOLDER"), ("--rounds", "NUMBER")];

/// Every store, and how many workers share it where nobody says.
const STORES: &[(&str, &[&str])] = &[("sqlite", &["1"]), (SERVER, &["1", "4"])];
/// The store that needs a server, which is started for it.
const SERVER: &str = "postgres";

/// Workers are killed while they pay, with each store; then ledger and books are compared. After that, callbacks are
/// forged.
///
/// It is built like the tests, with their checks for overflow and nonsense: its time goes into sockets and disks.
///
/// # Errors
///
/// When a store is unknown, ledger and books disagree, or a forged callback is believed.
pub(crate) fn soak(workspace: &Workspace) -> Result<(), String> {
    let (mut rest, mut asked_store, mut asked_workers) = (Vec::new(), None, None);
    let mut forging = Vec::new();
    for pair in workspace.passed().chunks(2) {
        match pair {
            [name, value] if name == "--store" => asked_store = Some(value.as_str()),
            [name, value] if name == "--workers" => asked_workers = Some(value.as_str()),
            [name, _] if name == "--forged" => forging.extend(pair.iter().map(String::as_str)),
            words => {
                rest.extend(words.iter().map(String::as_str));
                let is_seed = words.first().is_some_and(|name| name == "--seed");
                forging.extend(words.iter().filter(|_| is_seed).map(String::as_str));
            }
        }
    }
    let stores: Vec<_> =
        STORES.iter().filter(|(name, _)| asked_store.is_none_or(|asked| asked == *name)).collect();
    if stores.is_empty() {
        let known: Vec<_> = STORES.iter().map(|(name, _)| *name).collect();
        return Err(format!("there is no such store; there is {}", known.join(", ")));
    }
    for (store, usual) in stores {
        let asked: Vec<_> = asked_workers.map_or_else(|| usual.to_vec(), |asked| vec![asked]);
        if *store != SERVER {
            soak_with(workspace, store, &asked, &rest, None)?;
            continue;
        }
        tools::provide_one(workspace, tools::POSTGRES)?;
        // Ended when the store's turn is over, whichever way.
        let cluster = Cluster::start(workspace, Disk::Durable)?;
        let outcome = soak_with(workspace, store, &asked, &rest, Some(&cluster));
        outcome.map_err(|error| format!("{error}\n{}", cluster.keep()))?;
    }
    run(program(workspace, "soak", &[]).arg("forge").args(forging))
}

fn soak_with(
    workspace: &Workspace,
    store: &str,
    asked_workers: &[&str],
    rest: &[&str],
    cluster: Option<&Cluster>,
) -> Result<(), String> {
    for workers in asked_workers {
        let mut command = program(workspace, "soak", &[]);
        command.args(["run", "--store", store, "--workers", workers]).args(rest);
        run(command.envs(cluster.map(|cluster| (cluster::ADDRESS, cluster.address()))))?;
    }
    Ok(())
}

/// Durable submits or durable callbacks beside bare rows, in one run on one disk. Built for speed, as it measures it.
///
/// # Errors
///
/// When PostgreSQL cannot be had, or it fails. It judges nothing: figures are for people.
pub(crate) fn bench(workspace: &Workspace) -> Result<(), String> {
    tools::provide_one(workspace, tools::POSTGRES)?;
    let cluster = Cluster::start(workspace, Disk::Durable)?;
    let mut command = program(workspace, "bench", &["--release"]);
    command.env(cluster::ADDRESS, cluster.address());
    run(command.args(workspace.passed()))
}

fn program(workspace: &Workspace, name: &str, how: &[&str]) -> std::process::Command {
    let mut command = workspace.cargo(&["run", "--locked", "--package", "malipo-world", "--bin", name]);
    command.args(how).arg("--");
    command
}
