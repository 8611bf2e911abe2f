//! How a process comes to be.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use malipo::Provider as _;
use malipo::journal::{self, Payments, Policy, SqliteJournal};
use malipo_receiver::Receiver;
use malipo_sim::Gateway;

use super::{ACCOUNT, REVIEW_AFTER, REVIEW_AFTER_SENDING_AGAIN, Run, Stage};
use crate::executor::Group;
use crate::life::{Death, Life};
use crate::postman::Home;
use crate::process::Process;
use crate::unbuilt::Unbuilt;
use crate::watched::Watched;

impl Stage<'_> {
    /// Starts a process.
    pub(super) fn process(&mut self, death: Option<Death>) -> Result<Process, Unbuilt> {
        let Run { house, scenario, altered, .. } = &self.run;
        self.started += 1;
        let group = Group::of_process(self.started);
        let life = Arc::new(Life::until(death, self.witness.clone()));
        let timer = Arc::new(self.clock.clone());
        let transport = altered.transport(self.wire.transport(life.clone()));
        let account = house.provider(scenario.gateway, &self.sim, transport, timer.clone())?;
        let account = altered.account(account);
        let file = self.file();
        let journal = Arc::new(SqliteJournal::inline(file.as_path(), timer.clone())?);
        let journal = Arc::new(Watched {
            journal: altered.journal(journal, &file, timer.clone()),
            life: life.clone(),
            group,
            witness: self.witness.clone(),
        });
        let mut policy = Policy::of(account.capabilities());
        policy.review_after = match scenario.gateway {
            Gateway::Daraja | Gateway::KasaPay => REVIEW_AFTER_SENDING_AGAIN,
            _ => REVIEW_AFTER,
        };
        let policy = altered.policy(policy);
        let payments = Payments::new(
            journal.clone(),
            self.urls.clone(),
            timer,
            format!("process-{}", self.started).parse()?,
        )
        .with_lease(scenario.lease)
        .with_crash_points(life.clone())
        .with_account(journal::Account::new(ACCOUNT, Arc::new(account)).with_policy(policy))?;
        let process = Process {
            group,
            life,
            payments: payments.clone(),
            journal,
            clock: self.clock.clone(),
            witness: self.witness.clone(),
            work: scenario.work,
            sim: self.sim.clone(),
            submitting: Arc::new(AtomicUsize::new(0)),
            following_up: Arc::new(AtomicUsize::new(0)),
        };
        self.witness.note(format!("{group:?} starts"));
        let receiver = Receiver::new(payments.clone());
        self.postman.open(Home { group, payments, receiver });
        process.clone().start(self.orders.clone(), &self.executor.spawner());
        Ok(process)
    }
}
