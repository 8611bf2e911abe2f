//! Moving a world's time, and taking it back to its start.

use std::time::Duration;

use malipo_core::Timestamp;

use super::{Stage, State, World};
use crate::fault::{Fault, Faults, NeverStrikes};
use crate::gateways::{Faces, Gateway, Operation};
use crate::notify::Callback;

/// What keeps a world from being idle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outstanding {
    /// Callbacks that left and of which nobody has said what came of them.
    pub(crate) callbacks: usize,
    /// In how long something is to happen by itself.
    pub(crate) next_in: Option<Duration>,
}

impl World {
    /// Moves the simulator's clock forward. What falls due on the way happens in its order, each thing at its own
    /// time: a payment is decided, its late callback falls due that much later, a token runs out. The callbacks
    /// that leave are handed over by the next [`take_due`](Self::take_due).
    ///
    /// Only the simulator's time moves, not the [`Env`](malipo_core::Env)'s: the times and the texts it tells, and
    /// what is due. [`Answer::delay`](crate::Answer::delay) is still waited for by whoever waits.
    pub fn advance(&self, by: Duration) {
        self.state().advance(by);
    }

    /// Takes everything back to the start: the ledger, tokens, references, whatever was still to happen, the log and
    /// its counts, faults asked for, the plan, chance, and the clock. The accounts and the seed stay, so the same
    /// calls are answered with the same bytes as the first time.
    ///
    /// A callback handed over before belongs to nothing any more: it need not be posted, and
    /// [`record`](Self::record) ignores it.
    pub fn reset(&self) {
        let mut state = self.state();
        let State { stage, faces, faults, struck } = &mut *state;
        stage.start_over();
        *faces = Faces::open(&self.accounts, stage);
        faults.start_over();
        struck.clear();
    }

    /// Arranges that the next such call meets these faults, all of them. Each further `inject` is for the
    /// call after that.
    ///
    /// # Errors
    ///
    /// When no call could meet them: the gateway has no such operation, or one of them is about a callback and none
    /// comes of it, or about a token and it shows none. Then nothing is arranged.
    pub fn inject(
        &self,
        gateway: Gateway,
        operation: Operation,
        faults: impl IntoIterator<Item = Fault>,
    ) -> Result<(), NeverStrikes> {
        let faults = Faults::new(faults);
        faults.fit(gateway, operation)?;
        self.state().faults.inject(gateway, operation, faults);
        Ok(())
    }

    /// Forgets the faults that [`inject`](Self::inject) arranged and no call has met yet, and says how many calls would
    /// have met some. The plan and the magic payees stay.
    pub fn clear_faults(&self) -> usize {
        self.state().faults.clear()
    }

    /// What the simulator's clock reads, and how far that is ahead.
    pub(crate) fn time(&self) -> (Timestamp, Duration) {
        let state = self.state();
        (state.stage.now(), state.stage.clock.ahead())
    }

    /// False for a callback handed over before the last reset.
    pub(crate) fn is_current(&self, callback: &Callback) -> bool {
        self.state().stage.era == callback.era
    }

    pub(crate) fn outstanding(&self) -> Outstanding {
        let state = self.state();
        let due = state.stage.agenda.next_due();
        let next_in = due.map(|due| due.saturating_sub(state.stage.monotonic()));
        Outstanding { callbacks: state.stage.in_flight, next_in }
    }
}

impl State {
    fn advance(&mut self, by: Duration) {
        let ahead = self.stage.clock.ahead().saturating_add(by);
        // In steps, or a payment decided on the way would be decided at the end of it.
        while let Some(due) = self.stage.agenda.next_due() {
            let step = self.stage.clock.ahead_to_read(due);
            if step > ahead {
                break;
            }
            self.stage.clock.put_ahead(step);
            let Some(job) = self.stage.agenda.pop(self.stage.monotonic()) else { break };
            let leaving = self.run(job);
            self.stage.overdue.extend(leaving);
        }
        self.stage.clock.put_ahead(ahead);
    }
}

impl Stage {
    /// Everything as at first, except that lanes and eras go on: what is still on its way keeps its own.
    fn start_over(&mut self) {
        let fresh = Self::open(self.clock.put_back(), self.seed, self.result_delay);
        *self = Self { lanes: self.lanes, era: self.era + 1, ..fresh };
    }
}
