//! A server of PostgreSQL that is made for one run and thrown away after it.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

use crate::workspace::{Workspace, not_started, output};

/// The variable in which tests read where the server is.
pub(crate) const ADDRESS: &str = "MALIPO_POSTGRES";

/// Where Debian has each version, out of the way of PATH.
const DEBIAN: &str = "/usr/lib/postgresql";

/// What the server promises of its disk. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disk {
    /// As in production: what is committed survives the loss of power.
    Durable,
    /// Nothing waits for the disk. Enough for tests, in which no machine loses its power: a killed process loses nothing.
    Careless,
}

/// A server that runs. Dropping it ends it and removes its files.
#[derive(Debug)]
pub(crate) struct Cluster {
    folder: PathBuf,
    server: Child,
    port: u16,
}

impl Cluster {
    /// Makes one in a new folder of the system's temporary files, and waits until it takes connections. On this machine
    /// only, on a port that is free.
    ///
    /// # Errors
    ///
    /// When PostgreSQL is not installed, or does not start.
    pub(crate) fn start(workspace: &Workspace, disk: Disk) -> Result<Self, String> {
        let programs =
            programs().ok_or("PostgreSQL's `initdb` is neither on PATH nor in /usr/lib/postgresql")?;
        let folder = folder()?;
        let server = Self::launch(workspace, &programs, &folder, disk);
        let (server, port) = server.inspect_err(|_| remove(&folder))?;
        let mut cluster = Self { folder, server, port };
        cluster.wait(workspace, &programs)?;
        Ok(cluster)
    }

    /// Where it is, as a client is told.
    pub(crate) fn address(&self) -> String {
        format!("host=127.0.0.1 port={} user=malipo dbname=postgres", self.port)
    }

    fn launch(
        workspace: &Workspace,
        programs: &Path,
        folder: &Path,
        disk: Disk,
    ) -> Result<(Child, u16), String> {
        let data = folder.join("data");
        let user = unprivileged(workspace)?;
        if let Some(user) = &user {
            output(&mut workspace.program("chown", &[user, &folder.to_string_lossy()]))?;
        }
        let mut initdb = as_user(workspace, user.as_deref(), &programs.join("initdb"));
        initdb.arg("--pgdata").arg(&data).args(["--username", "malipo", "--auth", "trust", "--no-sync"]);
        output(initdb.args(["--encoding", "UTF8", "--no-locale"]).current_dir(folder))?;
        let port = free_port()?;
        let mut settings = vec![
            format!("port={port}"),
            "listen_addresses=127.0.0.1".to_owned(),
            "unix_socket_directories=".to_owned(),
            "max_connections=300".to_owned(),
        ];
        if disk == Disk::Careless {
            settings.extend(["fsync=off", "full_page_writes=off"].map(str::to_owned));
        }
        let mut postgres = as_user(workspace, user.as_deref(), &programs.join("postgres"));
        postgres.arg("-D").arg(&data).args(settings.iter().flat_map(|setting| ["-c", setting]));
        let log = fs::File::create(folder.join("log")).map_err(|error| error.to_string())?;
        postgres.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let server = postgres.spawn().map_err(|error| not_started(&postgres, &error))?;
        Ok((server, port))
    }

    fn wait(&mut self, workspace: &Workspace, programs: &Path) -> Result<(), String> {
        let ready = programs.join("pg_isready").into_os_string();
        let port = self.port.to_string();
        for _ in 0..600 {
            let ended = self.server.try_wait().map_err(|error| error.to_string())?;
            if ended.is_some() {
                break;
            }
            if output(&mut workspace.program(&ready, &["--host", "127.0.0.1", "--port", &port])).is_ok() {
                return Ok(());
            }
            pause();
        }
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        Err(format!("PostgreSQL does not take connections\n{log}"))
    }
}

/// Not in order but at once: nobody needs what it has.
impl Drop for Cluster {
    fn drop(&mut self) {
        // SIGQUIT, on which the server ends its children, too; killed itself it would leave them behind.
        let number = self.server.id().to_string();
        let asked = Command::new("kill").args(["-QUIT", &number]).stderr(Stdio::null()).status();
        if !asked.is_ok_and(|status| status.success()) {
            // It has ended already, or it ends now.
            let _ = self.server.kill();
        }
        let _ = self.server.wait();
        remove(&self.folder);
    }
}

/// What cannot be removed only takes room.
fn remove(folder: &Path) {
    let _ = fs::remove_dir_all(folder);
}

/// The folder of PostgreSQL's programs: of the one on PATH, or else of Debian's newest.
pub(crate) fn programs() -> Option<PathBuf> {
    let on_path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>());
    let linked = |folder: &PathBuf| fs::canonicalize(folder.join("initdb")).ok();
    let on_path = on_path.unwrap_or_default().iter().find_map(linked);
    let debian = || {
        let versions = fs::read_dir(DEBIAN).ok()?;
        let newest = versions.flatten().filter_map(|version| {
            Some((version.file_name().to_str()?.parse::<u32>().ok()?, version.path().join("bin/initdb")))
        });
        newest.filter(|(_, initdb)| initdb.is_file()).max().map(|(_, initdb)| initdb)
    };
    on_path.or_else(debian)?.parent().map(Path::to_owned)
}

fn folder() -> Result<PathBuf, String> {
    let folder = env::temp_dir().join(format!("malipo-postgres-{}", std::process::id()));
    remove(&folder);
    fs::create_dir(&folder).map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
    Ok(folder)
}

/// PostgreSQL refuses to run as root: then the user it has in Debian, or nobody.
fn unprivileged(workspace: &Workspace) -> Result<Option<String>, String> {
    let id = |arguments: &[&str]| output(&mut workspace.program("id", arguments));
    if id(&["-u"])?.trim() != "0" {
        return Ok(None);
    }
    let known = ["postgres", "nobody"].into_iter().find(|user| id(&["-u", user]).is_ok());
    known.map(|user| Some(user.to_owned())).ok_or_else(|| "no user but root can run PostgreSQL".to_owned())
}

fn as_user(workspace: &Workspace, user: Option<&str>, program: &Path) -> Command {
    match user {
        None => workspace.program(program, &[]),
        Some(user) => {
            let mut command = workspace.program("setpriv", &["--reuid", user, "--regid"]);
            // The group of the same user, which `nobody` calls otherwise.
            let group = output(&mut workspace.program("id", &["-g", user])).unwrap_or_default();
            command.arg(group.trim()).args(["--clear-groups", "--"]).arg(program);
            command
        }
    }
}

/// A port that was free a moment ago. If somebody takes it meanwhile, the server says so and does not start.
fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(|error| format!("no port is free: {error}"))
}

#[allow(clippy::disallowed_methods, reason = "a server that starts is waited for in real time")]
fn pause() {
    thread::sleep(Duration::from_millis(50));
}

#[cfg(test)]
mod tests {
    use super::{Cluster, Disk};
    use crate::workspace::{Workspace, output};

    #[test]
    fn a_server_comes_up_and_goes_without_a_trace() {
        let workspace = Workspace::find(Vec::new()).unwrap();
        if std::env::var_os("MALIPO_WITHOUT")
            .is_some_and(|without| without.to_string_lossy().split(',').any(|tool| tool == "postgres"))
        {
            return;
        }
        let cluster = Cluster::start(&workspace, Disk::Careless).unwrap();
        let (folder, port) = (cluster.folder.clone(), cluster.port.to_string());
        let asked =
            || output(&mut workspace.program("pg_isready", &["--host", "127.0.0.1", "--port", &port]));
        assert!(folder.is_dir() && asked().is_ok());
        drop(cluster);
        assert!(!folder.exists() && asked().is_err());
    }
}
