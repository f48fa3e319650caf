-- +goose Up

-- Follows that rest until a time, as their readers asked.
ALTER TABLE follows ADD COLUMN paused_until BIGINT NOT NULL DEFAULT 0;

-- A follow that gets what comes as it comes, and waits for something to come:
-- 1. Those that wait for the same are looked for together.
ALTER TABLE follows ADD COLUMN waits BIGINT NOT NULL DEFAULT 0;
CREATE INDEX follows_waiting ON follows (query, lang, channel, since_seq) WHERE waits = 1;

-- What is due comes in the order of this index, also when a million follows are
-- due at one moment.
DROP INDEX follows_due;
CREATE INDEX follows_due ON follows (state, next_due_at, id);

-- An edition is shared by all who get the same; the slot that a follow's
-- delivery is for, in local wall time, stands with the delivery.
ALTER TABLE deliveries ADD COLUMN slot TEXT NOT NULL DEFAULT '';
UPDATE deliveries SET slot = (SELECT substr(e.edition_key, length(e.edition_key) - 15) FROM editions e WHERE e.id = deliveries.edition) WHERE follow <> 0;
CREATE UNIQUE INDEX deliveries_slot ON deliveries (follow, slot) WHERE slot <> '';

-- Claims read a channel's planned rows in the order of this index, also when a
-- million of them are due at one moment. A state is looked for channel by channel.
DROP INDEX deliveries_due;
DROP INDEX deliveries_channel;
CREATE INDEX deliveries_channel ON deliveries (channel, state, due_at, id);

-- What waits for a chat; not what it has had.
CREATE INDEX deliveries_waiting ON deliveries (chat) WHERE state = 'planned' OR state = 'held';

-- What the publisher sends by hand: planned some chats at a time, in the order
-- of their names, up to the one in done_to.
CREATE TABLE sends (
	id         {{id}},
	articles   TEXT NOT NULL, -- ids, as given
	note       TEXT NOT NULL DEFAULT '',
	audience   TEXT NOT NULL, -- everyone, channel NAME, topic WORDS
	state      TEXT NOT NULL, -- waiting, planning, planned, stopped
	starts_at  BIGINT NOT NULL,
	done_to    TEXT NOT NULL DEFAULT '',
	planned    BIGINT NOT NULL DEFAULT 0,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);
CREATE INDEX sends_state ON sends (state, starts_at);

-- Articles that stay at the top of the newest and of digests until a time.
CREATE TABLE pins (
	article   BIGINT PRIMARY KEY,
	until     BIGINT NOT NULL,
	pinned_at BIGINT NOT NULL
);

-- The processes that serve from this database, and when each was seen last.
CREATE TABLE replicas (
	id       TEXT PRIMARY KEY,
	pid      BIGINT NOT NULL, -- of its connection that listens
	host     TEXT NOT NULL,
	began_at BIGINT NOT NULL, -- by the database's clock, as the next
	seen_at  BIGINT NOT NULL
);

-- Which of them answers a message; '' when none could take over from it.
ALTER TABLE inbox ADD COLUMN replica TEXT NOT NULL DEFAULT '';

-- The oldest schema that a program must know to run on this one.
INSERT INTO counters (name, value) VALUES ('schema_oldest', 6);

-- +goose Down
DELETE FROM counters WHERE name = 'schema_oldest';
ALTER TABLE inbox DROP COLUMN replica;
DROP TABLE replicas;
DROP TABLE pins;
DROP TABLE sends;
DROP INDEX deliveries_waiting;
DROP INDEX deliveries_channel;
CREATE INDEX deliveries_channel ON deliveries (channel, state, due_at);
CREATE INDEX deliveries_due ON deliveries (state, due_at);
DROP INDEX deliveries_slot;
ALTER TABLE deliveries DROP COLUMN slot;
DROP INDEX follows_due;
CREATE INDEX follows_due ON follows (state, next_due_at);
DROP INDEX follows_waiting;
ALTER TABLE follows DROP COLUMN waits;
ALTER TABLE follows DROP COLUMN paused_until;
