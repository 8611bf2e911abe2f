use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use malipo::DeliveryPurpose;
use malipo::journal::{self, EventId, EventKind, Find, Journal, Key, Payment, PaymentState};
use malipo::{Env as _, SystemEnv, Timer as _};

use crate::posted::Posted;
use crate::story::{Doubt, Event, Refusal, Story, Way};

/// How often to look into the journal.
const LOOK: Duration = Duration::from_millis(20);
/// More events than come between two looks.
const PAGE: u32 = 100;

/// Tells what the journal says of the payments, whichever process wrote it.
pub(crate) struct Watch {
    journal: Arc<dyn Journal>,
    story: Story,
    clock: SystemEnv,
    /// The last event that was told.
    told: EventId,
}

impl Watch {
    pub(crate) fn new(journal: Arc<dyn Journal>, story: Story) -> Self {
        Self { journal, story, clock: SystemEnv::new(), told: EventId(0) }
    }

    /// The payment of this key, as it stands.
    pub(crate) async fn payment(&self, key: &Key) -> Result<Payment, Box<dyn Error>> {
        let found = self.journal.find(&Find::Key(key.clone())).await?;
        Ok(found.ok_or_else(|| format!("the journal knows no payment {key}"))?)
    }

    /// Tells what happens until the payment of this key is over, or patience is. Its end changes nothing about the
    /// payment: it stays open.
    pub(crate) async fn until_over(&mut self, key: &Key, patience: Duration) -> Result<(), Box<dyn Error>> {
        self.until(key, patience, PaymentState::is_final).await
    }

    /// The same until the payment has come to such a state.
    pub(crate) async fn until(
        &mut self,
        key: &Key,
        patience: Duration,
        is_it: fn(PaymentState) -> bool,
    ) -> Result<(), Box<dyn Error>> {
        let until = self.clock.monotonic().saturating_add(patience);
        loop {
            // Before its events, or the last one could be left out.
            let payment = self.journal.find(&Find::Key(key.clone())).await?;
            for event in self.journal.events(self.told, PAGE).await? {
                self.told = event.id;
                self.tell(&event).await?;
            }
            match payment {
                Some(payment) if is_it(payment.state()) => return Ok(()),
                Some(payment) if self.clock.monotonic() >= until => {
                    self.story.tell(&Event::StillOpen(&payment));
                    return Ok(());
                }
                None if self.clock.monotonic() >= until => {
                    return Err(format!("the journal knows no payment {key}").into());
                }
                _ => self.clock.sleep(LOOK).await,
            }
        }
    }

    async fn tell(&self, event: &journal::Event) -> Result<(), Box<dyn Error>> {
        let found = self.journal.find(&Find::Id(event.payment)).await?;
        let payment = &found.ok_or("the journal tells of a payment that it does not have")?;
        match (event.kind, event.to) {
            // The story tells of it before.
            (EventKind::Opened | EventKind::Began, _) => {}
            (_, state) if state == event.from && event.attention.is_none() => {}
            (EventKind::Ended, PaymentState::Accepted) => self.story.tell(&Event::Accepted(payment)),
            (EventKind::Ended, PaymentState::Unknown) => {
                self.story.tell(&Event::Unknown(payment, Doubt::NoReply));
            }
            (EventKind::Swept, PaymentState::Unknown) => {
                self.story.tell(&Event::Unknown(payment, Doubt::NoSender));
            }
            (_, PaymentState::Paid) => self.story.tell(&Event::Paid(payment, self.way(event).await?)),
            (_, PaymentState::Failed) => {
                let refusal = self.refusal(payment).await?;
                self.story.tell(&Event::Refused(payment, self.way(event).await?, &refusal));
            }
            (_, PaymentState::Review) => match &event.attention {
                Some(attention) => self.story.tell(&Event::Posted(payment, Posted::Doubted(attention))),
                None => self.story.tell(&Event::Noted(payment, event)),
            },
            _ => self.story.tell(&Event::Noted(payment, event)),
        }
        Ok(())
    }

    /// How it became known.
    async fn way(&self, event: &journal::Event) -> Result<Way, Box<dyn Error>> {
        let delivery = match event.delivery {
            Some(delivery) => self.journal.delivery(delivery).await?,
            None => None,
        };
        Ok(match delivery.map(|delivery| delivery.purpose) {
            Some(DeliveryPurpose::Answer) => Way::Asked,
            Some(_) => Way::Callback,
            None => Way::Reply,
        })
    }

    /// Why it failed, in the gateway's words.
    async fn refusal(&self, payment: &Payment) -> Result<Refusal, Box<dyn Error>> {
        let report = self.journal.reports(payment.id).await?.pop();
        Ok(Refusal {
            code: payment.code.clone(),
            text: report
                .as_ref()
                .and_then(|report| report.text.as_ref())
                .map(|text| text.as_str().to_owned()),
            remedy: report.and_then(|report| report.remedy).map(Into::into),
        })
    }
}
