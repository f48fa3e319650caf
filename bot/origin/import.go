package origin

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"
)

// ImportOptions say how a file is read.
type ImportOptions struct {
	Zone     *time.Location                              // of days and times without one; nil: UTC
	DryRun   bool                                        // keep nothing
	SkipBad  bool                                        // keep the good lines of a file that has bad ones
	Topic    func(text string) (topic string, err error) // nil: any
	Article  func(ctx context.Context, id int64) error   // whether there is one; nil: not asked
	Progress func(done, total int)                       // nil: not told
}

// Imported is what became of a file.
type Imported struct {
	Changes   []Change // in the order of the file
	Added     int
	Updated   int
	Unchanged int
	Bad       LineErrors // left out, with SkipBad
}

// A Change is an origin that was added or changed, or would be.
type Change struct {
	Line   int
	Path   string
	Code   string
	Fields []string // that changed, as the columns of a file are called; none: it is new
}

// Import brings in the origins of a CSV file in UTF-8, in any order, and changes
// those that are there: a line means the origin that has its code, else the one at
// its path. What a line does not say stays as it is, and so do origins of which the
// file says nothing.
//
// All of a file is kept or nothing: LineErrors tell all that is wrong with it.
func (b *Book) Import(ctx context.Context, r io.Reader, options ImportOptions) (Imported, error) {
	if options.Zone == nil {
		options.Zone = time.UTC
	}
	if options.Progress == nil {
		options.Progress = func(int, int) {}
	}
	lines, bad, err := readLines(r)
	if err != nil {
		return Imported{}, err
	}
	if lines == nil && bad != nil || bad != nil && !options.SkipBad && len(lines) == 0 {
		return Imported{}, bad
	}
	var done Imported
	plan := func(ctx context.Context, tx bun.IDB, tree Tree) (*importing, error) {
		im, err := b.plan(ctx, tx, tree, lines, bad, options)
		if err != nil {
			return nil, err
		}
		done = im.imported()
		return im, nil
	}
	if options.DryRun {
		tree, err := b.Tree(ctx)
		if err != nil {
			return Imported{}, err
		}
		_, err = plan(ctx, b.db.Reader(), tree)
		return done, err
	}
	err = b.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := b.lock(ctx, tx, "origins"); err != nil {
			return err
		}
		list, err := publishers(ctx, tx)
		if err != nil {
			return err
		}
		im, err := plan(ctx, tx, NewTree(list))
		if err != nil {
			return err
		}
		return im.write(ctx, tx, b.now(), options.Progress)
	})
	if err != nil {
		return Imported{}, err
	}
	return done, nil
}

// A node is an origin as it is to be.
type node struct {
	Origin
	old    *Origin // as it is; nil: it is new
	line   *line   // that says what it is to be; nil: none
	parent *node   // nil: it stands at the top
	path   string  // "" until its parent's is known
	depth  int
	fields []string
}

// importing is the work on one file.
type importing struct {
	options ImportOptions
	nodes   []*node
	byCode  map[string]*node
	letters map[string]*node // by codes in small letters
	byPath  map[string]*node
	byName  map[string][]*node // whose path is known
	nodeOf  map[int64]*node
	below   map[*node][]*node // as they stand
	lines   []*node           // of the file's lines, in their order
	pending map[string]int    // names of lines whose place is not known yet
	called  map[string]int    // how many lines have a name
	bad     LineErrors
	spoilt  map[*line]bool

	articles map[int64]error // that were asked for
}

// plan works out what a file means. With SkipBad lines that are wrong are left out,
// until the others are right without them.
func (b *Book) plan(ctx context.Context, tx bun.IDB, tree Tree, lines []line, bad LineErrors, options ImportOptions) (*importing, error) {
	taken, err := invitationsOf(ctx, tx, lines)
	if err != nil {
		return nil, err
	}
	all := bad
	for {
		im := &importing{
			options: options, byCode: map[string]*node{}, letters: map[string]*node{}, byPath: map[string]*node{}, byName: map[string][]*node{},
			nodeOf: map[int64]*node{}, below: map[*node][]*node{}, spoilt: map[*line]bool{}, articles: map[int64]error{},
		}
		im.work(ctx, tree, lines, taken)
		all = append(all, im.bad...)
		switch {
		case len(im.bad) == 0 && (len(bad) == 0 || options.SkipBad):
			slices.SortStableFunc(all, func(a, b LineError) int { return a.Line - b.Line })
			im.bad = all
			return im, nil
		case !options.SkipBad:
			slices.SortStableFunc(all, func(a, b LineError) int { return a.Line - b.Line })
			return nil, all
		}
		var good []line
		for i := range lines {
			if !im.spoilt[&lines[i]] {
				good = append(good, lines[i])
			}
		}
		lines = good
	}
}

// invitationsOf are the codes of a file that readers' invitations have.
func invitationsOf(ctx context.Context, tx bun.IDB, lines []line) (map[string]bool, error) {
	var codes []string
	for _, l := range lines {
		if code := l.cells[colCode]; ValidCode(code) {
			codes = append(codes, code, strings.ToLower(code))
		}
	}
	taken := map[string]bool{}
	for part := range slices.Chunk(codes, 1000) {
		var found []string
		if err := tx.NewRaw("SELECT code FROM origins WHERE kind = ? AND code IN (?)", ofReader, bun.List(part)).Scan(ctx, &found); err != nil {
			return nil, fmt.Errorf("look for the codes of invitations: %w", err)
		}
		for _, code := range found {
			taken[code] = true
		}
	}
	return taken, nil
}

func (im *importing) wrong(l *line, format string, args ...any) {
	im.bad = append(im.bad, LineError{l.at, fmt.Sprintf(format, args...)})
	im.spoilt[l] = true
}

func (im *importing) work(ctx context.Context, tree Tree, lines []line, taken map[string]bool) {
	for _, o := range tree.list {
		n := &node{Origin: o, old: &o, parent: im.nodeOf[o.Parent]}
		im.nodeOf[o.ID], im.byCode[o.Code], im.letters[strings.ToLower(o.Code)] = n, n, n
		im.nodes = append(im.nodes, n)
		if n.parent != nil {
			im.below[n.parent] = append(im.below[n.parent], n)
		}
	}
	var waiting []*line // whose place is not known yet
	for i := range lines {
		l := &lines[i]
		code := l.cells[colCode]
		n, same := im.byCode[code], im.letters[strings.ToLower(code)]
		switch {
		case code == "":
		case !ValidCode(code):
			im.wrong(l, "the code %q is not 1 to 32 of A-Z a-z 0-9 -", code)
			continue
		case taken[code] || taken[strings.ToLower(code)]:
			im.wrong(l, "the code %s is that of a reader's invitation", code)
			continue
		case n != nil && n.line != nil:
			im.wrong(l, "the code %s is on line %d already", code, n.line.at)
			continue
		case n != nil:
			n.line, n.Name = l, l.name()
		case same != nil && same.old != nil:
			im.wrong(l, "%s", sameLetters(code, same.Code, tree.Path(same.ID)))
			continue
		case same != nil:
			im.wrong(l, "%s", sameLetters(code, same.Code, fmt.Sprintf("line %d", same.line.at)))
			continue
		}
		if n == nil && code != "" { // new, or one that is there with another code
			n = &node{Origin: Origin{Code: code}, line: l}
			im.byCode[code], im.letters[strings.ToLower(code)] = n, n
		}
		waiting = append(waiting, l)
	}
	im.place(waiting)
	slices.SortFunc(im.lines, func(a, b *node) int { return a.line.at - b.line.at })
	for _, n := range im.lines {
		im.fill(ctx, n)
	}
}

// imported tells what is to become of the file.
func (im *importing) imported() Imported {
	done := Imported{Bad: im.bad}
	for _, n := range im.lines {
		switch {
		case n.old == nil:
			done.Added++
		case len(n.fields) == 0:
			done.Unchanged++
			continue
		default:
			done.Updated++
		}
		done.Changes = append(done.Changes, Change{n.line.at, n.path, n.Code, n.fields})
	}
	return done
}

// write keeps what is new, parents first, and what changed.
func (im *importing) write(ctx context.Context, tx bun.IDB, now time.Time, progress func(done, total int)) error {
	var added, changed []*node
	var renamed []int64
	for _, n := range im.lines {
		switch {
		case n.old == nil:
			added = append(added, n)
		case len(n.fields) > 0:
			changed = append(changed, n)
			if slices.Contains(n.fields, colName) || slices.Contains(n.fields, colParent) {
				renamed = append(renamed, n.ID)
			}
		}
	}
	total := len(added) + len(changed)
	for part := range slices.Chunk(renamed, 1000) { // two may change names, which are never the same at once
		if _, err := tx.ExecContext(ctx, "UPDATE origins SET name = '/' || code WHERE id IN (?)", bun.List(part)); err != nil {
			return fmt.Errorf("rename origins: %w", err)
		}
	}
	slices.SortStableFunc(added, func(a, b *node) int { return a.depth - b.depth })
	done := 0
	for len(added) > 0 {
		n := 0 // of one level, whose parents have their ids
		for n < len(added) && n < 200 && added[n].depth == added[0].depth {
			n++
		}
		if err := insertAll(ctx, tx, added[:n], now); err != nil {
			return err
		}
		added, done = added[n:], done+n
		progress(done, total)
	}
	for _, n := range changed {
		if n.Parent = None; n.parent != nil {
			n.Parent = n.parent.ID
		}
		if err := update(ctx, tx, n.Origin); err != nil {
			return err
		}
		done++
		progress(done, total)
	}
	return nil
}

func insertAll(ctx context.Context, tx bun.IDB, nodes []*node, now time.Time) error {
	rows := make([]row, len(nodes))
	byCode := make(map[string]*node, len(nodes))
	for i, n := range nodes {
		if n.Parent = None; n.parent != nil {
			n.Parent = n.parent.ID
		}
		n.Created = now
		rows[i], byCode[n.Code] = rowOf(n.Origin), n
	}
	var kept []struct {
		ID   int64
		Code string
	}
	if err := tx.NewInsert().Model(&rows).Returning("id, code").Scan(ctx, &kept); err != nil {
		return fmt.Errorf("add origins: %w", err)
	}
	for _, k := range kept {
		byCode[k.Code].ID = k.ID
	}
	return nil
}
