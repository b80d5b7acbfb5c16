//! Deletions, and the end of messages that nobody refers to any more.

use contracts::StoreError;
use contracts::store::Uid;
use policy::UserName;
use rusqlite::{Connection, OptionalExtension, params};

use super::incoming::column;
use crate::sqlite::failure;

/// Deletes messages of a mailbox; returns the body files that are free now.
pub(super) fn delete(
    connection: &Connection,
    user: &UserName,
    uids: &[Uid],
) -> Result<Vec<String>, StoreError> {
    delete_rows(connection, user, uids).map_err(failure::sqlite("delete messages"))
}

fn delete_rows(
    connection: &Connection,
    user: &UserName,
    uids: &[Uid],
) -> rusqlite::Result<Vec<String>> {
    let mut freed = Vec::new();
    let mailbox: Option<i64> = connection
        .prepare_cached("SELECT number FROM mailbox WHERE name = ?1")?
        .query_row([user.as_str()], |row| row.get(0))
        .optional()?;
    let Some(mailbox) = mailbox else {
        return Ok(freed);
    };
    let mut delete = connection
        .prepare_cached("DELETE FROM maildrop WHERE mailbox = ?1 AND uid = ?2 RETURNING message")?;
    for uid in uids {
        let message: Option<i64> = delete
            .query_row(params![mailbox, column(uid.0)], |row| row.get(0))
            .optional()?;
        if let Some(message) = message {
            freed.extend(release(connection, message, 1)?);
        }
    }
    Ok(freed)
}

/// Takes `refs` references from a message; deletes it with the last, and returns its body file.
pub(super) fn release(
    connection: &Connection,
    message: i64,
    refs: usize,
) -> rusqlite::Result<Option<String>> {
    let left: Option<i64> = connection
        .prepare_cached("UPDATE message SET refs = refs - ?2 WHERE id = ?1 RETURNING refs")?
        .query_row(
            params![message, i64::try_from(refs).unwrap_or(i64::MAX)],
            |row| row.get(0),
        )
        .optional()?;
    if left.is_none_or(|left| left > 0) {
        return Ok(None);
    }
    connection
        .prepare_cached("DELETE FROM message WHERE id = ?1")?
        .execute([message])?;
    connection
        .prepare_cached("DELETE FROM body WHERE message = ?1")?
        .execute([message])?;
    connection
        .prepare_cached("DELETE FROM body_file WHERE message = ?1 RETURNING name")?
        .query_row([message], |row| row.get(0))
        .optional()
}
