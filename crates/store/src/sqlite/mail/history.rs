//! Stories as they are written and dropped; and what a start gives back.

use contracts::StoreError;
use rusqlite::{Connection, params};

use super::incoming::{NewEntry, NewStory};
use crate::sqlite::failure;

/// What happens where a story of the id is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IfKnown {
    /// The step fails.
    Fail,
    /// The first one stays.
    Ignore,
}

pub(super) fn insert(
    connection: &Connection,
    story: &NewStory,
    if_known: IfKnown,
) -> rusqlite::Result<()> {
    let sql = match if_known {
        IfKnown::Fail => {
            "INSERT INTO story (id, began_at, accepted, weight_bytes, head, entries)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        }
        IfKnown::Ignore => {
            "INSERT OR IGNORE INTO story (id, began_at, accepted, weight_bytes, head, entries)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        }
    };
    connection
        .prepare_cached(sql)?
        .execute(params![
            story.id,
            story.began_at,
            story.accepted,
            i64::try_from(story.weight_bytes()).unwrap_or(i64::MAX),
            story.head.as_bytes(),
            story.entries.as_bytes(),
        ])
        .map(drop)
}

/// Keeps stories that left no message.
pub(super) fn keep(connection: &Connection, stories: &[NewStory]) -> Result<(), StoreError> {
    let mut stories = stories.iter();
    stories
        .try_for_each(|story| insert(connection, story, IfKnown::Ignore))
        .map_err(failure::sqlite("keep refusals"))
}

/// Adds entries to stories that are there.
pub(super) fn add(connection: &Connection, entries: &[NewEntry]) -> Result<(), StoreError> {
    let add = || -> rusqlite::Result<()> {
        let mut insert = connection.prepare_cached(
            "INSERT INTO story_entry (story, number, at, event)
             SELECT ?1,
                    (SELECT coalesce(max(number), 0) + 1 FROM story_entry WHERE story = ?1),
                    ?2, ?3
             WHERE EXISTS (SELECT 1 FROM story WHERE id = ?1)",
        )?;
        for entry in entries {
            insert.execute(params![entry.story, entry.at, entry.event.as_bytes()])?;
        }
        Ok(())
    };
    add().map_err(failure::sqlite("add to the history"))
}

/// Drops stories, except of mail that is queued; remembers the greatest id.
pub(super) fn drop_stories(connection: &Connection, ids: &[i64]) -> Result<(), StoreError> {
    let drop_all = || -> rusqlite::Result<()> {
        let mut queued = connection.prepare_cached("SELECT 1 FROM queue WHERE message = ?1")?;
        let mut story = connection.prepare_cached("DELETE FROM story WHERE id = ?1")?;
        let mut entries = connection.prepare_cached("DELETE FROM story_entry WHERE story = ?1")?;
        for id in ids {
            if !queued.exists([id])? {
                story.execute([id])?;
                entries.execute([id])?;
            }
        }
        connection
            .prepare_cached(
                "INSERT INTO number (name, value) VALUES ('last_id', ?1)
                     ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
            )?
            .execute([ids.iter().max()])
            .map(drop)
    };
    if ids.is_empty() {
        return Ok(());
    }
    drop_all().map_err(failure::sqlite("trim the history"))
}

/// Gives every lease back: who held it ended with the process.
pub(crate) fn release_leases(connection: &Connection) -> Result<(), StoreError> {
    connection
        .execute(
            "UPDATE queue SET leased_until = NULL,
                              wakes_at = CASE WHEN held THEN NULL ELSE due_at END
             WHERE leased_until IS NOT NULL",
            [],
        )
        .map(drop)
        .map_err(failure::sqlite("release leases"))
}
