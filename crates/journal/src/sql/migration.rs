use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::{JournalError, JournalErrorKind, PaymentState, TRANSITIONS};

/// One change of the tables. Once released it stays as it is; the next change is the next migration.
#[derive(Debug)]
pub(crate) struct Migration {
    pub(crate) number: i64,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

impl Migration {
    pub(crate) fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.sql).into()
    }
}

/// Those that are still to be applied, in order. Tables that a newer version made, or that others made than these say,
/// are refused.
pub(crate) fn pending<'m>(
    migrations: &'m [Migration],
    applied: &BTreeMap<i64, [u8; 32]>,
) -> Result<Vec<&'m Migration>, JournalError> {
    let newest = migrations.last().map_or(0, |migration| migration.number);
    if let Some(newer) = applied.keys().next_back().filter(|number| **number > newest) {
        let message = format!("its tables are of version {newer}, and this version knows {newest}");
        return Err(JournalError::new(JournalErrorKind::Newer, message));
    }
    let mut pending = Vec::new();
    for migration in migrations {
        match applied.get(&migration.number) {
            None => pending.push(migration),
            Some(known) if *known == migration.digest() => {}
            Some(_) => {
                let message = format!("migration {} is not the one that made its tables", migration.number);
                return Err(JournalError::corrupt(message));
            }
        }
    }
    Ok(pending)
}

/// An expression that is true where the step from `OLD.state` to `NEW.state` is one of [`TRANSITIONS`].
pub(crate) fn steps() -> String {
    let mut sql = "CASE OLD.state".to_owned();
    for from in PaymentState::ALL {
        let to: Vec<_> =
            TRANSITIONS.iter().filter(|(known, _)| known == from).map(|(_, to)| format!("'{to}'")).collect();
        if !to.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(sql, "\n    WHEN '{from}' THEN NEW.state IN ({})", to.join(", "));
        }
    }
    sql + "\n    ELSE FALSE END"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule is made anew by whoever opens the journal, so an older version would take the newer's steps away. It
    /// only refuses a journal that has a migration which it does not know.
    #[test]
    fn other_steps_come_with_a_migration() {
        let digest: String =
            Sha256::digest(steps()).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            digest, "f3f1dc40f9da1960",
            "steps were changed: add a migration to every store, even an empty one"
        );
    }
}
