//! What follows on a payment that was submitted: by whoever called, and by people.

use std::time::Duration;

use malipo::journal::{Decision, Lease, Payment, PaymentState, PaymentsError, Refused};
use malipo::{Secret, Timer as _};
use malipo_sim::PaymentState as Decided;

use crate::orders::Order;
use crate::process::Process;
use crate::scenario::Then;

/// How often one looks at a payment, and how often in all before something is taken to be wrong.
const LOOKS: Duration = Duration::from_secs(240);
const PATIENCE: u32 = 100;
/// The same where somebody waits for it.
const SOON: Duration = Duration::from_secs(20);

/// Whether there is more to do. Closed on purpose.
enum Step {
    Done,
    /// Look again after this long.
    After(Duration),
}

impl Process {
    /// Does what is to follow, however much of it a process that died has done.
    ///
    /// # Errors
    ///
    /// With what cannot be: that it is never done, or that it is refused for good.
    pub(crate) async fn follow_up(&self, order: &Order) -> Result<(), String> {
        if order.then == Then::Nothing {
            return Ok(());
        }
        let mut tries = 0;
        for _ in 0..PATIENCE {
            let newest = self.payments.newest(&order.key).await;
            self.life.go_on().await;
            let step = match newest {
                Err(error) => self.not_yet(order, &error),
                // Nothing can be done about it until it is known, or somebody has to look.
                Ok(payment) if payment.state() == PaymentState::Unknown => Step::After(LOOKS),
                Ok(payment) => match order.then {
                    Then::Nothing => Step::Done,
                    Then::Again => self.again(order, &payment).await?,
                    Then::Confirms => self.confirm(order, &payment, &mut tries).await?,
                    Then::Decides | Then::SendsAgain => self.decide(order, &payment).await?,
                    Then::Cancels => self.cancel(order, &payment).await?,
                },
            };
            self.life.go_on().await;
            match step {
                Step::Done => return Ok(()),
                Step::After(time) => self.clock.sleep(time).await,
            }
        }
        Err(format!("{:?} was not done in {PATIENCE} tries", order.then))
    }

    async fn again(&self, order: &Order, payment: &Payment) -> Result<Step, String> {
        if payment.generation.0 > 1 {
            return Ok(Step::Done);
        }
        if payment.state() != PaymentState::Failed {
            let rests = payment.state().is_final() || payment.state() == PaymentState::Review;
            return Ok(if rests { Step::Done } else { Step::After(LOOKS) });
        }
        let Order { key, account, instruction, .. } = order;
        match self.payments.again(account, key.clone(), instruction.clone()).await {
            Ok(_) => Ok(Step::Done),
            Err(error) => self.unless_for_good(order, error),
        }
    }

    /// Hands in a wrong code, and then the right one.
    async fn confirm(&self, order: &Order, payment: &Payment, tries: &mut u32) -> Result<Step, String> {
        if payment.state() == PaymentState::Review || payment.state().is_final() {
            return Ok(Step::Done);
        }
        let Some(message) = self.sim.messages().pop() else { return Ok(Step::After(SOON)) };
        let wrong = if message.code == "000000" { "000001" } else { "000000" };
        let code = if *tries == 0 && order.wrong_code_first { wrong.into() } else { message.code };
        match self.payments.confirm(&order.key, Secret::new(code)).await {
            Ok(_) => Ok(Step::Done),
            Err(PaymentsError::CodeNotTaken(_)) if *tries == 0 && order.wrong_code_first => {
                *tries += 1;
                Ok(Step::After(SOON))
            }
            // While nobody was there it has become too old.
            Err(PaymentsError::CodeNotTaken(_)) => Ok(Step::Done),
            // An earlier one may have been taken, which the gateway is asked about.
            Err(PaymentsError::Refused(Refused::CodeOpen)) => Ok(Step::Done),
            Err(error) => self.unless_for_good(order, error),
        }
    }

    /// Looks at the gateway's own books, and says what stands there.
    async fn decide(&self, order: &Order, payment: &Payment) -> Result<Step, String> {
        match payment.state() {
            PaymentState::Review => {}
            state if state.is_final() => return Ok(Step::Done),
            _ => return Ok(Step::After(LOOKS)),
        }
        let ledger = self.sim.ledger();
        let mut theirs = ledger.payments().iter().filter(|entry| entry.party == order.party);
        let paid = theirs.any(|entry| matches!(entry.state, Decided::Paid { .. }));
        let decision = match (paid, order.then) {
            (true, _) => Decision::Paid { receipt: None },
            (false, Then::SendsAgain) => {
                let worker = "asha".parse().map_err(|_| "Asha is no worker")?;
                // The engine puts a lease of its own process in its place.
                Decision::SendAgain(Lease::new(worker, Duration::from_secs(1)))
            }
            (false, _) => Decision::Failed,
        };
        let why = "as the gateway's own books have it";
        match self.payments.resolve(payment.id, "Asha", why, decision).await {
            // Sent again, it may have to be looked at again.
            Ok(_) => Ok(Step::After(SOON)),
            Err(error) => self.unless_for_good(order, error),
        }
    }

    async fn cancel(&self, order: &Order, payment: &Payment) -> Result<Step, String> {
        if payment.state().is_final() || payment.state() == PaymentState::Review {
            return Ok(Step::Done);
        }
        match self.payments.cancel(&order.key).await {
            Ok(_) => Ok(Step::Done),
            Err(error) => self.unless_for_good(order, error),
        }
    }

    fn unless_for_good(&self, order: &Order, error: PaymentsError) -> Result<Step, String> {
        match error {
            PaymentsError::Refused(_) | PaymentsError::Journal(_) => Ok(self.not_yet(order, &error)),
            error => Err(error.to_string()),
        }
    }

    fn not_yet(&self, order: &Order, error: &PaymentsError) -> Step {
        self.witness.note(format!("{:?} and {}: not yet, {error}", self.group, order.key));
        Step::After(SOON)
    }
}
