//! The code a wallet's owner gives the merchant, and the merchant gives back (`process-payment`).

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use rust_decimal::Decimal;

use super::collect::Failure;
use super::fields::Fields;
use super::refusal::Refusal;
use super::{DIGITS, Name, SasaPay, Task, Work, done};
use crate::fault::Faults;
use crate::gateways::Gateway;
use crate::payer::Message;
use crate::world::Stage;

/// How long a code is good for. This and the number of tries are our choice: the page tells neither.
const LIFE: Duration = Duration::from_secs(600);
const TRIES: u8 = 5;

/// The number is our choice, the nearest that is listed: a wrong PIN.
pub(super) const TOO_MANY_CODES: Failure =
    Failure("2001", "A wrong verification code was given too many times");

/// A code on a payer's phone.
#[derive(Debug)]
pub(super) struct Code {
    digits: String,
    /// In monotonic time.
    end: Duration,
    step: Step,
}

/// How far the code has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Not given yet, but so many wrong ones.
    Open(u8),
    Given,
    /// Too many wrong ones were.
    Closed,
}

impl Code {
    pub(super) fn send(stage: &mut Stage, to: &str, amount: Decimal, merchant: &str) -> Self {
        let digits = stage.dice.text(DIGITS, 6);
        let minutes = LIFE.as_secs() / 60;
        stage.messages.push(Message {
            gateway: Gateway::SasaPay,
            to: to.into(),
            text: format!(
                "{digits} is your code to pay KES {amount:.2} to {merchant}. It lasts {minutes} minutes."
            ),
            code: digits.clone(),
        });
        Self { digits, end: stage.monotonic().saturating_add(LIFE), step: Step::Open(0) }
    }

    /// Takes what is said to be the code.
    fn take(&mut self, given: &str, now: Duration) -> Taken {
        let wrong = match self.step {
            Step::Given => return Taken::Wrong("VerificationCode was used before"),
            Step::Closed => return Taken::Wrong("VerificationCode was wrong too many times"),
            Step::Open(_) if now >= self.end => return Taken::Wrong("VerificationCode has expired"),
            Step::Open(wrong) => wrong.saturating_add(1),
        };
        if given == self.digits {
            self.step = Step::Given;
            return Taken::Right;
        }
        if wrong < TRIES {
            self.step = Step::Open(wrong);
            return Taken::Wrong("VerificationCode is not the one sent to the payer");
        }
        self.step = Step::Closed;
        Taken::WrongOnceTooOften
    }
}

/// What a code that was given is.
enum Taken {
    Right,
    /// With the reason.
    Wrong(&'static str),
    /// There is no further try.
    WrongOnceTooOften,
}

impl SasaPay {
    pub(super) fn confirm(
        &mut self,
        stage: &mut Stage,
        fields: &mut Fields,
        faults: &Faults,
    ) -> Result<Response<Bytes>, Refusal> {
        let merchant = fields.code("MerchantCode");
        let checkout = fields.text("CheckoutRequestID");
        let given = fields.six_digits("VerificationCode");
        let (Some(merchant), Some(checkout), Some(given)) = (merchant, checkout, given) else {
            return Err(fields.refusal());
        };
        self.ours(&merchant)?;
        let place =
            self.names.get(&Name::Checkout(checkout)).copied().ok_or_else(Refusal::no_such_payment)?;
        let collection = self.collections.get_mut(place).ok_or_else(Refusal::no_such_payment)?;
        if !collection.received.is_zero() {
            return Err(Refusal::code("CheckoutRequestID is of a payment that was made already"));
        }
        let code = collection.code.as_mut();
        let code =
            code.ok_or_else(|| Refusal::code("CheckoutRequestID is of a payment that takes no code"))?;
        let (task, answer) = match code.take(&given, stage.monotonic()) {
            Taken::Right => (Task::Decide(place), Ok(done("Transaction is being processed"))),
            Taken::Wrong(why) => return Err(Refusal::code(why)),
            Taken::WrongOnceTooOften => {
                let why = "VerificationCode was wrong too many times: the request is closed";
                (Task::GiveUp(place), Err(Refusal::code(why)))
            }
        };
        // The result of both calls is one, so the faults of both are its own.
        let faults = std::mem::take(&mut collection.faults).and(faults);
        self.undertake(stage, Work { task, faults });
        answer
    }
}
