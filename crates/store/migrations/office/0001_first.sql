-- Settings, users, services, audit. Instants are milliseconds since 1970.

CREATE TABLE revision (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    operator TEXT NOT NULL,
    why TEXT NOT NULL,
    toml TEXT NOT NULL
);

-- `record` is JSON, password hashes included.
CREATE TABLE user (
    name TEXT PRIMARY KEY,
    record TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE stopped_service (
    name TEXT PRIMARY KEY
) WITHOUT ROWID;

CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    operator TEXT NOT NULL,
    action TEXT NOT NULL
);

-- Numbers to remember: `proof` of a disk that writes again.
CREATE TABLE number (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
