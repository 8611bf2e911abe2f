use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use malipo_core::Secret;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, NoTls};

use crate::{JournalError, JournalErrorKind};

/// Where the server is and how it is used.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PostgresConfig {
    /// The server, the database, the user and the password, as `postgres://user:password@host/database` or as
    /// `host=.. user=.. password=.. dbname=..`. A host that begins with `/` is the folder of a socket.
    ///
    /// The connection is plain: the server is to be on this machine, or behind a tunnel or a proxy that encrypts. A
    /// text that asks for TLS is refused. Not through a pooler that gives each transaction another connection: what is
    /// set for a connection and prepared on it has to stay.
    pub connection: Secret,
    /// The schema that has the tables. It is made if there is none.
    pub schema: String,
    /// The most connections at once, of which one writes.
    pub connections: usize,
    /// How long to wait for the server to take a connection.
    pub connect_timeout: Duration,
    /// How long to wait for a connection to be free, and for what somebody else has locked.
    pub busy_timeout: Duration,
    /// How long the server may take for one statement.
    pub statement_timeout: Duration,
}

impl PostgresConfig {
    /// A journal in the schema `malipo` of this database. At most eight connections; five seconds for the server to
    /// take one, and for what is locked; ten for a statement.
    pub fn new(connection: impl Into<String>) -> Self {
        Self {
            connection: Secret::new(connection),
            schema: "malipo".to_owned(),
            connections: 8,
            connect_timeout: Duration::from_secs(5),
            busy_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
        }
    }

    /// Says which schema has the tables: lower-case letters, digits and `_`, at most 63.
    #[must_use]
    pub fn with_schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Says how many connections there may be.
    #[must_use]
    pub const fn with_connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// Says how long to wait for the server to take a connection.
    #[must_use]
    pub const fn with_connect_timeout(mut self, connect_timeout: Duration) -> Self {
        self.connect_timeout = connect_timeout;
        self
    }

    /// Says how long to wait for what somebody else has.
    #[must_use]
    pub const fn with_busy_timeout(mut self, busy_timeout: Duration) -> Self {
        self.busy_timeout = busy_timeout;
        self
    }

    /// Says how long one statement may take.
    #[must_use]
    pub const fn with_statement_timeout(mut self, statement_timeout: Duration) -> Self {
        self.statement_timeout = statement_timeout;
        self
    }

    /// How long to listen for an answer. The server gives up first and says so, unless nobody hears it any more.
    pub(super) fn patience(&self) -> Duration {
        self.busy_timeout.saturating_add(self.statement_timeout)
    }

    /// Connections that are made when they are needed.
    pub(super) fn pool(&self) -> Result<Pool, JournalError> {
        let session = self.session()?;
        let settle = Hook::async_fn(move |client, _| {
            let session = session.clone();
            Box::pin(async move { client.batch_execute(&session).await.map_err(HookError::Backend) })
        });
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        Pool::builder(Manager::from_config(self.driver()?, NoTls, recycling))
            .max_size(self.connections.max(1))
            .wait_timeout(Some(self.busy_timeout))
            .create_timeout(Some(self.connect_timeout))
            .recycle_timeout(Some(self.connect_timeout))
            .runtime(Runtime::Tokio1)
            .post_create(settle)
            .build()
            .map_err(|_| unusable("the connections cannot be made"))
    }

    /// The settings that the driver takes.
    pub(super) fn driver(&self) -> Result<Config, JournalError> {
        // The parser's own error repeats what it could not read.
        let mut config: Config =
            self.connection.expose().parse().map_err(|_| unusable("the connection text cannot be read"))?;
        if config.get_ssl_mode() == SslMode::Require {
            return Err(unusable("the connection text asks for TLS, which this store does not speak"));
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(self.connect_timeout);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(self.patience());
        }
        if config.get_application_name().is_none() {
            config.application_name("malipo");
        }
        Ok(config)
    }

    /// How every connection is used, whatever the defaults of the server, the database and the user are.
    fn session(&self) -> Result<String, JournalError> {
        let schema = self.schema_name()?;
        let (busy, statement) = (limit(self.busy_timeout), limit(self.statement_timeout));
        Ok(format!(
            "SET search_path TO \"{schema}\"; SET client_min_messages TO warning; \
             SET lock_timeout TO {busy}; SET statement_timeout TO {statement}; \
             SET idle_in_transaction_session_timeout TO {patience}; \
             SELECT set_config('synchronous_commit', 'on', false) \
             WHERE current_setting('synchronous_commit') = 'off'",
            // Whoever stops in the middle of a transaction does not stop everybody else for longer than that.
            patience = limit(self.patience()),
        ))
    }

    /// The schema, if it is a name that needs no care in SQL.
    pub(super) fn schema_name(&self) -> Result<&str, JournalError> {
        let is_plain = |character: char| matches!(character, 'a'..='z' | '0'..='9' | '_');
        let begins = self.schema.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
        let is_theirs = self.schema.starts_with("pg_") || self.schema == "information_schema";
        if begins && !is_theirs && self.schema.len() <= 63 && self.schema.chars().all(is_plain) {
            Ok(&self.schema)
        } else {
            Err(unusable("the schema's name is not of lower-case letters, digits and `_`, at most 63"))
        }
    }
}

impl From<&str> for PostgresConfig {
    fn from(connection: &str) -> Self {
        Self::new(connection)
    }
}

/// A time as the server takes it. To the server, nothing at all is no limit.
fn limit(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX).max(1)
}

pub(super) fn unusable(why: &str) -> JournalError {
    JournalError::new(JournalErrorKind::Unavailable, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_printed() {
        let config = PostgresConfig::new("postgres://malipo:hush-hush@localhost/books");
        assert!(!format!("{config:?}").contains("hush"), "{config:?}");
        for text in ["hush-hush", "postgres://malipo:hush-hush@localhost/books?nonsense=hush-hush"] {
            let error = PostgresConfig::new(text).pool().unwrap_err();
            assert!(!format!("{error:?} {error}").contains("hush"), "{error:?}");
        }
    }

    #[test]
    fn what_asks_for_tls_is_not_answered_plain() {
        let asks = |mode: &str| {
            PostgresConfig::new(format!("postgres://localhost/books?sslmode={mode}")).driver().map(drop)
        };
        assert!(asks("require").unwrap_err().to_string().contains("TLS"));
        assert!(asks("verify-full").is_err());
        assert!(asks("disable").is_ok());
    }

    #[test]
    fn a_schema_has_a_plain_name() {
        let named = |name: &str| PostgresConfig::new("host=localhost").with_schema(name).pool().is_ok();
        assert!(named("malipo") && named("malipo_2") && named("_"));
        for name in ["", "Malipo", "2malipo", "pg_malipo", "information_schema", "a\"b", &"a".repeat(64)] {
            assert!(!named(name), "{name}");
        }
    }
}
