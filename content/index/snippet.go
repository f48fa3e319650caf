package index

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"

	"newsie/content/language"
	"newsie/content/sentence"
)

// Snippet is the part of a text that says most about a query.
type Snippet struct {
	Text    string
	Marks   []Span // the matched words; sorted, not overlapping
	Matched bool   // false: nothing matched, Text is how the text begins
}

// Span is a range of bytes.
type Span struct{ Start, End int }

// snippetLength bounds a snippet, in runes.
const snippetLength = 160

// A match is one place of a text where a group of the query stands.
type match struct {
	start, end int
	group      *group
}

// A Text is one that snippets are made of, with its sentences. It may be kept
// for the next snippet.
type Text struct {
	Lang, Text string
	sentences  []sentence.Sentence
}

// Sentences finds the sentences of a text in a language, or one that is to be told.
func Sentences(lang, text string) Text { return Text{lang, text, sentence.Split(lang, text)} }

// Size is about how many bytes a Text takes.
func (t Text) Size() int { return len(t.Text) + 16*len(t.sentences) }

// Snippet picks the window of whole sentences, of at most 160 characters and
// within one paragraph, whose words weigh most, and marks them. A sentence that
// is longer is cut between words, with an ellipsis.
func (x *Index) Snippet(r Result, t Text) Snippet {
	var matches []match
	lang, text, sentences := t.Lang, t.Text, t.sentences
	if r.plan != nil {
		w := x.workers.Get().(*worker)
		matches = r.plan.matches(w, lang, text)
		x.workers.Put(w)
	}
	if len(sentences) == 0 {
		return Snippet{}
	}
	weights := weigh(matches, sentences)
	win := bestWindow(text, sentences, matches, weights)
	s := Snippet{Text: text[win.Start:win.End], Matched: win.score > 0}
	from, before := win.Start, 0
	if utf8.RuneCountInString(s.Text) > snippetLength {
		s.Text, from, before = cut(text, win, matches, weights)
	}
	last := 0
	for _, m := range merge(matches) {
		start, end := m.Start-from+before, m.End-from+before
		if m.Start < from || start < last || end > len(s.Text) || strings.HasSuffix(s.Text, "…") && end > len(s.Text)-len("…") && from+len(s.Text)-before < win.End {
			continue
		}
		s.Marks = append(s.Marks, Span{start, end})
		last = end
	}
	return s
}

// matches finds where the groups of a plan stand in a text.
func (p *plan) matches(w *worker, lang, text string) []match {
	if lang == "" {
		lang = language.Detect(text)
	}
	return p.matchesAmong(w, lang, text, p.wants(lang))
}

// matchesAmong looks at the tokens that only admits; nil admits all.
func (p *plan) matchesAmong(w *worker, lang, text string, only *wanted) []match {
	byTerm := map[string]*group{}
	var pinyin []variant
	for _, g := range p.groups {
		for _, t := range g.variants {
			byTerm[t.field+t.term] = g
			if t.field == fieldPinyin {
				pinyin = append(pinyin, t)
			}
		}
	}
	var list []match
	content := p.content()
	w.only = only
	w.analyze(text, func(t token) {
		switch t.kind {
		case kindWord, kindPart:
			if g := byTerm[fieldWords+w.term(lang, t.text)]; g != nil && (content[g] || len(content) == 0) {
				list = append(list, match{t.start, t.end, g})
			}
		case kindChar:
			if g := byTerm[fieldChars+t.text]; g != nil {
				list = append(list, match{t.start, t.end, g})
			}
		}
	})
	w.only = nil
	list = append(list, p.runMatches(w.glyphs, byTerm)...)
	for _, v := range pinyin {
		list = append(list, pinyinMatches(w.glyphs, v.term, byTerm[fieldPinyin+v.term])...)
	}
	list = append(list, p.synonymMatches(w, lang, text)...)
	list = append(list, p.partMatches(w, lang, text)...)
	slices.SortStableFunc(list, func(a, b match) int { return a.start - b.start })
	return list
}

// content returns the groups worth marking: not the function words of a query
// that has others.
func (p *plan) content() map[*group]bool {
	m := map[*group]bool{}
	lang := p.lang
	if lang == "" {
		lang = "en"
	}
	for _, u := range p.units {
		if u.run == nil && language.Stopword(lang, u.word) {
			continue
		}
		for _, g := range u.groups {
			m[g] = true
		}
	}
	return m
}

// runMatches finds the runs of characters of a query, and of long ones every
// piece that they share with the text. A short run counts in whole only: 林志 is
// not marked in 林志玲 when 林志颖 was asked for.
func (p *plan) runMatches(g []glyph, byTerm map[string]*group) []match {
	var list []match
	for _, u := range p.units {
		if len(u.run) < 2 {
			continue
		}
		least := 2
		if len(u.run) <= shortRun || u.word != "" {
			least = len(u.run)
		}
		var has [1 << 10]bool
		for _, r := range u.run {
			has[r&(1<<10-1)] = true
		}
		for i := 0; i < len(g); {
			if !has[g[i].r&(1<<10-1)] {
				i++
				continue
			}
			n := longest(g[i:], u.run)
			if n < least {
				i++
				continue
			}
			for j := i; j+1 < i+n; j++ {
				if grp := byTerm[fieldPairs+string([]rune{g[j].r, g[j+1].r})]; grp != nil {
					list = append(list, match{int(g[j].start), int(g[j+1].end), grp})
				}
			}
			if u.word != "" {
				if grp := byTerm[fieldPairs+string(u.run)]; grp != nil {
					list = append(list, match{int(g[i].start), int(g[i+n-1].end), grp})
				}
			}
			i += max(n-1, 1)
		}
	}
	return list
}

// longest returns how many glyphs from the first on stand somewhere in a run.
func longest(g []glyph, run []rune) int {
	best := 0
	for from := range run {
		n := 0
		for n < len(g) && from+n < len(run) && g[n].r == run[from+n] && (n == 0 || g[n].start <= g[n-1].end) {
			n++
		}
		best = max(best, n)
	}
	return best
}

// pinyinMatches finds the characters that read as a word of pinyin.
func pinyinMatches(g []glyph, word string, group *group) []match {
	var list []match
	for i := range g {
		if n := readsAs(g[i:], word); n >= minPinyin {
			list = append(list, match{int(g[i].start), int(g[i+n-1].end), group})
		}
	}
	return list
}

// readsAs returns how many characters at the beginning of g read as word, 0 for none.
func readsAs(g []glyph, word string) int {
	if word == "" || len(g) == 0 || !language.IsHan(g[0].r) {
		return 0
	}
	for _, s := range readings(g[0].r) {
		rest, ok := strings.CutPrefix(word, s)
		if !ok {
			continue
		}
		if rest == "" {
			return 1
		}
		if n := readsAs(g[1:], rest); n > 0 {
			return n + 1
		}
	}
	return 0
}

// weigh returns what a group is worth in this text: its idf in the library,
// more when few sentences of the text have it.
func weigh(matches []match, sentences []sentence.Sentence) map[*group]float64 {
	in := map[*group]int{}
	last := map[*group]int{}
	i := 0
	for _, m := range matches {
		for i < len(sentences)-1 && sentences[i].End <= m.start {
			i++
		}
		if last[m.group] != i+1 {
			last[m.group] = i + 1
			in[m.group]++
		}
	}
	weights := map[*group]float64{}
	all := float64(len(sentences))
	for g, n := range in {
		weights[g] = g.boost * g.idf * math.Log(1+all/float64(n)) / math.Log(1+all)
	}
	return weights
}

// A window is a range of a text with what it is worth.
type window struct {
	sentence.Sentence
	score float64
}

// bestWindow returns the sentences, or the one long sentence, worth most.
func bestWindow(text string, sentences []sentence.Sentence, matches []match, weights map[*group]float64) window {
	best := window{score: -1}
	runes := make([]int, len(sentences)) // before the end of each
	for i, s := range sentences {
		from := 0
		if i > 0 {
			from, runes[i] = sentences[i-1].End, runes[i-1]
		}
		runes[i] += utf8.RuneCountInString(text[from:s.End])
	}
	first := 0
	around := 0.0 // what the paragraph is worth
	for i := range sentences {
		if i == 0 || paragraphEnds(text, sentences, i-1) {
			around = paragraphShare * worth(text, sentences[i:], matches, weights)
		}
		for first < len(matches) && matches[first].end <= sentences[i].Start {
			first++
		}
		seen := map[*group]int{}
		score, at, length := 0.0, first, 0
		before := runes[i] - utf8.RuneCountInString(text[sentences[i].Start:sentences[i].End])
		for j := i; j < len(sentences); j++ {
			if j > i && paragraphEnds(text, sentences, j-1) {
				break
			}
			length = runes[j] - before
			if j > i && length > snippetLength {
				break
			}
			for ; at < len(matches) && matches[at].start < sentences[j].End; at++ {
				if matches[at].start < sentences[i].Start {
					continue
				}
				score += gain(seen, matches[at].group, weights)
			}
			// Of windows worth the same the fuller tells more, as long as
			// its first sentence counts.
			total := score
			if length > snippetLength {
				total *= cutShare
			}
			if score > 0 {
				total += around
			}
			if total > best.score+1e-9 || total > best.score-1e-9 && sentences[i].Start == best.Start {
				best = window{sentence.Sentence{Start: sentences[i].Start, End: sentences[j].End}, total}
			}
		}
	}
	return best
}

// cutShare is what a sentence too long to be shown whole counts: of two that
// say the same the shorter reads better.
const cutShare = 0.9

// paragraphShare is what the words of the whole paragraph count beside those of
// the window: the answer stands where the question's other words are near.
const paragraphShare = 0.6

// paragraphEnds tells whether sentence i is the last of its paragraph.
func paragraphEnds(text string, sentences []sentence.Sentence, i int) bool {
	return i+1 == len(sentences) || strings.ContainsAny(text[sentences[i].End:sentences[i+1].Start], "\n\r\u2028\u2029")
}

// worth returns what the paragraph is worth that the sentences begin with.
func worth(text string, sentences []sentence.Sentence, matches []match, weights map[*group]float64) float64 {
	last := 0
	for !paragraphEnds(text, sentences, last) {
		last++
	}
	seen, sum := map[*group]int{}, 0.0
	for _, m := range matches {
		if m.start >= sentences[0].Start && m.start < sentences[last].End {
			sum += gain(seen, m.group, weights)
		}
	}
	return sum
}

// gain is what one more occurrence of a group adds: repetition counts a little.
func gain(seen map[*group]int, g *group, weights map[*group]float64) float64 {
	seen[g]++
	switch seen[g] {
	case 1:
		return weights[g]
	case 2:
		return weights[g] * .1
	}
	return 0
}

// cut returns the part of a long sentence that is worth most, with ellipses,
// where it begins in the text, and the length of the ellipsis before it.
func cut(text string, win window, matches []match, weights map[*group]float64) (s string, from, before int) {
	breaks := breaksOf(text[win.Start:win.End])
	runes := make([]int, len(breaks)) // runes before each break
	for i := 1; i < len(breaks); i++ {
		runes[i] = runes[i-1] + utf8.RuneCountInString(text[win.Start+breaks[i-1]:win.Start+breaks[i]])
	}
	room := snippetLength - 2 // for two ellipses
	bestFrom, bestTo, best := 0, 0, -1.0
	to := 0
	for i := range breaks {
		for to+1 < len(breaks) && runes[to+1]-runes[i] <= room {
			to++
		}
		to = max(to, i)
		seen := map[*group]int{}
		score := 0.0
		for _, m := range matches {
			if m.start >= win.Start+breaks[i] && m.end <= win.Start+breaks[to] {
				// What stands near the edges has lost its context.
				score += gain(seen, m.group, weights)
			}
		}
		lead := 0.0
		if i == 0 {
			lead = 1e-6
		}
		if score+lead > best+1e-9 {
			bestFrom, bestTo, best = i, to, score+lead
		}
		if to == len(breaks)-1 {
			break
		}
	}
	bestFrom, bestTo = centre(matches, win, breaks, runes, bestFrom, bestTo, room)
	from, end := win.Start+breaks[bestFrom], win.Start+breaks[bestTo]
	part := text[from:end]
	from += len(part) - len(strings.TrimLeftFunc(part, unicode.IsSpace))
	part = strings.TrimSpace(part)
	if from > win.Start {
		part, before = "…"+part, len("…")
	}
	if end < win.End {
		part = strings.TrimRightFunc(part, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",;:，、；：–—-", r) }) + "…"
	}
	return part, from, before
}

// centre moves a window so that the room it has is on both sides of its matches.
func centre(matches []match, win window, breaks, runes []int, from, to, room int) (int, int) {
	lastEnd := -1
	for _, m := range matches {
		if m.start >= win.Start+breaks[from] && m.end <= win.Start+breaks[to] {
			lastEnd = max(lastEnd, m.end)
		}
	}
	if lastEnd < 0 || from == 0 {
		return from, to
	}
	last := from
	for last < to && win.Start+breaks[last] < lastEnd {
		last++
	}
	spare := (room - (runes[last] - runes[from])) / 2
	for from > 0 && runes[last]-runes[from-1]+spare <= room && spare > 0 {
		from--
	}
	to = last
	for to+1 < len(breaks) && runes[to+1]-runes[from] <= room {
		to++
	}
	return from, to
}

// breaksOf returns where a sentence may be cut: between words, and between
// graphemes of scripts without spaces; its beginning and end among them.
func breaksOf(s string) []int {
	breaks := []int{0}
	pieces := graphemes.FromString(s)
	wasSpace, wasPair := false, false
	for pieces.Next() {
		r, _ := utf8.DecodeRuneInString(pieces.Value())
		space, pair := unicode.IsSpace(r), classOf(r) == classPair
		if at := pieces.Start(); at > 0 && (space && !wasSpace || pair && wasPair || pair != wasPair && !space) {
			breaks = append(breaks, at)
		}
		wasSpace, wasPair = space, pair
	}
	breaks = append(breaks, len(s))
	return longBreaks(s, breaks)
}

// longBreaks adds breaks between graphemes inside of words that are too long to
// be kept whole.
func longBreaks(s string, breaks []int) []int {
	for i := 1; i < len(breaks); i++ {
		if utf8.RuneCountInString(s[breaks[i-1]:breaks[i]]) <= snippetLength/2 {
			continue
		}
		all := []int{0}
		for pieces := graphemes.FromString(s); pieces.Next(); {
			all = append(all, pieces.End())
		}
		return all
	}
	return breaks
}

// merge joins matches that touch or overlap into spans.
func merge(matches []match) []Span {
	var list []Span
	for _, m := range matches {
		if n := len(list); n > 0 && m.start <= list[n-1].End {
			list[n-1].End = max(list[n-1].End, m.end)
			continue
		}
		list = append(list, Span{m.start, m.end})
	}
	return list
}
