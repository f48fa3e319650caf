package origin

import (
	"cmp"
	"errors"
	"iter"
	"slices"
	"strings"
	"unicode"
)

// A Tree is the publisher's origins in order: each before those below it, and
// those with the same parent by name, with "Shop 2" before "Shop 10". The zero
// Tree has none.
type Tree struct {
	list  []Origin
	place map[int64]int // in list
	depth []int
	end   []int // behind the last that is below it
}

// NewTree puts origins in order; invitations are left out. One whose parent is
// not among them stands at the top.
func NewTree(origins []Origin) Tree {
	below := map[int64][]Origin{}
	known := make(map[int64]bool, len(origins))
	for _, o := range origins {
		known[o.ID] = !o.Invitation
	}
	n := 0
	for _, o := range origins {
		if o.Invitation {
			continue
		}
		if !known[o.Parent] {
			o.Parent = None
		}
		below[o.Parent] = append(below[o.Parent], o)
		n++
	}
	for _, list := range below {
		slices.SortFunc(list, func(a, b Origin) int { return cmp.Or(compareNames(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	}
	t := Tree{list: make([]Origin, 0, n), place: make(map[int64]int, n), depth: make([]int, 0, n), end: make([]int, n)}
	t.put(below, below[None], 0)
	for _, o := range origins { // nothing makes circles, but a hand in the database
		if _, placed := t.place[o.ID]; !placed && !o.Invitation {
			o.Parent = None
			t.put(below, []Origin{o}, 0)
		}
	}
	return t
}

func (t *Tree) put(below map[int64][]Origin, origins []Origin, depth int) {
	for _, o := range origins {
		if _, placed := t.place[o.ID]; placed {
			continue
		}
		at := len(t.list)
		t.list, t.depth = append(t.list, o), append(t.depth, depth)
		t.place[o.ID] = at
		t.put(below, below[o.ID], depth+1)
		t.end[at] = len(t.list)
	}
}

// All are the origins in order with how deep each stands, 0 at the top.
func (t Tree) All() iter.Seq2[int, Origin] {
	return func(yield func(int, Origin) bool) {
		for i, o := range t.list {
			if !yield(t.depth[i], o) {
				return
			}
		}
	}
}

// Len is how many there are.
func (t Tree) Len() int { return len(t.list) }

// ByID is one of them.
func (t Tree) ByID(id int64) (Origin, bool) {
	at, ok := t.place[id]
	if !ok {
		return Origin{}, false
	}
	return t.list[at], true
}

// Below are an origin and all that are below it, in order; none when it is not there.
func (t Tree) Below(id int64) []Origin {
	at, ok := t.place[id]
	if !ok {
		return nil
	}
	return slices.Clone(t.list[at:t.end[at]])
}

// Path names an origin with those above it: "Chain/North/Shop 12"; "" when it is
// not there.
func (t Tree) Path(id int64) string {
	at, ok := t.place[id]
	if !ok {
		return ""
	}
	var names []string
	for depth := t.depth[at] + 1; at >= 0; at-- {
		if t.depth[at] < depth { // the nearest before it that is higher
			names, depth = append(names, t.list[at].Name), t.depth[at]
		}
		if depth == 0 {
			break
		}
	}
	slices.Reverse(names)
	return strings.Join(names, "/")
}

// Find is the origin that a path ("Chain/North/Shop 12"), a code or a name says,
// when only one has that name, or ends in that part of a path. ErrNoOrigin and
// *AmbiguousError tell that there is none, or more than one.
func (t Tree) Find(address string) (Origin, error) {
	names := strings.Split(address, "/")
	for i, name := range names {
		names[i] = cleanName(name)
	}
	if len(names) > 1 && names[0] == "" { // "/North" is at the top
		return t.only(address, names[1:], true, false)
	}
	if o, err := t.only(address, names, true, false); err == nil {
		return o, nil
	}
	if code := strings.TrimSpace(address); ValidCode(code) {
		lower := -1
		for i, o := range t.list {
			switch o.Code {
			case code:
				return o, nil
			case strings.ToLower(code):
				lower = i
			}
		}
		if lower >= 0 {
			return t.list[lower], nil
		}
	}
	o, err := t.only(address, names, false, false)
	if errors.Is(err, ErrNoOrigin) {
		return t.only(address, names, false, true)
	}
	return o, err
}

// only is the one origin whose path is names, or ends in them.
func (t Tree) only(address string, names []string, whole, folded bool) (Origin, error) {
	var found []Origin
	for i, o := range t.list {
		if t.depth[i]+1 == len(names) || !whole && t.depth[i]+1 > len(names) {
			if t.endsIn(i, names, folded) {
				found = append(found, o)
			}
		}
	}
	switch len(found) {
	case 0:
		return Origin{}, ErrNoOrigin
	case 1:
		return found[0], nil
	}
	several := &AmbiguousError{Address: address}
	for _, o := range found {
		several.Paths = append(several.Paths, t.Path(o.ID))
	}
	return Origin{}, several
}

func (t Tree) endsIn(at int, names []string, folded bool) bool {
	for i := len(names) - 1; i >= 0; i-- {
		if name := t.list[at].Name; name != names[i] && (!folded || !strings.EqualFold(name, names[i])) {
			return false
		}
		if i > 0 {
			at = t.place[t.list[at].Parent]
		}
	}
	return true
}

// compareNames puts numbers in names by their value.
func compareNames(a, b string) int {
	x, y := []rune(strings.ToLower(a)), []rune(strings.ToLower(b))
	for len(x) > 0 && len(y) > 0 {
		if digit(x[0]) && digit(y[0]) {
			var m, n []rune
			m, x = number(x)
			n, y = number(y)
			if c := cmp.Or(cmp.Compare(len(m), len(n)), slices.Compare(m, n)); c != 0 {
				return c
			}
			continue
		}
		if x[0] != y[0] {
			return cmp.Compare(x[0], y[0])
		}
		x, y = x[1:], y[1:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(a, b))
}

func digit(r rune) bool { return '0' <= r && r <= '9' }

// number cuts the number off that a text begins with, without its leading zeros.
func number(text []rune) (digits, rest []rune) {
	n := slices.IndexFunc(text, func(r rune) bool { return !digit(r) })
	if n < 0 {
		n = len(text)
	}
	digits = text[:n]
	for len(digits) > 0 && digits[0] == '0' {
		digits = digits[1:]
	}
	return digits, text[n:]
}

// cleanName is a name without what nobody sees: spaces at its ends, and more than
// one between its words.
func cleanName(name string) string {
	return strings.Join(strings.FieldsFunc(composed(name), unicode.IsSpace), " ")
}
