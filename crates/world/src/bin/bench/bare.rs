//! The least that could keep the same rows: one thread that writes to plain tables, and commits together what waits
//! together. The tables have the columns and the indexes of the journal's, and none of its checks and triggers.

use std::error::Error;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use futures_channel::oneshot;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// A table, and the column by whose numbers its rows belong together.
pub(crate) struct Written(pub(crate) &'static str, pub(crate) &'static str);

/// The tables that a submit writes to.
pub(crate) const SUBMITTED: [Written; 3] =
    [Written("payments", "id"), Written("attempts", "payment"), Written("events", "payment")];
/// The table that a callback is kept in.
pub(crate) const DELIVERED: [Written; 1] = [Written("deliveries", "id")];
/// As many as the journal commits together.
const TOGETHER: usize = 512;

/// The rows that one submit or one callback leaves, and the table of each.
#[derive(Debug, Clone)]
pub(crate) struct Rows(Vec<(usize, Vec<Value>)>);

/// The shape of the journal's tables.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    /// What makes them.
    making: Vec<String>,
    /// What adds a row to each.
    adding: Vec<String>,
}

struct Job(Rows, oneshot::Sender<Result<(), rusqlite::Error>>);

/// The thread that writes.
pub(crate) struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// The shape of some tables in the file of a journal, and their rows that belong together, in order.
///
/// # Errors
///
/// When the file cannot be read.
pub(crate) fn read(journal: &Path, tables: &[Written]) -> Result<(Shape, Vec<Rows>), Box<dyn Error>> {
    let connection = Connection::open(journal)?;
    let mut shape = Shape::default();
    let mut all: Vec<Rows> = Vec::new();
    for (table, Written(name, number)) in tables.iter().enumerate() {
        let columns = shape.add(&connection, name)?;
        let mut statement = connection.prepare(&format!("SELECT {number}, * FROM {name} ORDER BY 1"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let number = usize::try_from(row.get::<_, i64>(0)?)?;
            let values = (1..=columns).map(|column| row.get(column)).collect::<Result<_, _>>()?;
            while all.len() < number {
                all.push(Rows(Vec::new()));
            }
            if let Some(rows) = all.get_mut(number - 1) {
                rows.0.push((table, values));
            }
        }
    }
    Ok((shape, all))
}

impl Shape {
    /// Adds a table as that of the file is, without what checks it. Says how many columns it has.
    fn add(&mut self, connection: &Connection, name: &str) -> Result<usize, Box<dyn Error>> {
        let mut columns: Vec<(String, String, u32)> = Vec::new();
        connection.pragma(None, "table_info", name, |row| {
            columns.push((row.get(1)?, row.get(2)?, row.get(5)?));
            Ok(())
        })?;
        let key: Vec<_> = columns.iter().filter(|(_, _, key)| *key > 0).map(|(name, ..)| &**name).collect();
        let (key, kind) = match &key[..] {
            [_] => (String::new(), ""),
            several => (format!(", PRIMARY KEY ({})", several.join(", ")), " WITHOUT ROWID"),
        };
        let listed = columns.iter().map(|(column, kind, number)| {
            let is_number = *number > 0 && key.is_empty();
            format!("{column} {kind}{}", if is_number { " PRIMARY KEY" } else { "" })
        });
        let listed = listed.collect::<Vec<_>>().join(", ");
        self.making.push(format!("CREATE TABLE {name} ({listed}{key}){kind}"));
        let marks = vec!["?"; columns.len()].join(", ");
        self.adding.push(format!("INSERT INTO {name} VALUES ({marks})"));
        self.add_indexes(connection, name)?;
        Ok(columns.len())
    }

    fn add_indexes(&mut self, connection: &Connection, table: &str) -> Result<(), Box<dyn Error>> {
        let sql = "SELECT sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL";
        let mut made = connection.prepare(sql)?;
        for sql in made.query_map([table], |row| row.get(0))? {
            self.making.push(sql?);
        }
        let mut unique: Vec<String> = Vec::new();
        connection.pragma(None, "index_list", table, |row| {
            if row.get::<_, String>(3)? == "u" {
                unique.push(row.get(1)?);
            }
            Ok(())
        })?;
        for index in unique {
            let mut columns: Vec<String> = Vec::new();
            connection.pragma(None, "index_info", &index, |row| {
                columns.push(row.get(2)?);
                Ok(())
            })?;
            let (name, columns) = (columns.join("_"), columns.join(", "));
            self.making.push(format!("CREATE UNIQUE INDEX {table}_{name} ON {table} ({columns})"));
        }
        Ok(())
    }
}

impl Writer {
    /// Makes the tables in a new file, and starts the thread.
    ///
    /// # Errors
    ///
    /// When the file cannot be made.
    pub(crate) fn start(file: &Path, shape: &Shape) -> Result<Self, Box<dyn Error>> {
        let connection = Connection::open(file)?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        for sql in &shape.making {
            connection.execute(sql, [])?;
        }
        let (jobs, waiting) = channel();
        let adding = shape.adding.clone();
        let thread = std::thread::spawn(move || work(&connection, &adding, &waiting));
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Answers once the rows are on the disk.
    ///
    /// # Errors
    ///
    /// When they could not be written.
    pub(crate) async fn write(&self, rows: Rows) -> Result<(), Box<dyn Error>> {
        let (sender, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or("the writer has ended")?;
        jobs.send(Job(rows, sender)).map_err(|_| "the writer has ended")?;
        Ok(answer.await??)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // If it panicked, whoever waited for it was told so.
            let _ = thread.join();
        }
    }
}

fn work(connection: &Connection, adding: &[String], waiting: &Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let jobs: Vec<_> = std::iter::once(first).chain(waiting.try_iter().take(TOGETHER - 1)).collect();
        let (rows, askers): (Vec<_>, Vec<_>) = jobs.into_iter().map(|Job(rows, asker)| (rows, asker)).unzip();
        match together(connection, adding, rows) {
            Ok(()) => askers.into_iter().for_each(|asker| drop(asker.send(Ok(())))),
            // The first one is told why, the others that they were not written.
            Err(error) => drop(askers.into_iter().next().map(|asker| asker.send(Err(error)))),
        }
    }
}

fn together(connection: &Connection, adding: &[String], all: Vec<Rows>) -> Result<(), rusqlite::Error> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    for (table, values) in all.into_iter().flat_map(|rows| rows.0) {
        if let Some(sql) = adding.get(table) {
            connection.prepare_cached(sql)?.execute(params_from_iter(values))?;
        }
    }
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}
