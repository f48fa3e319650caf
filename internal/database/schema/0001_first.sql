-- +goose Up

-- Numbers handed out inside a writing transaction: 'seq' orders every change of
-- the articles by commit, which the index of each replica follows.
CREATE TABLE counters (
	name  TEXT PRIMARY KEY,
	value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('seq', 0);

-- Small facts that replicas share: keys, platform tokens, notices given.
CREATE TABLE settings (
	name       TEXT PRIMARY KEY,
	value      TEXT NOT NULL,
	expires_at BIGINT NOT NULL DEFAULT 0 -- 0: never
);

CREATE TABLE sources (
	name          TEXT PRIMARY KEY,
	kind          TEXT NOT NULL, -- folder, feed, page
	location      TEXT NOT NULL,
	etag          TEXT NOT NULL DEFAULT '',
	last_modified TEXT NOT NULL DEFAULT '',
	checked_at    BIGINT NOT NULL DEFAULT 0,
	failing_since BIGINT NOT NULL DEFAULT 0,
	failures      BIGINT NOT NULL DEFAULT 0,
	error         TEXT NOT NULL DEFAULT ''
);

CREATE TABLE articles (
	id           {{id}},
	source       TEXT NOT NULL,
	source_key   TEXT NOT NULL,
	state        TEXT NOT NULL, -- published, waiting, withdrawn
	url          TEXT NOT NULL DEFAULT '',
	title        TEXT NOT NULL,
	slug         TEXT NOT NULL,
	author       TEXT NOT NULL DEFAULT '',
	note         TEXT NOT NULL DEFAULT '',
	lang         TEXT NOT NULL DEFAULT '',
	published_at BIGINT NOT NULL DEFAULT 0,
	tags         TEXT NOT NULL DEFAULT '[]',
	cover        TEXT NOT NULL DEFAULT '',
	body         TEXT NOT NULL DEFAULT '[]',
	summary      TEXT NOT NULL DEFAULT '',
	previous     TEXT NOT NULL DEFAULT '',
	next         TEXT NOT NULL DEFAULT '',
	recommended  TEXT NOT NULL DEFAULT '[]',
	related      TEXT NOT NULL DEFAULT '[]',
	hash         TEXT NOT NULL,
	seq          BIGINT NOT NULL,
	added_seq    BIGINT NOT NULL DEFAULT 0, -- 0: readers have never seen it
	added_at     BIGINT NOT NULL DEFAULT 0,
	UNIQUE (source, source_key)
);
CREATE UNIQUE INDEX articles_seq ON articles (seq);
CREATE INDEX articles_added ON articles (added_seq);
CREATE INDEX articles_latest ON articles (state, published_at);
CREATE INDEX articles_url ON articles (url);
CREATE INDEX articles_title ON articles (title);

CREATE TABLE pictures (
	hash TEXT PRIMARY KEY, -- of the bytes; the name under /media/
	type TEXT NOT NULL,
	data {{blob}} NOT NULL
);

CREATE TABLE chats (
	channel TEXT NOT NULL,
	id      TEXT NOT NULL,
	lang    TEXT NOT NULL DEFAULT '', -- as the reader chose
	zone    TEXT NOT NULL DEFAULT '', -- IANA name
	state   TEXT NOT NULL DEFAULT 'active', -- active, suspended (blocked us), stopped (asked for silence)
	since   BIGINT NOT NULL,
	PRIMARY KEY (channel, id)
);

CREATE TABLE follows (
	id          {{id}},
	channel     TEXT NOT NULL,
	chat        TEXT NOT NULL,
	topic       TEXT NOT NULL, -- the words, as typed
	query       TEXT NOT NULL, -- the words, folded: one per chat
	lang        TEXT NOT NULL DEFAULT '', -- the language its digests speak
	spec        TEXT NOT NULL, -- five cron fields, on the wall clock of zone
	zone        TEXT NOT NULL,
	state       TEXT NOT NULL DEFAULT 'active', -- active, suspended
	last_slot   TEXT NOT NULL DEFAULT '', -- the slot planned last, local wall time
	next_due_at BIGINT NOT NULL,
	since_seq   BIGINT NOT NULL, -- articles up to here were offered
	created_at  BIGINT NOT NULL,
	UNIQUE (channel, chat, query)
);
CREATE INDEX follows_due ON follows (state, next_due_at);

CREATE TABLE lists (
	id         {{id}},
	channel    TEXT NOT NULL,
	chat       TEXT NOT NULL,
	kind       TEXT NOT NULL, -- search, latest, related, digest
	query      TEXT NOT NULL,
	articles   TEXT NOT NULL, -- ids, best first
	shown      BIGINT NOT NULL DEFAULT 0, -- how many of them the reader has seen
	created_at BIGINT NOT NULL
);
CREATE INDEX lists_chat ON lists (channel, chat, id);
CREATE INDEX lists_age ON lists (created_at);

CREATE TABLE questions (
	id       {{id}},
	text     TEXT NOT NULL,
	lang     TEXT NOT NULL,
	channel  TEXT NOT NULL,
	results  BIGINT NOT NULL,
	asked_at BIGINT NOT NULL
);
CREATE INDEX questions_time ON questions (asked_at);

-- What came in lately, so that a repeated message gets the same answer.
CREATE TABLE inbox (
	channel     TEXT NOT NULL,
	message_id  TEXT NOT NULL,
	chat        TEXT NOT NULL,
	reply       TEXT NOT NULL DEFAULT '', -- whatever the adapter wants back
	answered    BIGINT NOT NULL DEFAULT 0, -- 1: reply is final
	received_at BIGINT NOT NULL,
	PRIMARY KEY (channel, message_id)
);
CREATE INDEX inbox_age ON inbox (received_at);

-- Pacing shared by replicas: the time at which a bucket's next slot is free.
CREATE TABLE buckets (
	name    TEXT PRIMARY KEY,
	free_at BIGINT NOT NULL -- microseconds, Unix
);

-- Counted allowances: so many a day, a month, a window.
CREATE TABLE quotas (
	name   TEXT NOT NULL,
	period TEXT NOT NULL,
	used   BIGINT NOT NULL,
	PRIMARY KEY (name, period)
);

CREATE TABLE editions (
	id         {{id}},
	kind       TEXT NOT NULL, -- follow, late
	edition_key TEXT NOT NULL, -- a follow's id and its slot in local wall time
	topic      TEXT NOT NULL DEFAULT '',
	query      TEXT NOT NULL DEFAULT '',
	lang       TEXT NOT NULL DEFAULT '',
	from_seq   BIGINT NOT NULL DEFAULT 0,
	to_seq     BIGINT NOT NULL DEFAULT 0,
	articles   TEXT NOT NULL DEFAULT '[]', -- ids, best first
	payload    TEXT NOT NULL DEFAULT '',
	created_at BIGINT NOT NULL,
	UNIQUE (kind, edition_key)
);
CREATE INDEX editions_age ON editions (created_at);

CREATE TABLE deliveries (
	id          {{id}},
	edition     BIGINT NOT NULL REFERENCES editions (id) ON DELETE CASCADE,
	follow      BIGINT NOT NULL DEFAULT 0,
	channel     TEXT NOT NULL,
	chat        TEXT NOT NULL,
	state       TEXT NOT NULL, -- planned, claimed, sending, sent, held, gone, failed, unknown, cancelled
	due_at      BIGINT NOT NULL,
	attempt     BIGINT NOT NULL DEFAULT 0,
	claim       TEXT NOT NULL DEFAULT '',
	lease_until BIGINT NOT NULL DEFAULT 0,
	way         TEXT NOT NULL DEFAULT '',
	provider_id TEXT NOT NULL DEFAULT '',
	error       TEXT NOT NULL DEFAULT '',
	updated_at  BIGINT NOT NULL,
	UNIQUE (edition, channel, chat)
);
CREATE INDEX deliveries_due ON deliveries (state, due_at);
CREATE INDEX deliveries_chat ON deliveries (channel, chat);

-- The browser chat's history; other platforms keep their own.
CREATE TABLE webchat_messages (
	id      {{id}},
	channel TEXT NOT NULL,
	chat    TEXT NOT NULL,
	who     TEXT NOT NULL, -- reader, bot
	body    TEXT NOT NULL, -- the reader's text, or a Reply as JSON
	sent_at BIGINT NOT NULL
);
CREATE INDEX webchat_messages_chat ON webchat_messages (channel, chat, id);
CREATE INDEX webchat_messages_age ON webchat_messages (sent_at);

-- +goose Down
DROP TABLE webchat_messages;
DROP TABLE deliveries;
DROP TABLE editions;
DROP TABLE quotas;
DROP TABLE buckets;
DROP TABLE inbox;
DROP TABLE questions;
DROP TABLE lists;
DROP TABLE follows;
DROP TABLE chats;
DROP TABLE pictures;
DROP TABLE articles;
DROP TABLE sources;
DROP TABLE settings;
DROP TABLE counters;
