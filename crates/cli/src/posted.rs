use anstyle::{AnsiColor, Style};
use malipo::journal::{Attention, Payment};
use serde_json::{Value, json};

const OPEN: Style = AnsiColor::Yellow.on_default().bold();

/// What came of something that was posted, beside what it made of its payment.
#[derive(Debug)]
pub(crate) enum Posted<'a> {
    /// A callback came again, byte for byte.
    Again {
        /// With which HTTP statuses it was answered.
        answers: &'a [u16],
        kept: usize,
        used: usize,
    },
    /// A callback came before the reply to the request.
    Early { kept: usize },
    /// It does not agree with what was asked for.
    Doubted(&'a Attention),
}

impl Posted<'_> {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Again { answers, kept, used } => {
                let statuses: Vec<_> = answers.iter().map(ToString::to_string).collect();
                format!(
                    "      == posted     {} more, and answered {}\n         the journal says: kept {}, used {}",
                    times(answers.len()),
                    statuses.join(" and "),
                    times(*kept),
                    times(*used),
                )
            }
            Self::Early { kept } => format!(
                "      <- posted     before the reply\n         the journal says: kept {}, and not read yet",
                times(*kept)
            ),
            Self::Doubted(attention) => format!(
                "      -- {OPEN}REVIEW{OPEN:#}     posted: {}, where we asked for {}\n         \
                 kept as evidence: nothing is settled, and a person is asked",
                attention.claimed.as_deref().unwrap_or("something else"),
                attention.expected.as_deref().unwrap_or("something else"),
            ),
        }
    }

    /// The event's name, and what there is to say of it.
    pub(crate) fn json(&self, payment: &Payment) -> (&'static str, Value) {
        let state = payment.state().as_str();
        match self {
            Self::Again { answers, kept, used } => {
                ("callback_repeated", json!({"answers": answers, "kept": kept, "used": used, "state": state}))
            }
            Self::Early { kept } => ("callback_early", json!({"kept": kept, "state": state})),
            Self::Doubted(attention) => (
                "doubted",
                json!({
                    "why": attention.reason.as_str(), "expected": attention.expected, "claimed": attention.claimed,
                    "state": state,
                }),
            ),
        }
    }
}

fn times(number: usize) -> String {
    match number {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}
