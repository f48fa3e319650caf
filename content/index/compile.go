package index

import (
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/RoaringBitmap/roaring/v2"

	"newsie/content/language"
)

// A compiler finds the groups of a plan's units.
type compiler struct {
	index *Index
	view  *view
	*worker
	plan  *plan
	exact bool
	// unfinished: the last word may go on.
	unfinished bool
	// repaired: what the query is now was put in the place of typos.
	repaired bool
	langs    []string // that words may be stemmed by

	doubts []doubt
}

// Weights and bounds of the ways a word may be meant; those of typos stand in
// typo.go.
const (
	partBoost   = 1.0 // commerce, when e-commerce was asked for
	partDull    = 0.1 // com, when JD.com was
	doubtBoost  = 0.5 // the word that a rare one may be a typo of
	pinyinBoost = 0.6 // weidian, when 微店 was asked for
	pinyinRare  = 3   // a word in at most so many documents may be pinyin
)

// compileWord finds the groups of a word: itself, and the parts of a compound.
func (c *compiler) compileWord(u *unit, i int) error {
	g := &group{variants: c.stems(u.word), synonyms: u.synonymsOf(0, 0), boost: 1, unit: i}
	if err := c.view.lookup(g); err != nil {
		return err
	}
	if g.df == 0 && c.unfinished && i == len(c.plan.units)-1 {
		if whole, err := c.complete(u, g); err != nil || whole {
			return err
		}
	}
	var parts []*group
	known := false // a part of it that is more than a number
	for _, part := range u.parts {
		if utf8.RuneCountInString(part) < 2 {
			continue
		}
		pg := &group{variants: c.stems(part), boost: partBoost, unit: i}
		if err := c.view.lookup(pg); err != nil {
			return err
		}
		if pg.df > 0 {
			parts = append(parts, pg)
			known = known || strings.ContainsFunc(part, unicode.IsLetter)
		}
	}
	doubtful := g.df == 0 || len(g.synonyms) == 0 && (g.df <= c.rare() || c.unwritten(u.word))
	if doubtful && !known && !c.exact {
		c.doubts = append(c.doubts, doubt{u, g, parts})
		return nil
	}
	u.settle(g, parts)
	return nil
}

// settle gives a unit the groups of its word and of the parts of that. Where
// nothing has the word, its telling parts stand for it, or else nothing does:
// 17 is no answer to mark17.
func (u *unit) settle(g *group, parts []*group) {
	tells := tellingParts(u, parts)
	switch {
	case g.df > 0:
		u.main, u.half = append(u.main, g), append(u.half, tells...)
		u.groups = append(u.groups, g)
		for _, part := range parts {
			if !slices.Contains(tells, part) {
				part.boost *= partDull
			}
		}
	case len(tells) == 0:
		return
	default:
		u.main = append(u.main, tells...)
	}
	u.groups = append(u.groups, parts...)
}

// partRatio is how many times as frequent as the rarest part of a compound
// another may be and still tell what it is about.
const partRatio = 2

// tellingParts returns the parts of a compound that say what it is about: jd of
// JD.com, not com; both of Wi-Fi; no number of a word with letters.
func tellingParts(u *unit, parts []*group) []*group {
	numbers := !strings.ContainsFunc(u.word, unicode.IsLetter)
	var list []*group
	var least uint64
	for _, g := range parts {
		term := g.variants[0].term
		if !numbers && !strings.ContainsFunc(term, unicode.IsLetter) || len(u.parts) > 1 && domains[term] {
			continue
		}
		list = append(list, g)
		if least == 0 || g.df < least {
			least = g.df
		}
	}
	return slices.DeleteFunc(list, func(g *group) bool { return g.df > partRatio*least })
}

// domains are the parts of addresses that say nothing of whose they are.
var domains = map[string]bool{"com": true, "net": true, "org": true, "www": true, "http": true, "https": true, "html": true}

// stems returns the terms a word may be indexed under: stemmed by the language
// of the query, or by each language of the library when that is not known or the
// word is in another script, such as an Italian one beside Chinese, and
// the same of the words that it is without their accents.
func (c *compiler) stems(word string) []variant {
	if c.plan.lang != "" && language.SameScript(c.plan.lang, word) {
		return c.stemsIn([]string{c.plan.lang}, word)
	}
	return c.stemsIn(c.langs, word)
}

// stemsIn is stems for given languages.
func (c *compiler) stemsIn(langs []string, word string) []variant {
	var list []variant
	add := func(w string) {
		for _, lang := range langs {
			t := c.term(lang, w)
			if !slices.ContainsFunc(list, func(v variant) bool { return v.term == t }) {
				list = append(list, variant{fieldWords, t, 1})
			}
		}
	}
	add(word)
	if p := plain(word); p == word {
		for _, w := range c.index.lexicon.accented(word) {
			add(w)
		}
		for _, w := range umlauts(word) {
			for _, accented := range c.index.lexicon.accented(w) {
				add(accented)
			}
		}
	} else {
		add(p)
		if w := fromUmlauts.Replace(word); w != word {
			add(w)
		}
	}
	return list
}

// The two ways to write a German umlaut without it.
var (
	fromUmlauts = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue")
	toPlain     = strings.NewReplacer("ae", "a", "oe", "o", "ue", "u")
)

// umlauts returns the plain form of a word whose ae, oe and ue may be umlauts.
func umlauts(word string) []string {
	w := toPlain.Replace(word)
	if w == word {
		return nil
	}
	return []string{w}
}

// compileRun finds the groups of a run of characters: its pairs, or the one
// character that it is.
func (c *compiler) compileRun(u *unit, i int) error {
	if u.word != "" {
		return c.compileEdge(u, i)
	}
	if len(u.run) == 1 {
		g := &group{variants: []variant{{fieldChars, string(u.run), 1}}, synonyms: u.synonymsOf(0, 1), boost: 1, unit: i}
		if err := c.view.lookup(g); err != nil || g.df == 0 {
			return err
		}
		u.groups, u.main = []*group{g}, []*group{g}
		return nil
	}
	weights := grammar(u.run)
	for n := 0; n+1 < len(u.run); n++ {
		pair := u.run[n : n+2]
		g := &group{variants: []variant{{fieldPairs, string(pair), 1}}, synonyms: u.synonymsOf(n, n+2), boost: 1, unit: i}
		g.boost = weights[n]
		if other := otherKana(u.run); other != nil {
			g.variants = append(g.variants, variant{fieldPairs, string(other[n : n+2]), 1})
		}
		if err := c.view.lookup(g); err != nil {
			return err
		}
		if g.df == 0 {
			u.gone += g.boost
			continue
		}
		u.groups, u.main, u.small = append(u.groups, g), append(u.main, g), append(u.small, g.boost)
	}
	if len(u.run) <= shortRun && !c.whole(u) {
		u.groups, u.main = nil, nil // 林志 of 林志颖 is another person
	}
	if len(u.run) <= maxPinyin && len(c.plan.units) <= 3 && !c.exact {
		return c.addPinyin(u, i)
	}
	return nil
}

// otherKana returns a word in the other of the two kana, nil when it is not
// written in one of them alone.
func otherKana(run []rune) []rune {
	other := make([]rune, len(run))
	hiragana, katakana := false, false
	for i, r := range run {
		switch {
		case r == 'ー':
			other[i] = r
		case r >= 0x3041 && r <= 0x3096:
			other[i], hiragana = r+0x60, true
		case r >= 0x30A1 && r <= 0x30F6:
			other[i], katakana = r-0x60, true
		default:
			return nil
		}
	}
	if hiragana == katakana {
		return nil
	}
	return other
}

// compileEdge finds the pair that a short word and a character make.
func (c *compiler) compileEdge(u *unit, i int) error {
	g := &group{variants: []variant{{fieldPairs, u.word, 1}}, synonyms: u.synonymsOf(0, 0), boost: 1, unit: i}
	if err := c.view.lookup(g); err != nil || g.df == 0 {
		return err
	}
	u.groups, u.main = []*group{g}, []*group{g}
	return nil
}

// whole tells whether any document has all pairs of a run.
func (c *compiler) whole(u *unit) bool {
	if u.gone > 0 {
		return false
	}
	for i := range c.view.segments {
		docs := u.main[0].inSegs[i].docs
		if docs == nil {
			continue
		}
		docs = docs.Clone()
		for _, g := range u.main[1:] {
			if g.inSegs[i].docs == nil {
				docs.Clear()
				break
			}
			docs.And(g.inSegs[i].docs)
		}
		if !docs.IsEmpty() {
			return true
		}
	}
	return false
}

// finish weighs the groups, puts equal ones together and notes which words
// nothing has.
func (c *compiler) finish() error {
	p := c.plan
	byTerm := map[string]*group{}
	for _, u := range p.units {
		if len(u.groups) == 0 && !u.little && !language.FunctionWord(u.word) {
			p.dropped = append(p.dropped, u.text)
		}
		for i, g := range u.groups {
			key := g.variants[0].field + g.variants[0].term
			if have := byTerm[key]; have != nil {
				have.boost += g.boost
				u.groups[i] = have
				for _, list := range [][]*group{u.main, u.half} {
					if n := slices.Index(list, g); n >= 0 {
						list[n] = have
					}
				}
				continue
			}
			byTerm[key] = g
			p.groups = append(p.groups, g)
		}
	}
	return c.weigh()
}

// weigh gives the groups their idf: as the documents in the query's language
// have them, so that a library of many languages ranks as one of this alone
// would; small words of a rare language would look telling otherwise.
func (c *compiler) weigh() error {
	lang := language.Base(c.plan.lang)
	n := c.view.population(lang)
	c.plan.docs = n
	if n == c.view.docs {
		for _, g := range c.plan.groups {
			g.weigh(n, g.df)
		}
		return nil
	}
	in := make([]*roaring.Bitmap, len(c.view.segments))
	for i, s := range c.view.segments {
		var err error
		if in[i], err = s.ofLang(lang); err != nil {
			return err
		}
	}
	for _, g := range c.plan.groups {
		var df uint64
		for i := range in {
			if docs := g.inSegs[i].docs; docs != nil {
				df += docs.AndCardinality(in[i])
			}
		}
		// Not less than its share of all the documents that have it.
		g.weigh(n, max(df, (g.df*n+c.view.docs-1)/c.view.docs))
	}
	return nil
}

// languages returns the languages of the library that words are stemmed by,
// English always among them.
func (v *view) languages() []string {
	list := []string{"en"}
	for i, lang := range v.langs {
		if _, ok := stemmers[lang]; ok && lang != "en" && v.byLang[i].docs > 0 {
			list = append(list, lang)
		}
	}
	sort.Strings(list[1:])
	return list
}

// onlyLanguage returns the language of the library that is written in the
// script of a text, when there is only one but for a few documents.
func (v *view) onlyLanguage(text string) string {
	var sum, most uint64
	best := ""
	for i, lang := range v.langs {
		n := v.byLang[i].docs
		if n == 0 || lang == "" || !language.SameScript(lang, text) {
			continue
		}
		sum += n
		if n > most {
			best, most = lang, n
		}
	}
	if most*20 >= sum*19 {
		return best
	}
	return ""
}
