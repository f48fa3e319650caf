package origin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// place finds, for each line, the origin that it means and the parent it is to have.
// A line may name a parent that comes later, or that another line moves, so it waits
// until the places of those above it are known; who waits for itself is in a circle.
func (im *importing) place(waiting []*line) {
	for _, n := range im.nodes { // parents are before those below them
		im.settle(n)
	}
	im.pending, im.called = map[string]int{}, map[string]int{}
	for _, l := range waiting {
		im.pending[l.name()]++
		im.called[l.name()]++
	}
	later := slices.DeleteFunc(slices.Clone(waiting), func(l *line) bool {
		parent, found := im.parentOf(l)
		return found && parent == nil && im.placed(l, false) // first those at the top: a name there comes before a code
	})
	for loose := false; len(later) > 0; {
		before := len(later)
		later = slices.DeleteFunc(later, func(l *line) bool { return im.placed(l, loose) })
		switch {
		case len(later) < before:
			loose = false
		case loose:
			im.lose(later)
			return
		default: // no path and no code tells more: now a name alone may
			loose = true
		}
	}
}

// settle gives an origin that no line means by its code a path when its parent has
// one, and so those below it.
func (im *importing) settle(n *node) {
	if n.line != nil || n.path != "" || n.parent != nil && n.parent.path == "" {
		return
	}
	im.stand(n, n.parent)
}

// stand puts an origin below its parent.
func (im *importing) stand(n, parent *node) {
	n.path, n.depth, n.parent = n.Name, 0, parent
	if parent != nil {
		n.path, n.depth = parent.path+"/"+n.Name, parent.depth+1
	}
	im.byPath[n.path] = n
	im.byName[n.Name] = append(im.byName[n.Name], n)
	for _, below := range im.below[n] {
		im.settle(below)
	}
}

// placed finds the place of a line, or that it has none; false: it must wait. loose:
// a parent may be said by its name alone.
func (im *importing) placed(l *line, loose bool) bool {
	parent, found := im.parentOf(l)
	if !found && loose && len(l.path) == 1 {
		var several *AmbiguousError
		if parent, found, several = im.named(l); several != nil {
			im.wrong(l, "the parent %v", several)
			return im.passed(l)
		}
	}
	if !found || parent != nil && parent.path == "" {
		return false
	}
	im.bind(l, parent)
	return im.passed(l)
}

// passed counts a line off whose place is known.
func (im *importing) passed(l *line) bool {
	im.pending[l.name()]--
	return true
}

// parentOf is the parent that a line's path says, or its parent's whole path or code.
func (im *importing) parentOf(l *line) (parent *node, found bool) {
	address := l.above()
	if address == "" {
		if n := im.byCode[l.cells[colCode]]; !l.saysParent() && n != nil && n.old != nil {
			return n.parent, true
		}
		return nil, true
	}
	if n, ok := im.byPath[address]; ok && (n.line != nil || !im.definesParent(l)) {
		return n, true
	}
	if len(l.path) == 1 {
		n, ok := im.byCode[strings.TrimSpace(l.parent)]
		return n, ok
	}
	return nil, false
}

// definesParent tells of a line that says its parent by a name alone, which another
// line of the file has: it is meant then, rather than one of that name that was there
// before.
func (im *importing) definesParent(l *line) bool {
	address := l.above()
	if len(l.path) > 1 || strings.Contains(l.parent, "/") {
		return false
	}
	n := im.called[address]
	if l.name() == address {
		n-- // which is itself
	}
	return n > 0
}

// named is the only origin whose path ends in what a line says of its parent, unless
// a line that waits may come to have that name too. What the file has comes before
// what was there.
func (im *importing) named(l *line) (parent *node, found bool, several *AmbiguousError) {
	address := l.above()
	last := address[strings.LastIndex(address, "/")+1:]
	waiting := im.pending[last]
	if l.name() == last {
		waiting-- // which is itself
	}
	if waiting > 0 {
		return nil, false, nil
	}
	fitting := slices.DeleteFunc(slices.Clone(im.byName[last]), func(n *node) bool { return !strings.HasSuffix("/"+n.path, "/"+address) })
	if own := slices.DeleteFunc(slices.Clone(fitting), func(n *node) bool { return n.line == nil || n.line == l }); len(own) > 0 {
		fitting = own
	}
	var paths []string
	for _, n := range fitting {
		if n.Name == l.name() && n.parent != nil && slices.Contains(fitting, n.parent) {
			continue // it is what the line means itself
		}
		parent, paths = n, append(paths, n.path)
	}
	if len(paths) > 1 {
		slices.Sort(paths)
		return nil, false, &AmbiguousError{Address: l.parent, Paths: paths}
	}
	return parent, len(paths) == 1, nil
}

// above is the address of a line's parent, in one form; "": it has none.
func (l *line) above() string {
	if len(l.path) > 1 {
		return strings.Join(l.path[:len(l.path)-1], "/")
	}
	names := strings.Split(strings.TrimPrefix(strings.TrimSpace(l.parent), "/"), "/")
	for i, name := range names {
		names[i] = cleanName(name)
	}
	return strings.Join(names, "/")
}

// saysParent tells of a file without a column for it.
func (l *line) saysParent() bool {
	_, parent := l.cells[colParent]
	_, path := l.cells[colPath]
	return parent || path
}

// bind finds the origin that a line means, at its place.
func (im *importing) bind(l *line, parent *node) {
	path, depth := l.name(), 0
	if parent != nil {
		path, depth = parent.path+"/"+path, parent.depth+1
	}
	code := l.cells[colCode]
	n, there := im.byCode[code], im.byPath[path]
	switch {
	case depth+im.levels(n) >= mostLevels:
		im.wrong(l, "origins stand %d deep at most", mostLevels)
		return
	case there != nil && there.line != nil:
		im.wrong(l, "%s is on line %d already", path, there.line.at)
		return
	case there != nil && n != nil && n.old != nil:
		im.wrong(l, "there is %s already, with the code %s", path, there.Code)
		return
	case there != nil && n != nil:
		im.wrong(l, "%s is there with the code %s, which may be printed: newsie origin edit gives it another with --code", path, there.Code)
		return
	case there != nil:
		n = there
	case n == nil:
		n = &node{Origin: Origin{Code: NewCode()}}
		im.byCode[n.Code] = n
	}
	n.line, n.Name = l, l.name()
	if there == nil {
		im.stand(n, parent)
	}
	im.lines = append(im.lines, n)
}

// levels is how many levels stand below an origin that no line places.
func (im *importing) levels(n *node) int {
	most := 0
	if n != nil {
		for _, below := range im.below[n] {
			if below.line == nil {
				most = max(most, 1+im.levels(below))
			}
		}
	}
	return most
}

// lose says why lines have no place: all of a circle, and those whose parents are
// nowhere; what hangs on lines that are wrong is said there.
func (im *importing) lose(later []*line) {
	waiting, spoilt := indexOf(later), lineIndex{}
	for l := range im.spoilt {
		spoilt.add(l)
	}
	said := len(im.bad)
	for _, l := range later {
		parent := waiting.parent(l)
		switch {
		case parent == l:
			im.wrong(l, "%s would be its own parent", l.name())
		case parent != nil && waiting.circles(l):
			im.wrong(l, "%s would stand below itself: its parent is %s, on line %d", l.name(), l.above(), parent.at)
		case parent != nil || spoilt.parent(l) != nil:
		case im.unsettled(l.above()):
			im.wrong(l, "%s would stand below itself: %s is part of it", l.name(), l.above())
		default:
			im.wrong(l, "there is no origin %q to be its parent, nor does the file have one", l.above())
		}
	}
	for _, l := range later {
		if said == len(im.bad) && len(spoilt) == 0 {
			im.wrong(l, "which origin its parent %q is cannot be found out: give its path or code", l.above())
		}
		im.spoilt[l] = true
	}
}

// unsettled tells of an origin without a line whose place depends on one that has
// none.
func (im *importing) unsettled(address string) bool {
	return slices.ContainsFunc(im.nodes, func(n *node) bool {
		return n.path == "" && n.line == nil && (n.Code == address || n.Name == address[strings.LastIndex(address, "/")+1:])
	})
}

// A lineIndex finds lines by their names, and by their codes behind a /.
type lineIndex map[string][]*line

func indexOf(lines []*line) lineIndex {
	x := lineIndex{}
	for _, l := range lines {
		x.add(l)
	}
	return x
}

func (x lineIndex) add(l *line) {
	x[l.name()] = append(x[l.name()], l)
	if code := l.cells[colCode]; code != "" {
		x["/"+code] = append(x["/"+code], l)
	}
}

// parent is the line that a line's parent is on, itself when no other is.
func (x lineIndex) parent(l *line) *line {
	address := l.above()
	fitting := slices.Concat(x[address[strings.LastIndex(address, "/")+1:]], x["/"+address])
	if i := slices.IndexFunc(fitting, func(other *line) bool { return other != l }); i >= 0 {
		return fitting[i]
	}
	if len(fitting) > 0 {
		return l
	}
	return nil
}

// circles reports whether those above a line come back to it.
func (x lineIndex) circles(l *line) bool {
	at := l
	for range 1000 {
		if at = x.parent(at); at == nil || at == l {
			break
		}
	}
	return at == l
}

// fill gives the origin of a line what its cells say, and finds out what of that is
// new.
func (im *importing) fill(ctx context.Context, n *node) {
	o, err := n.line.apply(n.Origin, im.options.Zone, im.options.Topic)
	if id := o.Welcome.Article; id > 0 && im.options.Article != nil && (n.old == nil || n.old.Welcome.Article != id) {
		if _, asked := im.articles[id]; !asked {
			im.articles[id] = im.options.Article(ctx, id)
		}
		err = errors.Join(err, im.articles[id])
	}
	if err != nil {
		im.wrong(n.line, "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
		return
	}
	n.Origin = o
	if n.old == nil {
		return
	}
	changed := func(column string, differs bool) {
		if differs {
			n.fields = append(n.fields, column)
		}
	}
	wasAt := im.nodeOf[n.old.Parent]
	sameTime := func(a, b time.Time) bool { return millis(a) == millis(b) }
	changed(colName, o.Name != n.old.Name)
	changed(colParent, n.parent != wasAt)
	changed(colNotes, o.Notes != n.old.Notes)
	changed(colStarts, !sameTime(o.Starts, n.old.Starts))
	changed(colEnds, !sameTime(o.Ends, n.old.Ends))
	changed(colWelcome, o.Welcome.Text != n.old.Welcome.Text)
	changed(colArticle, o.Welcome.Article != n.old.Welcome.Article)
	changed(colTopic, o.Welcome.Topic != n.old.Welcome.Topic)
}
