package story

import (
	"slices"
	"time"
)

// What counts as the same text. A text has a length of so many words, or of so
// many characters where words are not told apart.
const (
	// mostly is the resemblance (Broder, "On the Resemblance and Containment of
	// Documents", 1997) that two sources' versions of a text have at least: a
	// headline, a byline or a closing paragraph of their own leave so much, and a
	// news flash has less with the report that follows it.
	mostly = 0.7
	// almost is that of two texts of one source, whose articles may come from one
	// form: reports of the weather, price lists, paragraphs of a law.
	almost = 0.9

	short = 60  // texts that are too short to tell by themselves
	sure  = 150 // texts that many words of which do not agree by chance

	byline = 20 // is no longer
)

// Same tells whether two texts are versions of one. Texts of one form with
// other numbers, names or dates in it are not, nor are those that share only
// what a site puts around each of its articles, nor a notice that comes again.
func Same(a, b Text) bool { return With(a)(b) }

// With is Same with one text, for comparing it with several.
func With(a Text) func(b Text) bool {
	p := read(a)
	return func(b Text) bool { return same(a, b, p, read(b)) }
}

func same(a, b Text, p, q *reading) bool {
	n := min(len(p.body), len(q.body))
	if n == 0 {
		return false // titles alone are no text
	}
	if 2*n < max(len(p.body), len(q.body)) {
		return false // less than half cannot be most of it
	}
	one, least := a.Source == b.Source, mostly
	if one {
		least = almost
	}
	switch apart := between(a, b); {
	case one && apart > week, n < short && apart > days:
		return false
	case resemblance(p.body, q.body) < least, otherNumbers(p.title, q.title):
		return false
	}
	// Two sources have no long text in common by chance, whatever they call it.
	if titled := titled(p, q, n) && titled(q, p, n); !titled && (one || n < sure) {
		return false
	}
	d := compare(p, q, !one && n >= sure)
	if one {
		return d.numbers == 0 && d.words == 0
	}
	return d.words*short <= n && d.numbers*5 <= d.of && d.numbers*100 <= n
}

// How far apart a text may appear to be one story: a short one, and one of the
// same source.
const (
	days = 3 * 24 * time.Hour
	week = 7 * 24 * time.Hour
)

// between is the time between two texts, 0 when that is unknown.
func between(a, b Text) time.Duration {
	if a.At.IsZero() || b.At.IsZero() {
		return 0
	}
	return a.At.Sub(b.At).Abs()
}

// A reading is a text in tokens.
type reading struct {
	title, body []token
	all         map[uint64]bool // made when asked
}

func read(t Text) *reading { return &reading{title: tokens(t.Title), body: tokens(t.Body)} }

// has tells whether a word stands anywhere in the text.
func (r *reading) has(t token) bool {
	if r.all == nil {
		r.all = make(map[uint64]bool, len(r.body)/2)
		for _, t := range slices.Concat(r.title, r.body) {
			r.all[t.hash] = true
		}
	}
	return r.all[t.hash]
}

// window is how many tokens a shingle has: three words, or four characters.
func window(a, b []token) int {
	letters := 0
	for _, t := range a {
		if t.letter {
			letters++
		}
	}
	n := 3
	if letters*2 > len(a) {
		n = 4
	}
	return min(n, len(a), len(b))
}

// shingles lists the shingles of a text by where they begin.
func shingles(text []token, n int) []uint64 {
	list := make([]uint64, 0, len(text))
	for i := 0; i+n <= len(text); i++ {
		list = append(list, shingle(text[i:i+n]))
	}
	return list
}

// resemblance is the share of the different shingles of both texts that both have.
func resemblance(a, b []token) float64 {
	n := window(a, b)
	x, y := slices.Sorted(slices.Values(shingles(a, n))), slices.Sorted(slices.Values(shingles(b, n)))
	x, y = slices.Compact(x), slices.Compact(y)
	both := 0
	for i, j := 0, 0; i < len(x) && j < len(y); {
		switch {
		case x[i] == y[j]:
			both, i, j = both+1, i+1, j+1
		case x[i] < y[j]:
			i++
		default:
			j++
		}
	}
	return float64(both) / float64(len(x)+len(y)-both)
}

// titled tells whether one text's title suits the other text, whose body has n
// tokens in common: what stands under every title, as a request to subscribe,
// knows none of their words.
func titled(p, q *reading, n int) bool {
	known := 0
	for _, t := range p.title {
		if q.has(t) {
			known++
		}
	}
	switch missing := len(p.title) - known; {
	case n < short:
		return missing == 0
	case n < sure:
		return missing*4 <= len(p.title)
	default:
		return missing*2 <= len(p.title)
	}
}

// otherNumbers tells whether both titles have numbers, and not the same.
func otherNumbers(a, b []token) bool {
	x, y := numbers(a), numbers(b)
	return len(x) > 0 && len(y) > 0 && !slices.Equal(x, y)
}

func numbers(text []token) []uint64 {
	var list []uint64
	for _, t := range text {
		if t.number {
			list = append(list, t.hash)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// A difference counts what two texts exchange in the same place.
type difference struct {
	numbers int // put for other numbers
	of      int // how many numbers there are
	words   int // that one text has nowhere, put for those that the other has nowhere
}

// compare aligns two texts by the shingles that each has once, in their common
// order, and looks at what stands between them: a paragraph more is no
// exchange, one name for another is. Where edges may differ, the bylines and
// times that stand there do not count.
func compare(p, q *reading, edges bool) difference {
	d := difference{of: len(numbers(p.body))}
	for _, g := range gaps(p.body, q.body) {
		if edges && g.edge && max(len(g.a), len(g.b)) <= byline || len(g.a) > 3*len(g.b)+6 || len(g.b) > 3*len(g.a)+6 {
			continue
		}
		x, y := numbers(g.a), numbers(g.b)
		if len(x) > 0 && len(y) > 0 {
			for _, n := range x {
				if !slices.Contains(y, n) {
					d.numbers++
				}
			}
		}
		d.words += min(strange(g.a, q), strange(g.b, p))
	}
	return d
}

// strange counts the words of a passage that the other text has nowhere.
func strange(passage []token, other *reading) int {
	n := 0
	for _, t := range passage {
		if !t.number && !other.has(t) {
			n++
		}
	}
	return n
}

// A gap is what stands in both texts between two places where they agree.
type gap struct {
	a, b []token
	edge bool // the texts begin or end there
}

func gaps(a, b []token) []gap {
	n := window(a, b)
	anchors := aligned(shingles(a, n), shingles(b, n))
	var list []gap
	i, j := 0, 0
	add := func(toA, toB int) {
		for i < toA && j < toB && a[i] == b[j] {
			i, j = i+1, j+1
		}
		for toA > i && toB > j && a[toA-1] == b[toB-1] {
			toA, toB = toA-1, toB-1
		}
		if i < toA && j < toB {
			edge := i == 0 && j == 0 || toA == len(a) && toB == len(b)
			list = append(list, gap{a[i:toA], b[j:toB], edge})
		}
	}
	for _, at := range anchors {
		add(max(at[0], i), max(at[1], j))
		i, j = max(i, at[0]+n), max(j, at[1]+n)
	}
	add(len(a), len(b))
	return list
}

// aligned finds the longest run of shingles that stand once in each text and in
// the same order in both, as pairs of places (patience sorting).
func aligned(a, b []uint64) [][2]int {
	once := map[uint64]int{} // place in b, -1 when there are several
	for j, h := range b {
		if _, known := once[h]; known {
			j = -1
		}
		once[h] = j
	}
	seen := map[uint64]int{}
	for _, h := range a {
		seen[h]++
	}
	var pairs [][2]int
	var ends, before []int // ends[k]: the pair that ends the best run of length k+1
	for i, h := range a {
		j, known := once[h]
		if !known || j < 0 || seen[h] > 1 {
			continue
		}
		k, _ := slices.BinarySearchFunc(ends, j, func(end, j int) int { return pairs[end][1] - j })
		previous := -1
		if k > 0 {
			previous = ends[k-1]
		}
		pairs, before = append(pairs, [2]int{i, j}), append(before, previous)
		if k == len(ends) {
			ends = append(ends, 0)
		}
		ends[k] = len(pairs) - 1
	}
	if len(ends) == 0 {
		return nil
	}
	var run [][2]int
	for at := ends[len(ends)-1]; at >= 0; at = before[at] {
		run = append(run, pairs[at])
	}
	slices.Reverse(run)
	return run
}
