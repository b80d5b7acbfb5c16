//! Settings: apply, conflict, restore; and two operators at once.

use std::sync::Arc;

use contracts::Store;
use contracts::store::SettingsChange;
use operate::{Answer, OperateError, Request};
use policy::settings::DomainKind;

use crate::rig::{Rig, domain, root, user};

fn apply(toml: &str, expected_revision: Option<u64>, dry_run: bool) -> Request {
    Request::SettingsApply {
        toml: toml.to_owned(),
        why: String::new(),
        expected_revision,
        dry_run,
    }
}

const SMALL: &str = "[receiving]\nmessage_bytes_max = \"1 MiB\"\n";

fn changes(answer: &Answer) -> (Option<u64>, usize) {
    if let Answer::Changes {
        revision, changes, ..
    } = answer
    {
        (*revision, changes.len())
    } else {
        panic!("{answer:?}")
    }
}

#[tokio::test]
async fn a_tab_is_applied_and_the_others_stay() {
    let rig = Rig::set_up().await;
    let before = rig.live.current();
    let rehearsed = rig.ask(apply(SMALL, None, true)).await.unwrap();
    assert_eq!(changes(&rehearsed), (None, 1));
    assert_eq!(rig.revision().await, 1);
    let applied = rig.ask(apply(SMALL, Some(1), false)).await.unwrap();
    assert_eq!(changes(&applied), (Some(2), 1));
    let after = rig.live.current();
    assert_eq!(after.settings.receiving.message_bytes_max, 1 << 20);
    assert_eq!(after.settings.security, before.settings.security);
    // The same again is no new revision.
    let again = rig.ask(apply(SMALL, None, false)).await.unwrap();
    assert_eq!(changes(&again), (None, 0));
    rig.assert_live_is_what_is_stored().await;
}

#[tokio::test]
async fn settings_edited_from_an_old_revision_are_a_conflict() {
    let rig = Rig::set_up().await;
    rig.ask(apply(SMALL, None, false)).await.unwrap();
    for dry_run in [false, true] {
        let late = apply(
            "[services]\nsmtp_open_to_internet = true\n",
            Some(1),
            dry_run,
        );
        let conflict = OperateError::Conflict {
            expected: 1,
            found: 2,
        };
        assert_eq!(rig.ask(late).await, Err(conflict));
    }
    assert!(!rig.live.current().settings.services.smtp_open_to_internet);
}

#[tokio::test]
async fn a_revision_that_somebody_else_stored_is_taken_over_after_one_conflict() {
    let rig = Rig::set_up().await;
    let toml = rig.store.settings().await.unwrap().unwrap().toml;
    let change = SettingsChange {
        toml: toml.replace("hops_max = 100", "hops_max = 200"),
        operator: "somebody else".to_owned(),
        why: String::new(),
        at: mail::Timestamp::from_millis(0),
    };
    rig.store.save_settings(1, change).await.unwrap();
    let conflict = rig.ask(apply(SMALL, None, false)).await;
    assert!(matches!(conflict, Err(OperateError::Conflict { .. })));
    rig.assert_live_is_what_is_stored().await;
    rig.ask(apply(SMALL, None, false)).await.unwrap();
    rig.assert_live_is_what_is_stored().await;
}

#[tokio::test]
async fn problems_are_told_and_nothing_changes() {
    let rig = Rig::set_up().await;
    let relay = "[[security.relay]]\nname = \"all\"\nwho = \"anyone\"\n\
                 allows = [\"outside-to-outside\"]\n";
    for wrong in [
        relay,
        "[receiving]\nhops_max = 1\n",
        "[nowhere]\n",
        "no toml",
    ] {
        let refused = rig.ask(apply(wrong, None, false)).await;
        assert!(
            matches!(refused, Err(OperateError::Problems { .. })),
            "{wrong}"
        );
    }
    assert_eq!(rig.revision().await, 1);
}

#[tokio::test]
async fn an_old_revision_comes_back_whole_or_by_tab() {
    let rig = Rig::set_up().await;
    rig.ask(apply(SMALL, None, false)).await.unwrap();
    rig.ask(Request::DomainAdd {
        name: domain("other.example"),
        kind: DomainKind::SendingOnly,
    })
    .await
    .unwrap();
    let restore = |tab: Option<&str>| Request::SettingsRestore {
        number: 1,
        tab: tab.map(str::to_owned),
        why: String::new(),
    };
    rig.ask(restore(Some("receiving"))).await.unwrap();
    let settings = &rig.live.current().settings;
    assert_eq!(settings.receiving.message_bytes_max, 50 << 20);
    assert_eq!(settings.domains.list.len(), 2);
    rig.ask(restore(None)).await.unwrap();
    assert_eq!(rig.live.current().settings.domains.list.len(), 1);
    let no_tab = rig.ask(restore(Some("nowhere"))).await;
    assert!(matches!(no_tab, Err(OperateError::NotFound { .. })));
    let Answer::Revisions { revisions } = rig.ask(Request::SettingsHistory).await.unwrap() else {
        panic!("no revisions")
    };
    assert_eq!(revisions.len(), 5);
    assert_eq!(revisions[0].why, "revision 1 restored");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_of_users_and_of_settings_at_once_lose_neither() {
    let rig = Arc::new(Rig::set_up().await);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..40 {
        let office = Arc::clone(&rig.office);
        tasks.spawn(async move {
            let request = if number % 2 == 0 {
                Request::UserAdd {
                    // Each name twice: one of the two must lose.
                    name: user(&format!("user{}", number / 4)),
                    full_name: number.to_string(),
                    password: "open sesame".to_owned(),
                }
            } else {
                Request::DomainAdd {
                    name: domain(&format!("d{number}.example")),
                    kind: DomainKind::SendingOnly,
                }
            };
            office.operate(&root(), request).await.is_ok()
        });
    }
    let done = tasks.join_all().await.into_iter().filter(|ok| *ok).count();
    assert_eq!(done, 30);
    assert_eq!(rig.live.current().directory.enabled.len(), 11);
    assert_eq!(rig.live.current().settings.domains.list.len(), 21);
    rig.assert_live_is_what_is_stored().await;
}
