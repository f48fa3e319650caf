-- +goose Up

-- How many articles the library held when an article's related ones were found.
ALTER TABLE articles ADD COLUMN related_count BIGINT NOT NULL DEFAULT 0;
CREATE INDEX articles_related ON articles (state, related_count);

-- +goose Down
DROP INDEX articles_related;
ALTER TABLE articles DROP COLUMN related_count;
