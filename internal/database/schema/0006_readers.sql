-- +goose Up

-- The hours in which a chat is written to without a sound, on its own clock:
-- "22:00-08:00"; 'off': never; '': as its channel has it.
ALTER TABLE chats ADD COLUMN quiet TEXT NOT NULL DEFAULT '';

-- Where a reader came from first: the code of a link or a QR code.
ALTER TABLE chats ADD COLUMN origin TEXT NOT NULL DEFAULT '';

-- Articles that readers keep for later.
CREATE TABLE saved (
	channel  TEXT NOT NULL,
	chat     TEXT NOT NULL,
	article  BIGINT NOT NULL,
	saved_at BIGINT NOT NULL,
	PRIMARY KEY (channel, chat, article)
);

-- +goose Down
DROP TABLE saved;
ALTER TABLE chats DROP COLUMN origin;
ALTER TABLE chats DROP COLUMN quiet;
