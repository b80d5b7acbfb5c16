//! Opening and closing: the lock, private files, schemas, leftovers, damage.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use contracts::conformance::samples::{
    TEXT, at, deliver, delivery, enqueue, id, in_maildrop, message, queue, read, spool, uids, user,
};
use contracts::store::HistoryQuery;
use contracts::{Store, StoreError};
use policy::facts::ServiceName;
use rusqlite::Connection;
use store::sqlite::{OpenError, Options, SqliteStore};
use tempfile::TempDir;

fn open(folder: &Path) -> Result<Arc<SqliteStore>, OpenError> {
    SqliteStore::open(Options::new(folder))
}

/// A database that has the schema and the rows of an older version, as it dumped them.
fn restore(folder: &Path, name: &str, dump: &str) {
    let database = Connection::open(folder.join(name)).unwrap();
    database.execute_batch(dump).unwrap();
}

#[tokio::test]
async fn a_second_gateway_is_turned_away_by_the_pid_of_the_first() {
    let folder = TempDir::new().unwrap();
    let first = open(folder.path()).unwrap();
    let Err(refused) = open(folder.path()) else {
        panic!("the folder was opened twice");
    };
    let pid = std::process::id().to_string();
    assert!(refused.to_string().ends_with(&format!("process {pid}")));
    first.close().await;
    open(folder.path()).unwrap();
}

#[tokio::test]
async fn files_are_for_the_owner_only() {
    let parent = TempDir::new().unwrap();
    let folder = parent.path().join("data");
    let store = open(&folder).unwrap();
    let mut acceptance = message(&*store, 1, TEXT).await;
    acceptance.body = spool(&*store, &vec![b'x'; 400_000], 65_536).await;
    acceptance.deliveries = vec![delivery("alice")];
    store.accept_message(acceptance).await.unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let bodies = folder.join("bodies");
    assert_eq!((mode(&folder), mode(&bodies)), (0o700, 0o700));
    let mut files = 0;
    for folder in [&folder, &bodies] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                assert_eq!(mode(&path), 0o600, "{}", path.display());
                files += 1;
            }
        }
    }
    assert!(files >= 6, "lock, two databases with their logs, a body");
}

#[tokio::test]
async fn steps_after_closing_hear_so_and_the_log_is_folded_in() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    deliver(&*store, 1, TEXT, &["alice"]).await;
    store.close().await;
    let late = store.record_events(Vec::new()).await;
    assert_eq!(late, Err(StoreError::Closing));
    let read = store.list_maildrop(&user("alice")).await;
    assert_eq!(read, Err(StoreError::Closing));
    assert!(!folder.path().join("mail.db-wal").exists());
}

#[tokio::test]
async fn body_files_that_no_message_names_are_removed_at_start() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    let large = vec![b'y'; 300_000];
    deliver(&*store, 1, &large, &["alice"]).await;
    store.close().await;
    let bodies = folder.path().join("bodies");
    for name in ["unfinished-77-1", "77-2"] {
        std::fs::write(bodies.join(name), "left by a crash").unwrap();
    }
    let store = open(folder.path()).unwrap();
    assert_eq!(std::fs::read_dir(&bodies).unwrap().count(), 1);
    let uid = uids(&*store, "alice").await;
    let text = read(
        &*store,
        &in_maildrop("alice", *uid.first().unwrap()),
        65_536,
    )
    .await;
    assert!(text.ends_with(&large));
}

#[tokio::test]
async fn a_body_file_goes_with_its_last_reader() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    deliver(&*store, 1, &vec![b'y'; 300_000], &["alice", "bob"]).await;
    let bodies = folder.path().join("bodies");
    for name in ["alice", "bob"] {
        assert_eq!(std::fs::read_dir(&bodies).unwrap().count(), 1);
        let all = uids(&*store, name).await;
        store.apply_deletions(&user(name), &all).await.unwrap();
    }
    // The housekeeper has removed it when the store has closed.
    store.close().await;
    assert_eq!(std::fs::read_dir(&bodies).unwrap().count(), 0);
}

#[tokio::test]
async fn a_newer_schema_is_refused_in_clear_words() {
    let folder = TempDir::new().unwrap();
    open(folder.path()).unwrap().close().await;
    let database = Connection::open(folder.path().join("office.db")).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    let refused = open(folder.path()).map(drop).unwrap_err().to_string();
    assert!(refused.contains("office.db has schema 99"), "{refused}");
    assert!(refused.contains("upgrade the program"), "{refused}");
}

#[tokio::test]
async fn a_store_of_schema_1_opens_with_everything_in_it() {
    let folder = TempDir::new().unwrap();
    let dumps = [
        ("mail.db", include_str!("fixtures/schema-1/mail.sql")),
        ("office.db", include_str!("fixtures/schema-1/office.sql")),
    ];
    for (name, dump) in dumps {
        restore(folder.path(), name, dump);
    }
    let store = open(folder.path()).unwrap();
    let all = uids(&*store, "alice").await;
    assert_eq!(all.len(), 2);
    for uid in all {
        let text = read(&*store, &in_maildrop("alice", uid), 100).await;
        assert!(text.starts_with(b"Delivered-To: alice\r\nReceived: by a sample\r\n"));
        assert!(text.ends_with(TEXT));
    }
    let queued = queue(&*store).await;
    assert_eq!(queued.len(), 2);
    assert!(queued.iter().all(|entry| entry.id == id(3)));
    let told = store.story(id(3)).await.unwrap();
    assert_eq!(told.entries.len(), 2);
    let heads = store
        .search_history(&HistoryQuery::default())
        .await
        .unwrap();
    assert_eq!(heads.len(), 4);
    let settings = store.settings().await.unwrap().unwrap();
    assert_eq!((settings.head.number, settings.toml.as_str()), (2, "a = 2"));
    let stopped = store.stopped_services().await.unwrap();
    assert_eq!(stopped, [ServiceName::Pop3]);
    assert_eq!(store.audit(10).await.unwrap().len(), 1);
    deliver(&*store, 9, TEXT, &["alice"]).await;
    assert_eq!(uids(&*store, "alice").await.last().unwrap().0, 4);
}

#[tokio::test]
async fn a_lost_body_file_is_damage_and_does_not_stop_the_others() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    deliver(&*store, 1, &vec![b'y'; 300_000], &["alice"]).await;
    deliver(&*store, 2, TEXT, &["alice"]).await;
    let bodies = folder.path().join("bodies");
    for entry in std::fs::read_dir(&bodies).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let all = uids(&*store, "alice").await;
    let (lost, kept) = (all.first().unwrap(), all.last().unwrap());
    let damaged = store
        .read_message(&in_maildrop("alice", *lost), 0, 1000)
        .await;
    assert!(
        matches!(damaged, Err(StoreError::Damaged { .. })),
        "{damaged:?}"
    );
    let text = read(&*store, &in_maildrop("alice", *kept), 1000).await;
    assert!(text.ends_with(TEXT));
    store
        .apply_deletions(&user("alice"), &[*lost])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_damaged_queue_entry_is_set_aside_and_the_others_are_claimed() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    enqueue(&*store, 1, &["a.test", "b.test"], at(0)).await;
    store.close().await;
    let database = Connection::open(folder.path().join("mail.db")).unwrap();
    let damage = "UPDATE queue SET recipient = '{' WHERE recipient_no = 0";
    database.execute(damage, []).unwrap();
    drop(database);
    let store = open(folder.path()).unwrap();
    let claimed = store.claim_due(at(0), at(60), 10, &[]).await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert_eq!(
        store
            .claim_due(at(99), at(160), 10, &[])
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(queue(&*store).await.len(), 1);
}

#[tokio::test]
async fn a_long_log_is_begun_anew_while_mail_comes_in() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    let body = vec![b'z'; 250_000];
    for number in 1..=800 {
        deliver(&*store, number, &body, &["alice"]).await;
    }
    let log = folder.path().join("mail.db-wal").metadata().unwrap().len();
    // It is begun anew at 64 MiB; what comes in until a busy machine gets round to it is on top.
    assert!(log < 180_000_000, "200 MB came in, the log has {log}");
    assert_eq!(uids(&*store, "alice").await.len(), 800);
}
