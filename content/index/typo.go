package index

import (
	"cmp"
	"math"
	"slices"
	"unicode/utf8"

	"newsie/content/language"
)

// When a word is looked at as a typo, and of how many words.
const (
	typoRare  = 20  // a word in at most so many documents may be one, with a neighbour typoRatio times as frequent
	typoShare = 500 // one in so many documents is rare in small libraries
	typoRatio = 10
	typoNew   = 3 // how many neighbours stand in for a typo
	typoFar   = 7 // letters of a word that may have two typos
	typoShort = 4 // letters of the shortest word that may have one
	typoLift  = 3 // times as often as by chance what it may mean must then stand beside the others
)

// unwritten tells of a word that no article writes so, though others with its
// stem: an inflection, or a typo that happens to look like one.
func (c *compiler) unwritten(word string) bool {
	return utf8.RuneCountInString(word) >= typoShort && isForm(word) && !c.index.lexicon.has(plain(word))
}

// alone tells whether a unit is all that a query looks for.
func (c *compiler) alone(u *unit) bool {
	return !slices.ContainsFunc(c.plan.units, func(other *unit) bool { return other != u && !other.little })
}

// A doubt is a word, rare or unknown, that waits for the others of the query:
// they tell what it may have been meant to be.
type doubt struct {
	unit  *unit
	group *group
	parts []*group
}

// reinterpret looks for other ways to read a word that is rare or unknown:
// pinyin of a Chinese name, or a typo.
func (c *compiler) reinterpret(u *unit, g *group) error {
	word := plain(u.word)
	if g.df <= pinyinRare && isPinyin(word) {
		with := &group{variants: append(slices.Clone(g.variants), variant{fieldPinyin, word, 1}), boost: g.boost, unit: g.unit}
		if err := c.view.lookup(with); err != nil {
			return err
		}
		if with.df > g.df {
			*g = *with
			return nil
		}
	}
	return c.repair(u, g, word)
}

// repair adds the neighbours of a typo to its group.
func (c *compiler) repair(u *unit, g *group, word string) error {
	runes := utf8.RuneCountInString(word)
	if c.repaired || runes < typoShort || u.little || !mostlyLetters(word) {
		return nil
	}
	found, err := c.neighbours(word, 1)
	if err != nil {
		return err
	}
	if len(found) == 0 && g.df == 0 && runes >= typoFar {
		if found, err = c.neighbours(word, 2); err != nil {
			return err
		}
	}
	found = slices.DeleteFunc(found, func(n neighbour) bool { // another form of the same word
		return g.df > 0 && slices.ContainsFunc(n.terms, func(t variant) bool { return slices.Contains(g.variants, t) })
	})
	if runes == typoShort && !c.alone(u) {
		// So short a word is near to many: the other words must speak for one.
		found = slices.DeleteFunc(found, func(n neighbour) bool { return n.lift < typoLift })
	}
	if len(found) == 0 || g.df > 0 && found[0].df < typoRatio*g.df && !c.unwritten(u.word) {
		return nil
	}
	found = found[:min(len(found), typoNew)]
	with := &group{boost: g.boost, unit: g.unit}
	if g.df == 0 {
		u.typo = found[0].form.text
		c.plan.typos = true
	}
	for _, n := range found {
		weight := min(math.Sqrt(float64(n.df)/float64(found[0].df)), 1)
		for _, t := range n.terms {
			if !slices.ContainsFunc(with.variants, func(v variant) bool { return v.term == t.term }) {
				with.variants = append(with.variants, variant{t.field, t.term, weight})
			}
		}
	}
	if err := c.view.lookup(with); err != nil {
		return err
	}
	if g.df == 0 {
		*g = *with
		return nil
	}
	// A word that exists keeps its own weight; what it may have been meant to
	// be comes beside it.
	with.boost *= doubtBoost
	u.groups = append(u.groups, with)
	u.half = append(u.half, with)
	return nil
}

// rare is in how many documents a word may be and still be a typo.
func (c *compiler) rare() uint64 {
	return min(max(c.view.docs/typoShare, 1), typoRare)
}

// mostlyLetters tells of a word that numbers, if any, slipped into: they are
// not repaired themselves, as 1981 is no typo of 1918.
func mostlyLetters(word string) bool {
	letters, digits := 0, 0
	for _, r := range word {
		if digit(r) {
			digits++
		} else {
			letters++
		}
	}
	return digits == 0 || letters >= 4 && digits <= 2
}

// A neighbour is a word near to a typo, as often as documents have it.
type neighbour struct {
	form  form
	terms []variant
	edits int
	df    uint64

	beside float64 // the other words of the query; see compiler.beside
	lift   float64
}

// maxNeighbours bounds how many words are looked up for one typo.
const maxNeighbours = 64

// neighbours returns the words of the library at some distance, the most
// frequent first.
func (c *compiler) neighbours(word string, most int) ([]neighbour, error) {
	var list []neighbour
	c.index.lexicon.near(word, most, func(f form, edits int) {
		if len(list) < maxNeighbours {
			list = append(list, neighbour{form: f, edits: edits})
		}
	})
	for i := range list {
		n := &list[i]
		g := &group{variants: c.stems(n.form.text)}
		if err := c.view.lookup(g); err != nil {
			return nil, err
		}
		n.terms = g.variants
		n.beside, n.lift = c.beside(g)
		var err error
		if n.df, err = c.inLanguage(g, n.form.text); err != nil {
			return nil, err
		}
		if c.functionWord(n.form.text) {
			n.df = 0 // must is not what musk was meant to be
		}
	}
	list = slices.DeleteFunc(list, func(n neighbour) bool { return n.df == 0 })
	slices.SortFunc(list, func(a, b neighbour) int {
		return cmp.Or(cmp.Compare(b.beside, a.beside), cmp.Compare(b.df, a.df), cmp.Compare(a.form.text, b.form.text))
	})
	return list, nil
}

// inLanguage returns how many documents have a word that the query's language
// is written in, or one of another script, where it is a name or a term: a German
// word is not repaired to an English one, but Matlab stands in Chinese texts.
func (c *compiler) inLanguage(g *group, word string) (uint64, error) {
	if c.plan.lang == "" || g.df == 0 || !language.SameScript(language.Base(c.plan.lang), word) {
		return g.df, nil
	}
	var df uint64
	for _, lang := range c.view.langs {
		if lang != language.Base(c.plan.lang) && (lang == "" || language.SameScript(lang, word)) {
			continue
		}
		for i, s := range c.view.segments {
			own, err := s.ofLang(lang)
			if err != nil {
				return 0, err
			}
			if docs := g.inSegs[i].docs; docs != nil {
				df += docs.AndCardinality(own)
			}
		}
	}
	return df, nil
}

// functionWord tells of a word that says nothing in the language of the query,
// or in one of the library when that is not known.
func (c *compiler) functionWord(word string) bool {
	if c.plan.lang != "" {
		return language.Stopword(c.plan.lang, word)
	}
	return slices.ContainsFunc(c.langs, func(lang string) bool { return language.Stopword(lang, word) })
}

// beside returns in how many documents a group stands with the other words of
// the query, each counted by how telling it is, and how many times as often as
// by chance it stands with the one that goes with it best.
func (c *compiler) beside(g *group) (sum, lift float64) {
	for _, u := range c.plan.units {
		for _, other := range u.main {
			if other.df == 0 || g.df == 0 {
				continue
			}
			n := 0.0
			for i := range g.inSegs {
				if a, b := g.inSegs[i].docs, other.inSegs[i].docs; a != nil && b != nil {
					n += float64(a.AndCardinality(b))
				}
			}
			docs := float64(c.view.docs)
			sum += n * math.Log(1+docs/float64(other.df))
			lift = max(lift, n*docs/(float64(g.df)*float64(other.df)))
		}
	}
	return sum, lift
}
