//! The suites that every implementation of a contract has to pass.
//!
//! `store_conformance!(make)` becomes one test per promise of the Store contract, where `make` is
//! an async function in scope that returns a fresh [`Subject`]. The promises are ordinary functions, so that
//! a failure points at the line that was broken.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::cast_possible_truncation,
    reason = "test code that lives in the library so that other crates can run it"
)]

pub mod acceptance;
pub mod history;
pub mod maildrop;
pub mod office;
pub mod queue;
pub mod samples;

use std::sync::Arc;

use crate::Store;

/// A store under test.
#[async_trait::async_trait]
pub trait Subject: Send {
    /// The store.
    fn store(&self) -> Arc<dyn Store>;

    /// Stops the store, as a power cut would or in order, and starts it again on what it kept.
    async fn restart(&mut self);
}

/// One test per promise of the Store contract; `$make` returns a fresh subject.
#[macro_export]
macro_rules! store_conformance {
    ($make:path) => {
        $crate::store_conformance! { $make;
            acceptance {
                an_accepted_message_is_at_once_in_mailbox_and_queue
                an_accepted_message_survives_a_restart_whole
                many_mailboxes_get_the_same_body_each_with_its_own_prefix
                a_rendition_reads_the_same_at_every_offset_and_length
                a_large_body_reads_back_whole_in_pieces
                an_empty_body_is_a_message_too
                a_missing_final_line_end_counts_in_the_size
                an_id_is_accepted_once
                a_body_that_is_dropped_leaves_nothing
                a_message_that_nobody_gets_leaves_its_story
                messages_accepted_together_are_all_there
                a_writer_shows_the_head_and_counts_octets
                free_space_is_known
            }
            maildrop {
                an_unknown_mailbox_is_empty
                uids_ascend_and_are_never_given_again
                deletions_take_those_named_and_no_others
                deleting_what_is_gone_does_no_harm
                a_body_stays_until_its_last_reader_is_gone
                reading_a_deleted_message_says_not_found
                a_mailbox_has_one_lock_and_dropping_it_gives_it_free
                locks_do_not_survive_a_restart
            }
            queue {
                due_entries_are_leased_oldest_first
                a_leased_entry_is_not_claimed_again_until_the_lease_runs_out
                skipped_destinations_are_left_alone
                released_claims_are_due_at_once
                a_restart_resumes_the_queue
                done_leaves_the_queue_and_again_comes_back
                an_untried_entry_keeps_its_count
                a_report_is_committed_with_the_attempt_that_causes_it
                a_record_that_fails_changes_nothing
                a_result_for_an_entry_that_is_gone_is_ignored
                operators_hold_release_and_retry
                a_hold_during_an_attempt_outlives_it
                deleting_spares_what_is_being_tried
                deleting_the_last_entry_collects_the_body
                next_due_is_the_earliest_instant
                filters_choose_by_id_destination_state_and_number
            }
            history {
                a_story_is_told_whole_and_in_order
                entries_for_unknown_stories_are_dropped
                refusals_are_found_like_messages
                a_search_finds_words_times_and_outcomes_newest_first
                trimming_drops_what_is_old_except_what_is_queued
                refusals_have_a_budget_of_their_own
                an_operators_action_is_in_the_story
                the_last_id_is_the_greatest_and_survives
            }
            office {
                settings_begin_with_none_and_count_up
                saving_on_top_of_an_older_revision_is_a_conflict
                users_are_made_replaced_and_removed
                the_mailbox_of_a_removed_user_stays
                stopped_services_are_remembered
                the_audit_is_newest_first_and_survives
            }
        }
    };
    ($make:path; $($family:ident { $($promise:ident)+ })+) => {
        $(
            mod $family {
                use super::*;
                $(
                    #[::tokio::test]
                    async fn $promise() {
                        let mut subject = $make().await;
                        $crate::conformance::$family::$promise(&mut subject).await;
                    }
                )+
            }
        )+
    };
}
