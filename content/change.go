package content

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/uptrace/bun"
	"golang.org/x/text/unicode/norm"

	"newsie/content/story"
)

// A Change tells what Add did.
type Change string

const (
	Added     Change = "added"
	Updated   Change = "updated"
	Unchanged Change = "unchanged"
)

// An Arrival is an article ready to be kept, with its pictures.
type Arrival struct {
	Article  Article
	Pictures []Figure
}

// Add keeps one article; see AddAll.
func (l *Library) Add(ctx context.Context, a Article, pictures []Figure) (Article, Change, error) {
	arrivals := []Arrival{{a, pictures}}
	changes, err := l.AddAll(ctx, arrivals)
	if err != nil {
		return Article{}, "", err
	}
	return arrivals[0].Article, changes[0], nil
}

// AddAll keeps articles in one transaction: all or none. An article is known by
// Source and Key; one whose Hash is the same is left alone. IDs and positions
// are filled in. What the publisher withdrew stays withdrawn.
func (l *Library) AddAll(ctx context.Context, arrivals []Arrival) ([]Change, error) {
	changes := make([]Change, len(arrivals))
	prints := make([]story.Print, len(arrivals))
	for i := range arrivals { // before the transaction, which others wait for
		prints[i] = story.Of(storyText(&arrivals[i].Article))
	}
	err := l.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		last, err := nextSeq(ctx, tx, len(arrivals))
		if err != nil {
			return err
		}
		for i := range arrivals {
			seq := last - int64(len(arrivals)-1-i)
			if changes[i], err = l.put(ctx, tx, &arrivals[i], prints[i], seq); err != nil {
				return err
			}
		}
		return l.signal(ctx, tx)
	})
	if err != nil {
		return nil, fmt.Errorf("keep %d articles: %w", len(arrivals), err)
	}
	l.Wake()
	return changes, nil
}

func (l *Library) put(ctx context.Context, tx bun.Tx, arrival *Arrival, print story.Print, seq int64) (Change, error) {
	a := &arrival.Article
	if a.State == "" {
		a.State = Published
	}
	a.Title, a.Author = oneLine(a.Title), oneLine(a.Author)
	for i, tag := range a.Tags {
		a.Tags[i] = oneLine(tag)
	}
	if a.Slug == "" {
		a.Slug = Slug(a.Title)
	}
	var old struct {
		ID       int64
		Hash     string
		State    string
		AddedSeq int64
		AddedAt  int64
	}
	err := tx.NewRaw("SELECT id, hash, state, added_seq, added_at FROM articles WHERE source = ? AND source_key = ?", a.Source, a.Key).Scan(ctx, &old)
	fresh := errors.Is(err, sql.ErrNoRows)
	if err != nil && !fresh {
		return "", fmt.Errorf("look for %s: %w", a.Key, err)
	}
	a.ID, a.Seq, a.AddedSeq, a.Added = old.ID, seq, old.AddedSeq, fromMillis(old.AddedAt)
	if !fresh && old.Hash == a.Hash && (old.State == string(a.State) || old.State == string(Withdrawn)) {
		return Unchanged, nil
	}
	if old.State == string(Withdrawn) {
		a.State = Withdrawn
	}
	if a.State == Published && a.AddedSeq == 0 {
		a.AddedSeq, a.Added = seq, l.now().UTC()
	}
	for _, picture := range arrival.Pictures {
		_, err := tx.ExecContext(ctx, "INSERT INTO pictures (hash, type, data) VALUES (?, ?, ?) ON CONFLICT (hash) DO NOTHING",
			pictureHash(picture.Data), picture.Type, picture.Data)
		if err != nil {
			return "", fmt.Errorf("keep the picture %s: %w", picture.Name, err)
		}
	}
	if fresh {
		if err := insert(ctx, tx, a); err != nil {
			return "", err
		}
		return Added, join(ctx, tx, a, print)
	}
	if err := update(ctx, tx, a); err != nil {
		return "", err
	}
	return Updated, group(ctx, tx, a, print)
}

// showPictures keeps which pictures an article shows.
func showPictures(ctx context.Context, tx bun.Tx, a *Article, fresh bool) error {
	if !fresh {
		if _, err := tx.ExecContext(ctx, "DELETE FROM article_pictures WHERE article = ?", a.ID); err != nil {
			return fmt.Errorf("keep the pictures of article %d: %w", a.ID, err)
		}
	}
	addresses := []string{a.Cover}
	for _, b := range a.Body {
		if b.Kind == Picture {
			addresses = append(addresses, b.URL)
		}
	}
	for _, address := range addresses {
		name, kept := strings.CutPrefix(address, "/media/")
		if !kept {
			continue
		}
		hash, _, _ := strings.Cut(name, ".")
		_, err := tx.ExecContext(ctx, "INSERT INTO article_pictures (hash, article) VALUES (?, ?) ON CONFLICT (hash, article) DO NOTHING", hash, a.ID)
		if err != nil {
			return fmt.Errorf("keep the pictures of article %d: %w", a.ID, err)
		}
	}
	return nil
}

func insert(ctx context.Context, tx bun.Tx, a *Article) error {
	err := tx.NewRaw(`INSERT INTO articles (source, source_key, state, url, title, slug, author, note, lang, published_at, tags, cover,
		body, summary, previous, next, recommended, story, hash, seq, added_seq, added_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?) RETURNING id`,
		a.Source, a.Key, a.State, a.URL, a.Title, a.Slug, a.Author, a.Note, a.Lang, toMillis(a.Published), asJSON(a.Tags), a.Cover,
		asJSON(a.Body), a.Summary, a.Previous, a.Next, asJSON(a.Recommended), a.Hash, a.Seq, a.AddedSeq, toMillis(a.Added)).Scan(ctx, &a.ID)
	if err != nil {
		return fmt.Errorf("keep %s: %w", a.Key, err)
	}
	return showPictures(ctx, tx, a, true)
}

func update(ctx context.Context, tx bun.Tx, a *Article) error {
	_, err := tx.ExecContext(ctx, `UPDATE articles SET state = ?, url = ?, title = ?, slug = ?, author = ?, note = ?, lang = ?, published_at = ?,
		tags = ?, cover = ?, body = ?, summary = ?, previous = ?, next = ?, recommended = ?, hash = ?, seq = ?, added_seq = ?, added_at = ?
		WHERE id = ?`,
		a.State, a.URL, a.Title, a.Slug, a.Author, a.Note, a.Lang, toMillis(a.Published),
		asJSON(a.Tags), a.Cover, asJSON(a.Body), a.Summary, a.Previous, a.Next, asJSON(a.Recommended), a.Hash, a.Seq, a.AddedSeq, toMillis(a.Added),
		a.ID)
	if err != nil {
		return fmt.Errorf("update article %d: %w", a.ID, err)
	}
	return showPictures(ctx, tx, a, false)
}

// Known reports whether the article is kept with this hash already, so that
// its summary need not be made again. One that is Gone is not: it returns.
func (l *Library) Known(ctx context.Context, source, key, hash string) (bool, error) {
	var n int
	err := l.db.Reader().NewRaw("SELECT count(*) FROM articles WHERE source = ? AND source_key = ? AND hash = ? AND state <> ?", source, key, hash, Gone).Scan(ctx, &n)
	if err != nil {
		return false, fmt.Errorf("look for %s: %w", key, err)
	}
	return n > 0, nil
}

// Exists reports whether the article is kept, with whatever hash.
func (l *Library) Exists(ctx context.Context, source, key string) (bool, error) {
	var n int
	err := l.db.Reader().NewRaw("SELECT count(*) FROM articles WHERE source = ? AND source_key = ?", source, key).Scan(ctx, &n)
	return n > 0, err
}

// ByHash lists the articles, in whatever state, that say the same: theirs is the
// hash of what the source gave. Bodies are left out.
func (l *Library) ByHash(ctx context.Context, hash string) ([]Article, error) {
	var rows []row
	if err := l.db.Reader().NewRaw("SELECT "+meta+" FROM articles WHERE hash = ? ORDER BY id", hash).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("look for equal articles: %w", err)
	}
	return articles(rows)
}

// BySource lists the articles of a source, in whatever state, without bodies.
func (l *Library) BySource(ctx context.Context, source string) ([]Article, error) {
	var rows []row
	if err := l.db.Reader().NewRaw("SELECT "+meta+" FROM articles WHERE source = ? ORDER BY id", source).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("list the articles of %s: %w", source, err)
	}
	return articles(rows)
}

// Under lists the articles whose keys begin with prefix, without bodies: those
// that readers may see, now or later.
func (l *Library) Under(ctx context.Context, prefix string) ([]Article, error) {
	var rows []row
	err := l.db.Reader().NewRaw("SELECT "+meta+` FROM articles WHERE source_key LIKE ? ESCAPE '\' AND state IN (?) ORDER BY id`,
		escapeLike(prefix)+"%", bun.List([]State{Published, Waiting, Unready})).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list the articles under %s: %w", prefix, err)
	}
	return articles(rows)
}

// Rekey tells that an article is known by another source and key from now on:
// its file was moved. No other article may have them.
func (l *Library) Rekey(ctx context.Context, id int64, source, key string) error {
	err := l.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		seq, err := nextSeq(ctx, tx, 1)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE articles SET source = ?, source_key = ?, seq = ? WHERE id = ?", source, key, seq, id)
		if err != nil {
			return err
		}
		return l.signal(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("move article %d to %s: %w", id, key, err)
	}
	l.Wake()
	return nil
}

// Lose takes an article back because its file is gone: it is published again
// when its source brings it again. What the publisher withdrew stays so.
func (l *Library) Lose(ctx context.Context, id int64) error {
	a, err := l.Article(ctx, id)
	if err != nil || a.State == Withdrawn || a.State == Gone {
		return err
	}
	return l.setState(ctx, id, Gone)
}

// Edit changes an article as the publisher says; the next change of its source
// overwrites the edit.
func (l *Library) Edit(ctx context.Context, id int64, edit func(*Article)) (Article, error) {
	a, err := l.Article(ctx, id)
	if err != nil {
		return Article{}, err
	}
	edit(&a)
	print := story.Of(storyText(&a))
	err = l.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		seq, err := nextSeq(ctx, tx, 1)
		if err != nil {
			return err
		}
		a.Seq = seq
		if a.State == Published && a.AddedSeq == 0 {
			a.AddedSeq, a.Added = seq, l.now().UTC()
		}
		if err := update(ctx, tx, &a); err != nil {
			return err
		}
		if err := group(ctx, tx, &a, print); err != nil {
			return err
		}
		return l.signal(ctx, tx)
	})
	if err != nil {
		return Article{}, err
	}
	l.Wake()
	return a, nil
}

// Withdraw takes articles back: readers see them nowhere from now on.
func (l *Library) Withdraw(ctx context.Context, id int64) error {
	return l.setState(ctx, id, Withdrawn)
}

// Restore publishes a withdrawn article again.
func (l *Library) Restore(ctx context.Context, id int64) error {
	return l.setState(ctx, id, Published)
}

func (l *Library) setState(ctx context.Context, id int64, state State) error {
	a, err := l.Article(ctx, id)
	if err != nil || a.State == state {
		return err
	}
	_, err = l.Edit(ctx, id, func(a *Article) { a.State = state })
	return err
}

// Release publishes the waiting articles whose date has come and returns how
// many those were. Drafts have state Unready and stay.
func (l *Library) Release(ctx context.Context) (int, error) {
	var ids []int64
	err := l.db.Reader().NewRaw("SELECT id FROM articles WHERE state = ? AND published_at <= ? ORDER BY published_at, id", Waiting, l.now().UnixMilli()).Scan(ctx, &ids)
	if err != nil {
		return 0, fmt.Errorf("look for articles whose date has come: %w", err)
	}
	for i, id := range ids {
		if err := l.setState(ctx, id, Published); err != nil {
			return i, err
		}
	}
	return len(ids), nil
}

// Picture gives a kept picture by its name under /media/, as long as a published
// article shows it.
func (l *Library) Picture(ctx context.Context, name string) (Figure, error) {
	hash, _, _ := strings.Cut(name, ".")
	f := Figure{Name: name}
	err := l.db.Reader().QueryRowContext(ctx, `SELECT type, data FROM pictures WHERE hash = ? AND EXISTS (
		SELECT 1 FROM article_pictures p JOIN articles a ON a.id = p.article WHERE p.hash = pictures.hash AND a.state = ?)`, hash, Published).Scan(&f.Type, &f.Data)
	if errors.Is(err, sql.ErrNoRows) || (err == nil && MediaPath(f) != "/media/"+name) {
		return Figure{}, ErrNotFound
	}
	if err != nil {
		return Figure{}, fmt.Errorf("read the picture %s: %w", name, err)
	}
	return f, nil
}

func pictureHash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}

// MediaPath is the address of a kept picture on the reader pages.
func MediaPath(f Figure) string {
	ext := map[string]string{"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}[f.Type]
	return "/media/" + pictureHash(f.Data) + "." + ext
}

// Bidi reports whether r overrides the direction of what follows it: in a title
// it makes "gpj.exe" of "exe.jpg".
func Bidi(r rune) bool { return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 }

// oneLine is a title or name without what breaks lines or turns directions.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r):
			return ' '
		case Bidi(r):
			return -1
		}
		return r
	}, s))
}

// Slug makes a title fit for an address: lower-case letters and digits of any
// script, with hyphens between words, at most 60 characters, whole words when
// there are several.
func Slug(title string) string {
	const longest = 60
	var b []rune
	for _, r := range norm.NFC.String(strings.ToLower(title)) {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.Is(unicode.Mn, r):
			b = append(b, r)
		case len(b) > 0 && b[len(b)-1] != '-':
			b = append(b, '-')
		}
		if len(b) > longest {
			b = b[:longest]
			if slices.Contains(b[longest/2:], '-') {
				b = []rune(string(b)[:strings.LastIndexByte(string(b), '-')])
			}
			break
		}
	}
	return strings.Trim(string(b), "-")
}
