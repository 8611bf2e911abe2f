use crate::{Callback, Instruction, Operation, ProviderRefs, Reference};

/// How to ask about a payment again. It can be made from the instruction alone, for when no answer ever came.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ticket {
    /// Our name for the payment.
    pub reference: Reference,
    /// What it was.
    pub operation: Operation,
    /// The gateway's names for it, as far as told.
    pub provider_refs: ProviderRefs,
    /// Where the gateway posts the answer to the question, where it answers only there. Never the URL that the payment
    /// itself was given: the failure of a question must not be taken for the failure of the payment.
    pub callback: Option<Callback>,
}

impl Ticket {
    /// A ticket for a payment of which nothing but our reference is known.
    pub fn new(reference: Reference, operation: Operation) -> Self {
        Self { reference, operation, provider_refs: ProviderRefs::new(), callback: None }
    }

    /// Adds the gateway's names for the payment.
    #[must_use]
    pub fn with_provider_refs(mut self, provider_refs: ProviderRefs) -> Self {
        self.provider_refs = provider_refs;
        self
    }

    /// Says where the answer is to be posted.
    #[must_use]
    pub fn with_callback(mut self, callback: Callback) -> Self {
        self.callback = Some(callback);
        self
    }
}

/// The ticket of a payment that was just instructed.
impl From<&Instruction> for Ticket {
    fn from(instruction: &Instruction) -> Self {
        match instruction {
            Instruction::Confirm(confirm) => confirm.ticket.clone(),
            other => Self::new(other.reference().clone(), other.operation()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Confirm, Money, PayOut, Payee, Secret, Terms};

    #[test]
    fn a_ticket_can_be_made_before_any_answer() {
        let terms = Terms::new("LOAN-1".parse().unwrap(), Money::kes("100").unwrap());
        let payee = Payee::till("123456".parse().unwrap());
        let instruction = Instruction::PayOut(PayOut::new(payee, terms));
        let ticket = Ticket::from(&instruction);
        assert_eq!((ticket.reference.as_str(), ticket.operation), ("LOAN-1", Operation::PayOut));

        let confirm = Instruction::Confirm(Confirm::new(ticket.clone(), Secret::new("123456")));
        assert_eq!(Ticket::from(&confirm), ticket);
        assert_eq!(confirm.reference(), &ticket.reference);
        assert!(!format!("{confirm:?}").contains("123456"));
    }
}
