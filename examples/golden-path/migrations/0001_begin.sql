-- One text for SQLite and PostgreSQL. SQLite takes any name for a type, and stores what it is given.
-- Times are milliseconds since 1970-01-01 UTC.

CREATE TABLE users (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    -- The number of the newest event. Whoever stores an event holds this row until it is committed: so numbers have
    -- no gap, and nobody sees a number before all smaller ones.
    last_event BIGINT NOT NULL DEFAULT 0,
    made_ms BIGINT NOT NULL
);

CREATE TABLE sessions (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id),
    until_ms BIGINT NOT NULL,
    revoked_ms BIGINT
);
CREATE INDEX sessions_of_user ON sessions (user_id);

CREATE TABLE refresh_tokens (
    -- SHA-256 of the token; the token itself is nowhere.
    hash BYTEA NOT NULL PRIMARY KEY,
    session_id UUID NOT NULL REFERENCES sessions (id),
    used_ms BIGINT
);
CREATE INDEX refresh_tokens_of_session ON refresh_tokens (session_id);

CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    private BYTEA NOT NULL,
    made_ms BIGINT NOT NULL
);

-- What only one may do at a time: whoever changes the row has the turn until the end of the transaction.
CREATE TABLE turns (
    name TEXT NOT NULL PRIMARY KEY,
    taken BIGINT NOT NULL
);
INSERT INTO turns (name, taken) VALUES ('signing_keys', 0);

CREATE TABLE threads (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id),
    title TEXT NOT NULL,
    made_ms BIGINT NOT NULL,
    UNIQUE (id, user_id)
);
CREATE INDEX threads_of_user ON threads (user_id, made_ms);

CREATE TABLE runs (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL,
    thread_id UUID NOT NULL,
    -- The number of the event that it answers.
    answers BIGINT NOT NULL,
    correlation TEXT NOT NULL,
    -- The lease: who, until when, and for the how manyth time.
    instance TEXT,
    until_ms BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    -- The newest event that it said, and in which epoch.
    last_event BIGINT,
    said_epoch BIGINT,
    cancel_ms BIGINT,
    ended_ms BIGINT,
    UNIQUE (id, user_id),
    -- A run in a thread of another user can't be.
    FOREIGN KEY (thread_id, user_id) REFERENCES threads (id, user_id)
);
CREATE INDEX runs_due ON runs (until_ms) WHERE ended_ms IS NULL;
CREATE INDEX runs_open_of_user ON runs (user_id) WHERE ended_ms IS NULL;
CREATE INDEX runs_open_of_instance ON runs (instance) WHERE ended_ms IS NULL;

CREATE TABLE events (
    user_id UUID NOT NULL REFERENCES users (id),
    id BIGINT NOT NULL CHECK (id > 0),
    thread_id UUID NOT NULL,
    run_id UUID,
    -- The client's own number for its message.
    message UUID,
    at_ms BIGINT NOT NULL,
    -- JSON. As text, since PostgreSQL's own types for JSON refuse U+0000, which a model may say.
    what TEXT NOT NULL,
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, message),
    FOREIGN KEY (thread_id, user_id) REFERENCES threads (id, user_id),
    FOREIGN KEY (run_id, user_id) REFERENCES runs (id, user_id)
);
CREATE INDEX events_of_thread ON events (thread_id, id);
