package quality

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"newsie/content"
	"newsie/content/ingest"
	"newsie/internal/database"
)

// A Trial is a temporary library to ask questions of. Texts come into it the
// way every article does: their language is found, a summary made, they are
// stored and indexed.
type Trial struct {
	dir     string
	db      *database.DB
	library *content.Library
	ingest  *ingest.Ingester
	ids     map[string]map[string]int64 // by set, text
	keys    map[int64]key
}

// A key names a text of a set.
type key struct{ set, text string }

// NewTrial makes an empty library in a temporary folder; Close removes it.
func NewTrial(ctx context.Context) (*Trial, error) {
	dir, err := os.MkdirTemp("", "newsie-eval-")
	if err != nil {
		return nil, err
	}
	t := &Trial{dir: dir, ids: map[string]map[string]int64{}, keys: map[int64]key{}}
	if err := t.open(ctx); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

func (t *Trial) open(ctx context.Context) (err error) {
	if t.db, err = database.Open(ctx, filepath.Join(t.dir, "newsie.db")); err != nil {
		return err
	}
	if err = t.db.Migrate(ctx); err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	if t.library, err = content.Open(t.db, filepath.Join(t.dir, "index"), content.Options{Logger: log}); err != nil {
		return err
	}
	t.ingest = ingest.New(t.db, t.library, nil, log, time.Now)
	return nil
}

// Close removes the library.
func (t *Trial) Close() error {
	var err error
	if t.library != nil {
		err = t.library.Close()
	}
	if t.db != nil {
		err = errors.Join(err, t.db.Close())
	}
	return errors.Join(err, os.RemoveAll(t.dir))
}

// Size is what the index takes on disk, in bytes.
func (t *Trial) Size() int64 { return t.library.Size() }

// Add brings the texts of a set in, and waits until they can be found.
func (t *Trial) Add(ctx context.Context, set Set, progress func(done, total int)) error {
	if t.ids[set.Name] != nil {
		return fmt.Errorf("two sets are called %s", set.Name)
	}
	drafts := make([]content.Draft, len(set.Texts))
	for i, text := range set.Texts {
		drafts[i] = content.Draft{Source: set.Name, Key: text.ID, Title: text.Title, Lang: text.Metadata.Lang, Body: paragraphs(text.Text)}
	}
	if err := t.ingest.Keep(ctx, drafts, progress); err != nil {
		return fmt.Errorf("bring %s in: %w", set.Name, err)
	}
	if _, err := t.library.Follow(ctx); err != nil {
		return fmt.Errorf("index %s: %w", set.Name, err)
	}
	kept, err := t.library.BySource(ctx, set.Name)
	if err != nil {
		return err
	}
	t.ids[set.Name] = make(map[string]int64, len(kept))
	for _, a := range kept {
		t.ids[set.Name][a.Key] = a.ID
		t.keys[a.ID] = key{set.Name, a.Key}
	}
	if len(kept) != len(set.Texts) {
		return fmt.Errorf("of the %d texts of %s %d were kept", len(set.Texts), set.Name, len(kept))
	}
	return nil
}

// paragraphs makes a body of plain text: a paragraph a line.
func paragraphs(text string) []content.Block {
	var body []content.Block
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			body = append(body, content.Block{Kind: content.Paragraph, Text: line})
		}
	}
	return body
}
