package origin

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"newsie/internal/database"
)

// ErrNoOrigin: there is no such origin of the publisher's.
var ErrNoOrigin = errors.New("there is no such origin")

// An AmbiguousError tells that an address says more than one origin.
type AmbiguousError struct {
	Address string
	Paths   []string // of those that it says
}

func (e *AmbiguousError) Error() string {
	const few = 5
	paths, more := e.Paths, ""
	if len(paths) > few {
		more = fmt.Sprintf(" and %d more", len(paths)-few)
		paths = paths[:few]
	}
	return fmt.Sprintf("%q may be %s%s: say which by its path or code", e.Address, strings.Join(paths, " or "), more)
}

// A Book holds the origins. It is safe for concurrent use, by several processes too.
type Book struct {
	db  *database.DB
	now func() time.Time
}

// NewBook is the book in a database.
func NewBook(db *database.DB, now func() time.Time) *Book { return &Book{db, now} }

// row is an origin as its table has it.
type row struct {
	bun.BaseModel `bun:"table:origins"`

	ID           int64  `bun:"id,pk,autoincrement"`
	Code         string `bun:"code"`
	Kind         string `bun:"kind"`
	Name         string `bun:"name"`
	Parent       int64  `bun:"parent"`
	Notes        string `bun:"notes"`
	StartsAt     int64  `bun:"starts_at"`
	EndsAt       int64  `bun:"ends_at"`
	Greeting     string `bun:"greeting"`
	Article      int64  `bun:"article"`
	Topic        string `bun:"topic"`
	OwnerChannel string `bun:"owner_channel"`
	OwnerChat    string `bun:"owner_chat"`
	CreatedAt    int64  `bun:"created_at"`
}

const (
	columns = "id, code, kind, name, parent, notes, starts_at, ends_at, greeting, article, topic, owner_channel, owner_chat, created_at"

	ofPublisher = "publisher"
	ofReader    = "invitation"
)

func (r row) origin() Origin {
	return Origin{
		ID: r.ID, Code: r.Code, Name: r.Name, Parent: r.Parent, Notes: r.Notes, Starts: timeOf(r.StartsAt), Ends: timeOf(r.EndsAt),
		Welcome:    Welcome{Text: r.Greeting, Article: r.Article, Topic: r.Topic},
		Invitation: r.Kind == ofReader, Owner: Reader{r.OwnerChannel, r.OwnerChat}, Created: timeOf(r.CreatedAt),
	}
}

func rowOf(o Origin) row {
	r := row{
		ID: o.ID, Code: o.Code, Kind: ofPublisher, Name: o.Name, Parent: o.Parent, Notes: o.Notes, StartsAt: millis(o.Starts), EndsAt: millis(o.Ends),
		Greeting: o.Welcome.Text, Article: o.Welcome.Article, Topic: o.Welcome.Topic,
		OwnerChannel: o.Owner.Channel, OwnerChat: o.Owner.Chat, CreatedAt: millis(o.Created),
	}
	if o.Invitation {
		r.Kind = ofReader
	}
	return r
}

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Add keeps a new origin of the publisher's and returns it with its id, its code
// (o's own, else a new one) and the time. What is wrong with it comes as one or
// several *InvalidError.
func (b *Book) Add(ctx context.Context, o Origin) (Origin, error) {
	o = tidy(o)
	o.ID, o.Invitation, o.Owner, o.Created = 0, false, Reader{}, b.now().Truncate(time.Millisecond).UTC()
	if o.Code == "" {
		o.Code = NewCode()
	}
	if err := check(o); err != nil {
		return Origin{}, err
	}
	var added row
	err := b.write(ctx, func(ctx context.Context, tx bun.IDB, tree Tree) error {
		if err := errors.Join(tree.checkPlace(o), codeFree(ctx, tx, tree, o)); err != nil {
			return err
		}
		added = rowOf(o)
		if _, err := tx.NewInsert().Model(&added).Returning("id").Exec(ctx); err != nil {
			return fmt.Errorf("add the origin %s: %w", o.Name, err)
		}
		return nil
	})
	if err != nil {
		return Origin{}, err
	}
	return added.origin(), nil
}

// write changes origins, which nobody else does meanwhile: so what is looked up in
// the tree still holds when it is written.
func (b *Book) write(ctx context.Context, fn func(ctx context.Context, tx bun.IDB, tree Tree) error) error {
	return b.db.Write(ctx, func(ctx context.Context, tx bun.IDB) error {
		if err := b.lock(ctx, tx, "origins"); err != nil {
			return err
		}
		list, err := publishers(ctx, tx)
		if err != nil {
			return err
		}
		return fn(ctx, tx, NewTree(list))
	})
}

// lock keeps other replicas from doing the same until the transaction ends. On
// SQLite who writes is alone.
func (b *Book) lock(ctx context.Context, tx bun.IDB, what string) error {
	if !b.db.Postgres() {
		return nil
	}
	if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", what); err != nil {
		return fmt.Errorf("lock %s: %w", what, err)
	}
	return nil
}

// codeFree refuses a code that another origin has, also in other capitals, because
// some who pass codes on change these.
func codeFree(ctx context.Context, tx bun.IDB, tree Tree, o Origin) error {
	if old, ok := tree.ByID(o.ID); ok && old.Code == o.Code {
		return nil
	}
	for _, other := range tree.list {
		switch {
		case other.ID == o.ID || !strings.EqualFold(other.Code, o.Code):
		case other.Code == o.Code:
			return invalid("code", "the code %s is that of %s already", o.Code, tree.Path(other.ID))
		default:
			return invalid("code", "%s", sameLetters(o.Code, other.Code, tree.Path(other.ID)))
		}
	}
	other, ok, err := byCode(ctx, tx, o.Code, strings.ToLower(o.Code))
	if err == nil && ok && other.Invitation {
		return invalid("code", "the code %s is that of a reader's invitation", o.Code)
	}
	return err
}

// sameLetters says that two codes are the same but for capitals.
func sameLetters(code, other, path string) string {
	return fmt.Sprintf("the code %s differs from %s, that of %s, only in capital letters", code, other, path)
}

func publishers(ctx context.Context, tx bun.IDB) ([]Origin, error) {
	var rows []row
	if err := tx.NewRaw("SELECT "+columns+" FROM origins WHERE kind = ?", ofPublisher).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("read the origins: %w", err)
	}
	list := make([]Origin, len(rows))
	for i, r := range rows {
		list[i] = r.origin()
	}
	return list, nil
}

// ByCode is the origin with a code, of the publisher's or an invitation, closed
// ones too. A code that nobody has as it is written counts as written in small
// letters: some who pass codes on change them to capitals.
func (b *Book) ByCode(ctx context.Context, code string) (Origin, bool, error) {
	if !ValidCode(code) {
		return Origin{}, false, nil
	}
	return byCode(ctx, b.db.Reader(), code, strings.ToLower(code))
}

func byCode(ctx context.Context, tx bun.IDB, code, lower string) (Origin, bool, error) {
	var rows []row
	if err := tx.NewRaw("SELECT "+columns+" FROM origins WHERE code IN (?, ?)", code, lower).Scan(ctx, &rows); err != nil {
		return Origin{}, false, fmt.Errorf("look for the origin with the code %s: %w", code, err)
	}
	switch {
	case len(rows) == 0:
		return Origin{}, false, nil
	case len(rows) == 2 && rows[1].Code == code:
		return rows[1].origin(), true, nil
	}
	return rows[0].origin(), true, nil
}

// ByID is an origin, of the publisher's or an invitation, closed ones too.
func (b *Book) ByID(ctx context.Context, id int64) (Origin, bool, error) {
	var r row
	err := b.db.Reader().NewRaw("SELECT "+columns+" FROM origins WHERE id = ?", id).Scan(ctx, &r)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Origin{}, false, nil
	case err != nil:
		return Origin{}, false, fmt.Errorf("look for the origin %d: %w", id, err)
	}
	return r.origin(), true, nil
}

// Find is the publisher's origin that a path, a code or a name says: Tree.Find.
func (b *Book) Find(ctx context.Context, address string) (Origin, error) {
	tree, err := b.Tree(ctx)
	if err != nil {
		return Origin{}, err
	}
	return tree.Find(address)
}

// Tree is the publisher's origins with their places, closed ones too.
func (b *Book) Tree(ctx context.Context) (Tree, error) {
	list, err := publishers(ctx, b.db.Reader())
	return NewTree(list), err
}

// All lists the publisher's origins in the order of a Tree, closed ones too.
func (b *Book) All(ctx context.Context) ([]Origin, error) {
	tree, err := b.Tree(ctx)
	return tree.list, err
}

// Edit changes the publisher's origin with o's id to what o says: all of it but
// when it was made. ErrNoOrigin; what is wrong with o comes as one or several
// *InvalidError. With another code, what was printed with the one before is not
// known any more.
func (b *Book) Edit(ctx context.Context, o Origin) error {
	o = tidy(o)
	if err := check(o); err != nil {
		return err
	}
	return b.write(ctx, func(ctx context.Context, tx bun.IDB, tree Tree) error {
		if _, ok := tree.ByID(o.ID); !ok {
			return ErrNoOrigin
		}
		if err := errors.Join(tree.checkPlace(o), codeFree(ctx, tx, tree, o)); err != nil {
			return err
		}
		return update(ctx, tx, o)
	})
}

func update(ctx context.Context, tx bun.IDB, o Origin) error {
	r := rowOf(o)
	_, err := tx.NewUpdate().Model(&r).Column("code", "name", "parent", "notes", "starts_at", "ends_at", "greeting", "article", "topic").WherePK().Exec(ctx)
	if err != nil {
		return fmt.Errorf("change the origin %s: %w", o.Name, err)
	}
	return nil
}

// Close closes an origin of the publisher's from a time on; those below it stay as
// they are. One that is closed by then keeps its end. ErrNoOrigin.
func (b *Book) Close(ctx context.Context, id int64, at time.Time) error {
	return b.write(ctx, func(ctx context.Context, tx bun.IDB, tree Tree) error {
		o, ok := tree.ByID(id)
		if !ok {
			return ErrNoOrigin
		}
		_, err := closeOne(ctx, tx, o, at)
		return err
	})
}

// CloseAll closes an origin of the publisher's and all below it, and tells how many
// were open or to open.
func (b *Book) CloseAll(ctx context.Context, id int64, at time.Time) (n int, err error) {
	err = b.write(ctx, func(ctx context.Context, tx bun.IDB, tree Tree) error {
		n = 0
		list := tree.Below(id)
		if len(list) == 0 {
			return ErrNoOrigin
		}
		for _, o := range list {
			closed, err := closeOne(ctx, tx, o, at)
			if err != nil {
				return err
			}
			if closed {
				n++
			}
		}
		return nil
	})
	return n, err
}

func closeOne(ctx context.Context, tx bun.IDB, o Origin, at time.Time) (closed bool, err error) {
	if !o.Ends.IsZero() && !o.Ends.After(at) {
		return false, nil
	}
	o.Ends = at
	if !o.Starts.IsZero() && !o.Ends.After(o.Starts) { // it never opened
		o.Starts = time.Time{}
	}
	_, err = tx.ExecContext(ctx, "UPDATE origins SET starts_at = ?, ends_at = ? WHERE id = ?", millis(o.Starts), millis(o.Ends), o.ID)
	if err != nil {
		return false, fmt.Errorf("close the origin %s: %w", o.Name, err)
	}
	return true, nil
}

// Invitation is the origin of a reader's invitation: the one they have, else a new
// one.
func (b *Book) Invitation(ctx context.Context, owner Reader) (Origin, error) {
	o, ok, err := invitation(ctx, b.db.Reader(), owner)
	if err != nil || ok {
		return o, err
	}
	err = b.db.Write(ctx, func(ctx context.Context, tx bun.IDB) error {
		if err := b.lock(ctx, tx, "invitation/"+owner.Channel+"/"+owner.Chat); err != nil {
			return err
		}
		if o, ok, err = invitation(ctx, tx, owner); err != nil || ok {
			return err
		}
		r := rowOf(Origin{Code: NewCode(), Invitation: true, Owner: owner, Created: b.now()})
		if _, err := tx.NewInsert().Model(&r).Returning("id").Exec(ctx); err != nil {
			return fmt.Errorf("make an invitation: %w", err)
		}
		o = r.origin()
		return nil
	})
	return o, err
}

func invitation(ctx context.Context, tx bun.IDB, owner Reader) (Origin, bool, error) {
	var rows []row
	err := tx.NewRaw("SELECT "+columns+" FROM origins WHERE kind = ? AND owner_channel = ? AND owner_chat = ? ORDER BY id LIMIT 1", ofReader, owner.Channel, owner.Chat).Scan(ctx, &rows)
	if err != nil {
		return Origin{}, false, fmt.Errorf("look for an invitation: %w", err)
	}
	if len(rows) == 0 {
		return Origin{}, false, nil
	}
	return rows[0].origin(), true, nil
}
