//! One suite over every store.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod bench;
mod model;
#[cfg(feature = "sqlite")]
mod on_disk;
#[cfg(feature = "postgres")]
mod on_server;
#[cfg(feature = "postgres")]
mod server;
mod suite;

use bench::Bench;

/// Runs the promises named over the store that `$make` makes. What every promise leaves behind is looked at, too.
macro_rules! run {
    ($make:path => $($group:ident: [$($promise:ident,)*];)*) => {
        $(mod $group {
            $(#[test]
            fn $promise() {
                // None without the server that it needs, which whoever started the tests was told.
                let bench: Option<crate::Bench> = $make().into();
                let Some(bench) = bench else { return };
                pollster::block_on(async {
                    crate::suite::$group::$promise(&bench).await;
                    bench.check().await;
                });
            })*
        })*
    };
}

/// Every promise, once. One that is not listed here is unused, which the compiler says.
macro_rules! every_promise {
    ($make:path) => {
        run! { $make =>
            opening: [
                a_key_is_one_payment,
                a_known_key_answers_with_what_it_is,
                another_body_is_a_conflict_that_names_fields,
                a_step_is_no_payment,
                a_reference_names_one_payment,
                starting_now_is_one_commit,
                again_needs_a_definite_end,
                again_is_refused_while_a_failure_is_contradicted,
                an_older_failure_that_is_contradicted_holds_what_came_after,
                many_at_once_open_one_payment,
            ];
            sending: [
                an_attempt_begins_once,
                an_attempt_ends_as_it_ends,
                a_reply_can_say_more_than_taken,
                a_reply_that_does_not_agree_is_reviewed,
                an_end_that_comes_twice_is_an_event_only,
                what_may_be_out_is_not_failed_by_a_later_refusal,
                without_a_rule_nothing_is_sent_again,
                the_same_reference_goes_again_while_it_is_remembered,
                a_clock_that_is_set_back_makes_nothing_younger,
                an_absence_counts_when_it_was_quiet,
                only_what_has_not_left_is_cancelled,
            ];
            reporting: [
                a_report_is_new_once,
                a_callback_can_be_faster_than_the_reply,
                a_contradiction_is_flagged_and_changes_nothing,
                a_contradiction_that_is_told_again_and_again_is_one_event,
                what_does_not_agree_is_reviewed_and_not_believed,
                facts_are_merged,
                goods_come_back_whole,
                what_was_not_sent_is_held_when_somebody_speaks_of_it,
                every_end_is_one_event,
            ];
            delivering: [
                a_delivery_is_stored_once,
                a_delivery_comes_back_as_it_came,
                a_delivery_is_applied_once,
                a_delivery_without_an_address_needs_one_payment_that_fits,
                a_known_name_decides,
                how_much_alone_fits_nobody,
                what_is_set_aside_waits_for_nobody,
                what_comes_to_a_url_of_a_payment_is_of_that_payment,
                a_person_is_told_once_of_what_settles_nothing,
            ];
            leasing: [
                what_is_due_is_claimed_once,
                due_is_due_in_order,
                a_worker_that_was_away_too_long_changes_nothing,
                whoever_did_not_claim_waits,
                a_lease_that_runs_out_makes_an_attempt_unknown,
                what_is_swept_is_asked_about,
                a_payment_can_be_put_off,
                a_time_allowed_runs_out,
                nothing_open_is_forgotten,
                a_claim_is_of_one_account,
                questions_are_counted_from_the_newest_attempt,
            ];
            stepping: [
                a_step_is_an_attempt_and_no_state,
                a_code_of_unknown_fate_is_not_followed_by_another,
                what_the_reply_to_a_code_tells_is_evidence,
                a_code_is_for_a_collection_that_waits,
            ];
            twinning: [
                a_twin_waits_until_the_other_has_a_name,
                a_twin_waits_for_a_person_too,
                only_a_twin_is_held,
                of_many_twins_at_once_one_leaves,
                a_twin_is_not_sent_again_either,
            ];
            crediting: [
                one_transaction_is_one_credit,
                what_is_no_money_under_a_name_is_refused,
                only_the_gateways_own_answer_confirms,
                another_amount_that_is_posted_is_evidence,
                a_collections_own_notice_is_no_credit,
                a_notice_that_is_first_waits_for_its_collection,
                what_comes_beside_a_collection_is_a_credit,
                what_nothing_tells_apart_goes_to_a_person,
                a_credit_that_turns_out_to_be_a_collection_is_told_again,
                what_is_posted_beside_the_transaction_decides_nothing,
                a_claim_is_asked_about_more_and_more_rarely_and_then_shown,
                what_cannot_be_asked_about_goes_to_a_person,
                money_is_told_once_whichever_of_its_names_its_collection_has,
                whoever_looks_at_a_claim_is_shown_each_amount,
                what_an_older_reader_set_aside_can_be_booked,
                credits_follow_one_another,
                who_paid_is_erased_and_what_was_paid_is_not,
            ];
            deciding: [
                a_person_decides_what_is_in_review,
                a_person_sends_again,
                a_flag_is_taken_down_by_a_person,
                a_decision_has_a_name_and_a_reason,
                a_person_does_not_send_what_may_be_paid_elsewhere,
                nobody_decides_while_an_attempt_is_on_its_way,
            ];
            erasing: [
                people_are_erased_and_money_is_not,
                what_is_open_or_flagged_is_not_erased,
                an_erased_key_is_not_used_again,
                a_delivery_of_nobody_is_erased_too,
                what_comes_after_an_erasure_is_erased_too,
                what_nobody_has_read_yet_is_not_erased,
                what_is_set_aside_after_an_erasure_is_erased_too,
            ];
            batching: [
                one_refused_entry_undoes_no_other,
                a_refused_entry_leaves_no_trace,
                an_entry_sees_what_came_before_it,
                an_empty_batch_is_nothing,
            ];
            following: [
                a_position_never_goes_back,
                money_that_came_in_unasked_is_given_as_well,
                what_happens_is_given_in_order_and_once,
                what_a_handler_fails_at_is_given_again_and_holds_up_its_payment_only,
                a_position_stays_before_what_is_not_done,
                one_that_fails_for_ever_is_left_behind_by_no_more_than_a_thousand,
                two_that_follow_under_one_name_are_both_given_everything,
                who_is_told_to_stop_finishes_what_is_in_hand,
            ];
            replaying: [
                a_replay_that_tells_nothing_new_is_one_event,
                a_replay_takes_nothing_back_that_was_said_since,
                what_was_set_aside_is_folded_in_by_a_replay,
                a_replay_is_noted_with_its_payment,
                what_comes_of_a_replay_says_so,
                it_is_set_aside_for_what_is_read_today,
                every_delivery_is_listed,
            ];
            reading: [
                a_payment_is_found_by_each_of_its_names,
                payments_are_listed_in_pages,
                events_follow_one_another,
            ];
        }
    };
}

mod memory {
    every_promise!(crate::Bench::memory);
}

/// A file, and the writer's thread.
#[cfg(feature = "sqlite")]
mod sqlite {
    every_promise!(crate::Bench::sqlite);
}

/// In memory, and no thread.
#[cfg(feature = "sqlite")]
mod sqlite_inline {
    every_promise!(crate::Bench::sqlite_inline);
}

/// A schema of its own on the server of the run.
#[cfg(feature = "postgres")]
mod postgres {
    every_promise!(crate::Bench::postgres);
}
