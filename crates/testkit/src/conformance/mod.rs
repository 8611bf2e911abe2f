//! One suite for every provider: what a caller may rely on, whichever gateway it is.
//!
//! [`conformance!`](crate::conformance!) turns one line of a provider's tests into one named test for each promise
//! in [`PROMISES`]. Which of them concern a provider follows from what it declares: what is declared is tried,
//! what is not declared must be refused.
//!
//! What passing does **not** prove:
//!
//! - that the answers and deliveries of the [`Subject`] are what the gateway really sends, or all it sends. The
//!   suite holds the provider against its author's reading of the documents; only the gateway can judge that.
//! - that fields are named, signed or encrypted as the gateway wants them: that is for snapshots, for a simulator
//!   written by somebody else, and for a live sandbox.
//! - anything about sockets, timeouts and TLS: no byte leaves the process.
//! - that nothing is paid twice across a crash: a provider keeps no memory, so that is the journal's to prove.
//! - that a secret cannot be found by somebody who spells it in a way that [`leaks`](crate::leaks) does not know.

mod admission;
mod answering;
mod asking;
mod balances;
mod bench;
mod coverage;
mod cutting;
mod delivering;
mod faults;
mod losing;
mod naming;
mod parties;
mod secrecy;
mod shapes;
mod subject;
mod tokens;
mod wire;
mod wording;

use std::fmt;

use bench::Bench;
use bytes::Bytes;

pub use subject::{Asked, Counted, Posted, Rejection, Sample, Says, Subject, Submitted, TokenExchange};

/// Something that every provider promises.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Promise {
    /// Its name, which reads as a sentence and is the name of its test.
    pub name: &'static str,
    check: fn(&Bench<'_>) -> bench::Result,
}

impl Promise {
    /// Tries to break it.
    ///
    /// # Errors
    ///
    /// [`Broken`] says how it was broken.
    pub fn check(&self, subject: &dyn Subject) -> Result<(), Broken> {
        (self.check)(&Bench::new(subject)).map_err(|finding| Broken { promise: self.name, finding })
    }
}

/// Tries to break the promise of this name.
///
/// # Errors
///
/// [`Broken`] says how it was broken, or that there is no such promise.
pub fn check(name: &'static str, subject: &dyn Subject) -> Result<(), Broken> {
    match PROMISES.iter().find(|promise| promise.name == name) {
        Some(promise) => promise.check(subject),
        None => Err(Broken { promise: name, finding: "there is no such promise".to_owned() }),
    }
}

/// Cuts a document of the gateway's at every byte and says what is left to the provider in every way that a gateway can:
/// as an answer to each operation, to a question and to the request for a token, and posted. What is left may come to
/// nothing certain, or to what the whole comes to. For a provider's fixtures, one by one.
///
/// # Errors
///
/// [`Broken`] says which part decided something else.
pub fn cut_everywhere(subject: &dyn Subject, text: &[u8]) -> Result<(), Broken> {
    let promise = "a_cut_document_decides_nothing_else";
    cutting::cut(&Bench::new(subject), &Bytes::copy_from_slice(text))
        .map_err(|finding| Broken { promise, finding })
}

/// A promise that was not kept. Prints the same for people and for a test runner.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Broken {
    /// The promise.
    pub promise: &'static str,
    /// How it was broken.
    pub finding: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the promise {} is broken: {}", self.promise, self.finding)
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Broken {}

/// One named test for each promise, in a module of its own: `conformance!(MySubject)`.
///
/// The argument is an expression that makes a [`Subject`](crate::conformance::Subject). A second suite in the same
/// file wants a name for its module: `conformance!(production: MySubject::production())`.
#[macro_export]
macro_rules! conformance {
    ($module:ident: $subject:expr) => {
        mod $module {
            #[allow(unused_imports, reason = "the subject may be named by an absolute path")]
            use super::*;

            $crate::__promises! { @list tests [$subject] }
        }
    };
    ($subject:expr) => {
        $crate::conformance! { conformance: $subject }
    };
}

/// The list of all promises, written once, and what is made of it.
#[doc(hidden)]
#[macro_export]
macro_rules! __promises {
    (@list $what:ident $with:tt) => {
        $crate::__promises! { @$what $with
            coverage:
                capabilities_make_sense
                everything_declared_is_tried;
            admission:
                a_declared_operation_sends_one_request
                an_undeclared_operation_sends_nothing
                an_undeclared_party_sends_nothing
                an_amount_within_the_limits_is_sent
                an_amount_outside_the_limits_sends_nothing
                an_unknown_detail_sends_nothing
                a_wrong_callback_sends_nothing
                the_least_callback_is_enough;
            wording:
                our_reference_is_sent_verbatim
                what_is_sent_is_what_was_asked
                a_question_names_its_payment;
            losing:
                a_failure_before_sending_means_no_effect
                a_failure_after_sending_means_unknown
                a_server_in_trouble_means_unknown
                a_redirect_means_unknown
                an_unreadable_success_means_unknown
                an_unreadable_refusal_means_unknown;
            answering:
                an_accepted_payment_is_reported_as_documented
                a_documented_refusal_means_no_effect
                an_undocumented_code_means_unknown
                a_duplicate_means_unknown
                a_torn_answer_means_unknown;
            shapes:
                a_list_is_no_answer
                a_list_is_no_delivery
                an_answer_that_contradicts_itself_means_unknown;
            tokens:
                a_rejected_token_is_renewed_once
                a_doubted_token_is_not_used_again
                a_payment_without_a_token_is_not_sent
                a_token_is_kept;
            asking:
                asking_tells_what_the_gateway_tells
                asking_moves_nothing
                a_question_without_an_answer_changes_nothing
                a_torn_answer_to_a_question_decides_nothing
                what_cannot_be_asked_sends_nothing;
            balances:
                balances_are_told_and_nothing_changes;
            naming:
                an_error_names_account_operation_and_payment
                one_provider_serves_many_threads;
            secrecy:
                a_provider_prints_no_secret
                a_secret_is_sent_only_where_nothing_prints_it
                a_secret_that_a_gateway_repeats_is_not_passed_on
                a_secret_that_comes_with_a_token_is_not_passed_on
                a_delivery_that_is_refused_is_not_repeated;
            delivering:
                a_delivery_says_what_is_documented
                a_delivery_reads_the_same_twice
                trust_comes_from_address_and_signature
                a_torn_delivery_decides_nothing
                a_meaningless_delivery_decides_nothing
                a_delivery_always_gets_a_reply;
        }
    };
    (@tests [$subject:expr] $($module:ident: $($name:ident)*;)*) => {
        $($(
            #[test]
            fn $name() -> ::core::result::Result<(), $crate::conformance::Broken> {
                $crate::conformance::check(::core::stringify!($name), &$subject)
            }
        )*)*
    };
    (@table [] $($module:ident: $($name:ident)*;)*) => {
        /// Every promise, in the order the tests are listed.
        pub const PROMISES: &[Promise] =
            &[$($(Promise { name: stringify!($name), check: $module::$name },)*)*];
    };
}

__promises! { @list table [] }
