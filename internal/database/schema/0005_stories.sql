-- +goose Up

-- Which articles are one story: the id of its first one, on every one of them;
-- 0 is a story of its own. -1 has not been compared with the others yet, which
-- happens in the background to what was kept before this column was.
ALTER TABLE articles ADD COLUMN story BIGINT NOT NULL DEFAULT -1;
CREATE INDEX articles_story ON articles (story, added_seq) WHERE story <> 0;
CREATE INDEX articles_member ON articles (id, story) WHERE story <> 0;

-- The prints of published articles. Near texts have a key in common.
CREATE TABLE prints (
	article BIGINT PRIMARY KEY,
	sim     BIGINT NOT NULL,
	key1    BIGINT NOT NULL,
	key2    BIGINT NOT NULL,
	key3    BIGINT NOT NULL,
	key4    BIGINT NOT NULL,
	key5    BIGINT NOT NULL,
	key6    BIGINT NOT NULL
);
CREATE INDEX prints_key1 ON prints (key1);
CREATE INDEX prints_key2 ON prints (key2);
CREATE INDEX prints_key3 ON prints (key3);
CREATE INDEX prints_key4 ON prints (key4);
CREATE INDEX prints_key5 ON prints (key5);
CREATE INDEX prints_key6 ON prints (key6);

-- +goose Down
DROP TABLE prints;
DROP INDEX articles_member;
DROP INDEX articles_story;
ALTER TABLE articles DROP COLUMN story;
