//! Mailboxes and messages as they are read.

use std::collections::BTreeSet;
use std::ops::Range;

use bytes::Bytes;
use contracts::StoreError;
use contracts::store::{MaildropMessage, MessageRef, Rendition, Uid};
use mail::{Timestamp, TransactionId};
use policy::UserName;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::incoming::{column, cuts, id_column};
use crate::sqlite::body::BodyFolder;
use crate::sqlite::failure;

/// The messages of a mailbox, oldest first.
pub(crate) fn list_maildrop(
    connection: &Connection,
    user: &UserName,
) -> Result<Vec<MaildropMessage>, StoreError> {
    let read = || -> rusqlite::Result<Vec<MaildropMessage>> {
        connection
            .prepare_cached(
                "SELECT d.uid, d.size_octets, d.message, d.delivered_at
                 FROM mailbox b JOIN maildrop d ON d.mailbox = b.number
                 WHERE b.name = ?1 ORDER BY d.uid",
            )?
            .query_map([user.as_str()], |row| {
                Ok(MaildropMessage {
                    uid: Uid(row.get::<_, i64>(0)?.unsigned_abs()),
                    size_octets: row.get::<_, i64>(1)?.unsigned_abs(),
                    id: TransactionId::from_number(row.get::<_, i64>(2)?.unsigned_abs()),
                    delivered_at: Timestamp::from_millis(row.get(3)?),
                })
            })?
            .collect()
    };
    read().map_err(failure::sqlite("list mailbox"))
}

/// The names of all body files.
pub(crate) fn body_files(connection: &Connection) -> Result<BTreeSet<String>, StoreError> {
    let read = || -> rusqlite::Result<BTreeSet<String>> {
        connection
            .prepare("SELECT name FROM body_file")?
            .query_map([], |row| row.get(0))?
            .collect()
    };
    read().map_err(failure::sqlite("list body files"))
}

// A body that fits the read comes with the row; CASE keeps larger ones on disk.
const IN_MAILDROP: &str = "SELECT m.id, d.prefix, m.prefix, m.cuts, m.body_bytes,
            CASE WHEN m.body_bytes <= ?1
                 THEN (SELECT content FROM body WHERE message = m.id) END
     FROM mailbox b
     JOIN maildrop d ON d.mailbox = b.number
     JOIN message m ON m.id = d.message
     WHERE b.name = ?2 AND d.uid = ?3";
const QUEUED: &str = "SELECT m.id, x'', m.prefix, m.cuts, m.body_bytes,
            CASE WHEN m.body_bytes <= ?1
                 THEN (SELECT content FROM body WHERE message = m.id) END
     FROM message m
     WHERE m.id = ?2 AND EXISTS (SELECT 1 FROM queue WHERE message = ?2)";

/// Octets of a message as its reader gets it.
pub(crate) fn read_message(
    connection: &Connection,
    bodies: &BodyFolder,
    reference: &MessageRef,
    offset: u64,
    max_bytes: usize,
) -> Result<Bytes, StoreError> {
    // Later pieces read what they need of the body, not all of it.
    let whole_up_to = if offset == 0 {
        i64::try_from(max_bytes).unwrap_or(i64::MAX)
    } else {
        -1
    };
    let failed = failure::sqlite("read message");
    let read = |row: &Row<'_>| Ok(Piece::of(row, offset, max_bytes));
    let piece = match reference {
        MessageRef::InMaildrop { user, uid } => {
            connection
                .prepare_cached(IN_MAILDROP)
                .and_then(|mut statement| {
                    statement.query_row(params![whole_up_to, user.as_str(), column(uid.0)], read)
                })
        }
        MessageRef::Queued { id } => connection.prepare_cached(QUEUED).and_then(|mut statement| {
            statement.query_row(params![whole_up_to, id_column(*id)], read)
        }),
    };
    let Some(piece) = piece.optional().map_err(failed)? else {
        return Err(gone());
    };
    let piece = piece?;
    let mut octets = piece.octets;
    if !piece.body.is_empty() {
        read_body(connection, bodies, piece.id, &piece.body, &mut octets)?;
    }
    Ok(octets.into())
}

fn gone() -> StoreError {
    StoreError::NotFound {
        what: "the message".to_owned(),
    }
}

/// What the row gave of a read, and which ranges of the body are still to come.
struct Piece {
    id: i64,
    octets: Vec<u8>,
    body: Vec<Range<u64>>,
}

impl Piece {
    fn of(row: &Row<'_>, offset: u64, max_bytes: usize) -> Result<Self, StoreError> {
        let failed = failure::sqlite("read message");
        let blob = |index: usize| {
            let value = row.get_ref(index).map_err(&failed)?;
            let octets = value.as_blob_or_null();
            octets.map_err(|wrong| failure::damaged("read message", wrong))
        };
        let own_prefix = blob(1)?.unwrap_or_default();
        let rendition = Rendition {
            prefix: blob(2)?.unwrap_or_default().to_vec(),
            cuts: cuts(blob(3)?)?,
        };
        let body_bytes = row.get::<_, i64>(4).map_err(&failed)?.unsigned_abs();
        let window = rendition.window(own_prefix.len(), body_bytes, offset, max_bytes);
        let body_part: u64 = window
            .body
            .iter()
            .map(|range| range.end - range.start)
            .sum();
        let capacity = usize::try_from(body_part).unwrap_or(0) + window.prefix.len();
        let mut octets = Vec::with_capacity(capacity);
        let both = own_prefix.iter().chain(&rendition.prefix);
        octets.extend(both.skip(window.prefix.start).take(window.prefix.len()));
        let mut left = window.body;
        if let Some(content) = blob(5)? {
            for range in std::mem::take(&mut left) {
                let part = content_range(content, &range).ok_or_else(too_short)?;
                octets.extend_from_slice(part);
            }
        }
        Ok(Self {
            id: row.get(0).map_err(&failed)?,
            octets,
            body: left,
        })
    }
}

fn content_range<'a>(content: &'a [u8], range: &Range<u64>) -> Option<&'a [u8]> {
    let start = usize::try_from(range.start).ok()?;
    let end = usize::try_from(range.end).ok()?;
    content.get(start..end)
}

fn too_short() -> StoreError {
    failure::damaged("read message", "its body is shorter than it was")
}

/// Reads ranges of a body, inline or in a file.
fn read_body(
    connection: &Connection,
    bodies: &BodyFolder,
    id: i64,
    ranges: &[Range<u64>],
    octets: &mut Vec<u8>,
) -> Result<(), StoreError> {
    let failed = failure::sqlite("read message");
    let name: Option<String> = connection
        .prepare_cached("SELECT name FROM body_file WHERE message = ?1")
        .and_then(|mut statement| statement.query_row([id], |row| row.get(0)).optional())
        .map_err(&failed)?;
    let Some(name) = name else {
        return read_inline(connection, id, ranges, octets);
    };
    match bodies.read(&name, ranges, octets) {
        Ok(()) => Ok(()),
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => {
            // Deleted between the two looks, unless the row is still there.
            if exists(connection, id).map_err(&failed)? {
                Err(failure::damaged("read message", missing))
            } else {
                Err(gone())
            }
        }
        Err(short) if short.kind() == std::io::ErrorKind::UnexpectedEof => Err(too_short()),
        Err(other) => Err(failure::io("read a body file")(other)),
    }
}

fn read_inline(
    connection: &Connection,
    id: i64,
    ranges: &[Range<u64>],
    octets: &mut Vec<u8>,
) -> Result<(), StoreError> {
    let failed = failure::sqlite("read message");
    let blob = match connection.blob_open("main", "body", "content", id, true) {
        Ok(blob) => blob,
        Err(missing) => {
            return if exists(connection, id).map_err(&failed)? {
                Err(failed(missing))
            } else {
                Err(gone())
            };
        }
    };
    for range in ranges {
        let start = octets.len();
        let at = usize::try_from(range.start).map_err(|_| too_short())?;
        let bytes = usize::try_from(range.end - range.start).map_err(|_| too_short())?;
        octets.resize(start + bytes, 0);
        let piece = octets.get_mut(start..).unwrap_or_default();
        blob.read_at_exact(piece, at).map_err(&failed)?;
    }
    Ok(())
}

fn exists(connection: &Connection, id: i64) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM message WHERE id = ?1")?
        .exists([id])
}
