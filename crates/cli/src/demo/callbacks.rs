//! What is posted again, what is posted too early, and what somebody else posts.

use malipo::journal::{Deliveries, DeliveryId, PaymentId, PaymentState, StoredDelivery};

use super::{Error, Event, Fault, Gateway, LATER, Operation, Order, Scene, Stage, while_running};
use crate::posted::Posted;

/// The payment whose callback comes again and again.
pub(super) const REPEATED: Scene = Scene {
    order: Order { key: "salary 5", payee: "0720111222", shillings: "1200" },
    twist: Some("its callback comes three times"),
    faults: &[],
    ask_after: LATER,
};
/// The payment whose callback is faster than the reply.
pub(super) const EARLY: Order<'_> = Order { key: "salary 6", payee: "0721333444", shillings: "1300" };
/// The payment that somebody claims to be a greater one.
pub(super) const FORGED: Order<'_> = Order { key: "salary 7", payee: "0790555666", shillings: "1400" };

/// More than anybody posts of one payment here.
const ALL: u32 = 100;

impl Stage {
    /// Pays, and posts what the gateway posted twice more.
    pub(super) async fn repeat_callback(
        &mut self,
        number: usize,
        scene: &Scene,
    ) -> Result<(), Box<dyn Error>> {
        self.play(number, scene).await?;
        let payment = self.watch.payment(&scene.order.key()?).await?;
        let posted = self.posted(payment.id).await?;
        let body = posted.first().map(StoredDelivery::delivery).transpose()?.flatten();
        let body = body.ok_or("what the gateway posted is not kept")?.body;
        let mut answers = Vec::new();
        for _ in 0..2 {
            answers.push(self.engine.post(&payment, body.bytes()).await?);
        }
        self.engine.payments(LATER)?.tick().await?;
        let kept = self.posted(payment.id).await?.len();
        let history = self.engine.journal.history(payment.id).await?;
        let is_use =
            |event: &&malipo::journal::Event| event.from != event.to && event.to == PaymentState::Paid;
        let used = history.iter().filter(is_use).count();
        self.story.tell(&Event::Posted(&payment, Posted::Again { answers: &answers, kept, used }));
        if (kept, used) != (1, 1) || answers != [200, 200] {
            self.broken.push(format!("{}: its callback was kept {kept} and used {used} times", payment.key));
        }
        Ok(())
    }

    /// Pays where the callback is there before the reply is.
    pub(super) async fn hear_early(
        &mut self,
        number: usize,
        order: &Order<'_>,
    ) -> Result<(), Box<dyn Error>> {
        self.sim.inject(Gateway::Daraja, Operation::PayOut, [Fault::CallbackEarly])?;
        self.submitting(number, order, Some("its callback comes before the reply"))?;
        let (key, instruction) = (order.key()?, self.engine.instruction(order)?);
        let payments = self.engine.payments(LATER)?;
        // Nothing reads what is kept until somebody runs the engine: it is all there before anything follows from it.
        let payment = payments.submit(self.engine.account(), key.clone(), instruction).await?;
        let kept = self.posted(payment.id).await?.len();
        self.story.tell(&Event::Posted(&payment, Posted::Early { kept }));
        if kept != 1 || payment.state() != PaymentState::Accepted {
            let state = payment.state();
            self.broken
                .push(format!("{key}: before it was read, {kept} callbacks were kept, and it was {state}"));
        }
        while_running(&payments, self.watch.until_over(&key, self.patience)).await
    }

    /// Pays, while somebody who knows the URL claims that ten times as much was paid. The truth comes later.
    pub(super) async fn hear_forged(
        &mut self,
        number: usize,
        order: &Order<'_>,
    ) -> Result<(), Box<dyn Error>> {
        let faults = [Fault::CallbackForged, Fault::CallbackLate(LATER)];
        self.sim.inject(Gateway::Daraja, Operation::PayOut, faults)?;
        self.submitting(number, order, Some("somebody posts that ten times as much was paid"))?;
        let (key, instruction) = (order.key()?, self.engine.instruction(order)?);
        let payments = self.engine.payments(LATER)?;
        let work = async {
            payments.submit(self.engine.account(), key.clone(), instruction).await?;
            let is_judged = |state: PaymentState| state == PaymentState::Review || state.is_final();
            self.watch.until(&key, self.patience, is_judged).await?;
            self.sim.advance(LATER);
            self.watch.until_over(&key, self.patience).await
        };
        while_running(&payments, work).await?;
        let payment = self.watch.payment(&key).await?;
        let kept = self.posted(payment.id).await?.len();
        if kept != 2 || payment.standing.attention.is_none() {
            self.broken.push(format!("{key}: {kept} callbacks are kept, and a person should know of one"));
        }
        Ok(())
    }

    /// What was posted about a payment, as it is kept.
    async fn posted(&self, payment: PaymentId) -> Result<Vec<StoredDelivery>, Box<dyn Error>> {
        Ok(self.engine.journal.deliveries(&Deliveries::Of(payment), DeliveryId(0), ALL).await?)
    }
}
