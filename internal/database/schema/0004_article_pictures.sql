-- +goose Up

-- Which articles show a picture: one that no published article shows is served
-- to nobody.
CREATE TABLE article_pictures (
	hash    TEXT NOT NULL,
	article BIGINT NOT NULL,
	PRIMARY KEY (hash, article)
);
CREATE INDEX article_pictures_article ON article_pictures (article);

-- "/media/" and 32 hexadecimal digits.
INSERT INTO article_pictures (hash, article)
	SELECT substr(cover, 8, 32), id FROM articles WHERE cover LIKE '/media/%';
INSERT INTO article_pictures (hash, article)
	SELECT DISTINCT substr({{block_url}}, 8, 32), articles.id FROM articles, {{blocks}}
	WHERE articles.body LIKE '%/media/%' AND {{block_url}} LIKE '/media/%'
	ON CONFLICT (hash, article) DO NOTHING;

-- Equal articles are looked for under other paths.
CREATE INDEX articles_hash ON articles (hash);

-- +goose Down
DROP INDEX articles_hash;
DROP TABLE article_pictures;
