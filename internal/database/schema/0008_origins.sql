-- +goose Up

-- Where readers come from: a shop, an event, a newsletter, a partner's site, or
-- a reader who invites others.
CREATE TABLE origins (
	id            {{id}},
	code          TEXT NOT NULL UNIQUE, -- on its labels and in its links
	kind          TEXT NOT NULL, -- publisher, invitation
	name          TEXT NOT NULL DEFAULT '', -- '': an invitation
	parent        BIGINT NOT NULL DEFAULT 0, -- 0: none
	notes         TEXT NOT NULL DEFAULT '',
	starts_at     BIGINT NOT NULL DEFAULT 0, -- 0: from the beginning
	ends_at       BIGINT NOT NULL DEFAULT 0, -- 0: never
	greeting      TEXT NOT NULL DEFAULT '', -- said to who comes; '': what everybody hears
	article       BIGINT NOT NULL DEFAULT 0, -- shown to who comes; 0: none
	topic         TEXT NOT NULL DEFAULT '', -- followed by newcomers, offered to others; '': none
	owner_channel TEXT NOT NULL DEFAULT '', -- whose invitation it is; '' when that reader was forgotten
	owner_chat    TEXT NOT NULL DEFAULT '',
	created_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX origins_name ON origins (parent, name) WHERE kind = 'publisher';
CREATE INDEX origins_owner ON origins (owner_channel, owner_chat) WHERE kind = 'invitation';

-- Codes that links carried before there were origins go on as origins of that name.
INSERT INTO origins (code, kind, name, created_at)
	SELECT origin, 'publisher', origin, min(since) FROM chats WHERE origin <> '' GROUP BY origin;

-- The codes that a platform made for an origin.
CREATE TABLE origin_codes (
	channel    TEXT NOT NULL,
	payload    TEXT NOT NULL, -- what the channel hears of who scans it
	origin     BIGINT NOT NULL,
	url        TEXT NOT NULL, -- what the code says
	permanent  BIGINT NOT NULL, -- 1: it counts against the account's permanent ones
	expires_at BIGINT NOT NULL DEFAULT 0, -- 0: never
	made_at    BIGINT NOT NULL,
	PRIMARY KEY (channel, payload)
);
CREATE INDEX origin_codes_origin ON origin_codes (origin);

-- Every chat that said something, and where it came from. An origin is an id, 0
-- for none, -1 for a code that nobody knows. chats.origin, which held the code of
-- the first, is read once, when a chat gets its row here.
CREATE TABLE readers (
	channel      TEXT NOT NULL,
	chat         TEXT NOT NULL,
	ref          BIGINT NOT NULL, -- names it in signed links
	first_origin BIGINT NOT NULL DEFAULT 0,
	first_at     BIGINT NOT NULL DEFAULT 0,
	last_origin  BIGINT NOT NULL DEFAULT 0,
	last_at      BIGINT NOT NULL DEFAULT 0,
	came_at      BIGINT NOT NULL DEFAULT 0, -- 0: it was there before origins were counted
	left_at      BIGINT NOT NULL DEFAULT 0, -- 0: it is there
	stayed       BIGINT NOT NULL DEFAULT 0, -- the longest stay that was counted, in days: 0, 7, 30
	stay_due     BIGINT NOT NULL DEFAULT 0, -- when the next is to be counted; 0: it is not by the clock
	followed_on  BIGINT NOT NULL DEFAULT 0, -- the day on which it did so last, 20261123; 0: never
	asked_on     BIGINT NOT NULL DEFAULT 0,
	opened_on    BIGINT NOT NULL DEFAULT 0,
	received_on  BIGINT NOT NULL DEFAULT 0,
	followed_last_on BIGINT NOT NULL DEFAULT 0, -- the same, since last_origin is the one it is
	asked_last_on BIGINT NOT NULL DEFAULT 0,
	opened_last_on BIGINT NOT NULL DEFAULT 0,
	received_last_on BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (channel, chat)
);
CREATE UNIQUE INDEX readers_ref ON readers (ref);
CREATE INDEX readers_stay ON readers (stay_due) WHERE stay_due > 0;

-- What was counted, so that it counts once.
CREATE TABLE origin_events (
	ref  BIGINT NOT NULL, -- of the reader
	kind BIGINT NOT NULL, -- 1 scan, 2 follow, 3 question, 4 article opened
	what BIGINT NOT NULL, -- an article's id; else a hash of the message's or the topic
	at   BIGINT NOT NULL,
	PRIMARY KEY (ref, kind, what)
);
CREATE INDEX origin_events_age ON origin_events (kind, at);

-- What each origin brought, by the publisher's day and channel. Of follows,
-- questions, opens and digests: how many, by how many readers that day, and how
-- many of these did so for the first time; of touch 2, since it is where they came
-- from last.
CREATE TABLE origin_totals (
	touch         BIGINT NOT NULL, -- 1: by where readers came from first, 2: by where last
	day           BIGINT NOT NULL, -- 20261123
	origin        BIGINT NOT NULL,
	channel       TEXT NOT NULL,
	scans         BIGINT NOT NULL DEFAULT 0,
	came          BIGINT NOT NULL DEFAULT 0,
	stayed7       BIGINT NOT NULL DEFAULT 0, -- of those who came on this day
	stayed30      BIGINT NOT NULL DEFAULT 0,
	lost          BIGINT NOT NULL DEFAULT 0, -- who left on this day
	follows       BIGINT NOT NULL DEFAULT 0,
	followers     BIGINT NOT NULL DEFAULT 0,
	followers_new BIGINT NOT NULL DEFAULT 0,
	questions     BIGINT NOT NULL DEFAULT 0,
	askers        BIGINT NOT NULL DEFAULT 0,
	askers_new    BIGINT NOT NULL DEFAULT 0,
	opens         BIGINT NOT NULL DEFAULT 0,
	openers       BIGINT NOT NULL DEFAULT 0,
	openers_new   BIGINT NOT NULL DEFAULT 0,
	digests       BIGINT NOT NULL DEFAULT 0,
	receivers     BIGINT NOT NULL DEFAULT 0,
	receivers_new BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (touch, day, origin, channel)
);

CREATE INDEX origin_totals_origin ON origin_totals (origin);

-- Who may see the publisher's console.
CREATE TABLE users (
	name       TEXT PRIMARY KEY,
	password   TEXT NOT NULL DEFAULT '', -- argon2id, encoded; '': by one-time links alone
	created_at BIGINT NOT NULL
);

-- Links that let a user in once.
CREATE TABLE user_links (
	token      TEXT PRIMARY KEY, -- a hash of it
	user_name  TEXT NOT NULL,
	expires_at BIGINT NOT NULL
);

CREATE TABLE sessions (
	token      TEXT PRIMARY KEY, -- a hash of the cookie's
	id         TEXT NOT NULL UNIQUE, -- what it is called to revoke it
	user_name  TEXT NOT NULL,
	data       {{blob}} NOT NULL,
	agent      TEXT NOT NULL DEFAULT '',
	address    TEXT NOT NULL DEFAULT '',
	created_at BIGINT NOT NULL,
	seen_at    BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_name);
CREATE INDEX sessions_expires ON sessions (expires_at);

-- +goose Down
DROP TABLE sessions;
DROP TABLE user_links;
DROP TABLE users;
DROP TABLE origin_totals;
DROP TABLE origin_events;
DROP TABLE readers;
DROP TABLE origin_codes;
DROP TABLE origins;
