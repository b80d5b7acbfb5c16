-- Messages, mailboxes, queue, history. Instants are milliseconds since 1970, ids 63-bit numbers.

-- A message as long as `refs` mailboxes and queue entries refer to it.
CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    refs INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    body_bytes INTEGER NOT NULL,
    size_octets INTEGER NOT NULL,
    mail TEXT NOT NULL,
    prefix BLOB NOT NULL,
    cuts BLOB
);

-- Bodies are written once and never again; one is either here or a file.
CREATE TABLE body (
    message INTEGER PRIMARY KEY,
    content BLOB NOT NULL
);

CREATE TABLE body_file (
    message INTEGER PRIMARY KEY,
    name TEXT NOT NULL
);

-- `last_uid` only grows: a unique id is never given twice (RFC 1939 §7).
CREATE TABLE mailbox (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    last_uid INTEGER NOT NULL
);

CREATE TABLE maildrop (
    mailbox INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    message INTEGER NOT NULL,
    delivered_at INTEGER NOT NULL,
    size_octets INTEGER NOT NULL,
    prefix BLOB NOT NULL,
    PRIMARY KEY (mailbox, uid)
) WITHOUT ROWID;

-- `wakes_at` is when an entry may be claimed: due_at, or the end of a lease; NULL while held.
CREATE TABLE queue (
    message INTEGER NOT NULL,
    recipient_no INTEGER NOT NULL,
    destination TEXT NOT NULL,
    wakes_at INTEGER,
    due_at INTEGER NOT NULL,
    leased_until INTEGER,
    held INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    delay_noticed INTEGER NOT NULL,
    last_reply TEXT,
    recipient TEXT NOT NULL,
    PRIMARY KEY (message, recipient_no)
) WITHOUT ROWID;

CREATE INDEX queue_by_waking ON queue (wakes_at, destination) WHERE wakes_at IS NOT NULL;

-- `head` and `entries` are JSON; what is added later has rows of its own.
CREATE TABLE story (
    id INTEGER PRIMARY KEY,
    began_at INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    weight_bytes INTEGER NOT NULL,
    head BLOB NOT NULL,
    entries BLOB NOT NULL
);

CREATE TABLE story_entry (
    story INTEGER NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    event BLOB NOT NULL,
    PRIMARY KEY (story, number)
) WITHOUT ROWID;

-- Numbers to remember: `last_id` after trimming, `proof` of a disk that writes again.
CREATE TABLE number (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
