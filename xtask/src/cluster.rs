//! A server of PostgreSQL that is made for one run and thrown away after it.

use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fmt, fs, thread};

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

/// What becomes of the files. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Files {
    /// Nobody needs them.
    Removed,
    /// A person is to look at them.
    Kept,
}

/// A server that runs. Dropping it ends it and removes its files.
pub(crate) struct Cluster {
    folder: PathBuf,
    server: Child,
    port: u16,
    password: String,
    files: Files,
}

impl Cluster {
    /// Makes one in a new folder of the system's temporary files, and waits until it takes connections. On this machine
    /// only, on a port that is free, and with a password: other users of the machine can reach the port.
    ///
    /// # Errors
    ///
    /// When PostgreSQL is not installed, or does not start.
    pub(crate) fn start(workspace: &Workspace, disk: Disk) -> Result<Self, String> {
        let programs =
            programs().ok_or("PostgreSQL's `initdb` is neither on PATH nor in /usr/lib/postgresql")?;
        let (password, folder) = (password()?, folder()?);
        let server = Self::launch(workspace, &programs, &folder, disk, &password);
        let (server, port) = server.inspect_err(|_| remove(&folder))?;
        let mut cluster = Self { folder, server, port, password, files: Files::Removed };
        cluster.wait(workspace, &programs)?;
        Ok(cluster)
    }

    /// Where it is, as a client is told: with the password, so it is passed on in an environment and in no argument.
    pub(crate) fn address(&self) -> String {
        let Self { port, password, .. } = self;
        format!("host=127.0.0.1 port={port} user=malipo password={password} dbname=postgres")
    }

    /// Ends it in order and keeps its files. Says how to start it again.
    pub(crate) fn keep(mut self) -> String {
        self.files = Files::Kept;
        let (folder, port) = (self.folder.display().to_string(), self.port);
        drop(self);
        format!(
            "PostgreSQL's files are kept in {folder}: `postgres -D {folder}/data -c port={port} \
             -c unix_socket_directories=` as their owner starts it again, for `malipo` with the password in \
             {folder}/password"
        )
    }

    fn launch(
        workspace: &Workspace,
        programs: &Path,
        folder: &Path,
        disk: Disk,
        password: &str,
    ) -> Result<(Child, u16), String> {
        let (data, secret) = (folder.join("data"), folder.join("password"));
        let user = unprivileged(workspace)?;
        // Closed before the password is in it.
        output(&mut workspace.program("chmod", &["700", &folder.to_string_lossy()]))?;
        fs::write(&secret, password).map_err(|error| error.to_string())?;
        if let Some(user) = &user {
            output(&mut workspace.program("chown", &["-R", user, &folder.to_string_lossy()]))?;
        }
        let mut initdb = as_user(workspace, user.as_deref(), &programs.join("initdb"));
        initdb.arg("--pgdata").arg(&data).args(["--username", "malipo", "--no-sync"]);
        initdb.args(["--auth", "scram-sha-256", "--pwfile"]).arg(&secret);
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

/// Without the password.
impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("folder", &self.folder)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// Not in order but at once, unless somebody needs what it has.
impl Drop for Cluster {
    fn drop(&mut self) {
        // On both the server ends its children, too; killed itself it would leave them behind.
        let signal = match self.files {
            Files::Removed => "-QUIT",
            Files::Kept => "-INT",
        };
        let number = self.server.id().to_string();
        let asked = Command::new("kill").args([signal, &number]).stderr(Stdio::null()).status();
        if !asked.is_ok_and(|status| status.success()) {
            // It has ended already, or it ends now.
            let _ = self.server.kill();
        }
        let _ = self.server.wait();
        if self.files == Files::Removed {
            remove(&self.folder);
        }
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
    let folder = env::temp_dir().join(format!("malipo-postgres-{}-{}", std::process::id(), free_port()?));
    remove(&folder);
    fs::create_dir(&folder).map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
    Ok(folder)
}

/// A new one, that nobody guesses.
fn password() -> Result<String, String> {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut bytes))
        .map_err(|error| format!("no randomness: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
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
    use super::{Cluster, Disk, programs};
    use crate::workspace::{Workspace, output};

    #[test]
    fn a_server_comes_up_for_those_who_know_its_password_and_goes_without_a_trace() {
        if is_without_postgres() {
            return;
        }
        let workspace = Workspace::find(Vec::new()).unwrap();
        let cluster = Cluster::start(&workspace, Disk::Careless).unwrap();
        let (folder, address) = (cluster.folder.clone(), cluster.address());
        let asked = |password: &str| {
            let psql = programs().unwrap().join("psql");
            let mut psql = workspace.program(psql, &[&address, "--no-password", "--command", "SELECT 1"]);
            output(psql.env("PGPASSWORD", password))
        };
        assert!(folder.is_dir() && asked("").is_ok());
        let known = address.replace(&cluster.password, "0");
        let refused =
            output(&mut workspace.program(
                programs().unwrap().join("psql"),
                &[&known, "--no-password", "--command", "SELECT 1"],
            ));
        assert!(refused.unwrap_err().contains("password authentication failed"));
        assert!(!format!("{cluster:?}").contains(&cluster.password));
        drop(cluster);
        assert!(!folder.exists() && asked("").is_err());
    }

    #[test]
    fn what_is_kept_can_be_started_again() {
        if is_without_postgres() {
            return;
        }
        let workspace = Workspace::find(Vec::new()).unwrap();
        let cluster = Cluster::start(&workspace, Disk::Careless).unwrap();
        let (folder, password) = (cluster.folder.clone(), cluster.password.clone());
        let told = cluster.keep();
        assert!(told.contains(&folder.join("data").display().to_string()) && !told.contains(&password));
        assert!(folder.join("data/PG_VERSION").is_file() && !folder.join("data/postmaster.pid").exists());
        super::remove(&folder);
    }

    fn is_without_postgres() -> bool {
        let without = std::env::var_os("MALIPO_WITHOUT").unwrap_or_default();
        without.to_string_lossy().split(',').any(|tool| tool == "postgres")
    }
}
