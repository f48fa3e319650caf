package index

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"newsie/content/language"
)

const (
	completeFrom       = 2    // letters of a word before it is completed
	completeTerms      = 1000 // of those that begin so, how many of a segment are counted
	completeWords      = 16   // of them, how many are looked for: the commonest
	completeForms      = 64   // words as written that are stemmed
	completeLonger     = 12   // letters that they may go on
	completePinyinFrom = 3    // letters of a syllable before Chinese names are completed
	completePinyin     = 8
)

// complete lets what begins as the word of a unit stand for it, and tells
// whether anything does.
func (c *compiler) complete(u *unit, g *group) (bool, error) {
	prefix := plain(u.word)
	runes := utf8.RuneCountInString(prefix)
	if runes < completeFrom {
		return false, nil
	}
	variants, err := c.continuing(fieldWords, prefix, completeWords)
	if err != nil {
		return false, err
	}
	// What is typed may be longer than the stem: commerci of commercio is indexed
	// as commerc.
	seen := 0
	if c.index.lexicon.loaded() {
		c.index.lexicon.starting(prefix, completeLonger, func(f form) bool {
			for _, v := range c.stems(f.text) {
				if !language.FunctionWord(f.text) && !slices.Contains(variants, v) {
					variants = append(variants, v)
				}
			}
			seen++
			return seen < completeForms && len(variants) < 2*completeWords
		})
	}
	if runes >= completePinyinFrom && spells(prefix) {
		names, err := c.continuing(fieldPinyin, prefix, completePinyin)
		if err != nil {
			return false, err
		}
		variants = append(variants, names...)
	}
	if len(variants) == 0 {
		return false, nil
	}
	with := &group{variants: variants, boost: g.boost, unit: g.unit}
	if err := c.view.lookup(with); err != nil || with.df == 0 {
		return false, err
	}
	*g = *with
	u.settle(g, nil)
	return true, nil
}

// continuing returns the terms of a field that begin with a prefix, the commonest
// first. Function words are none: half a word is not about "this" and "that".
func (c *compiler) continuing(field, prefix string, most int) ([]variant, error) {
	counts := map[string]uint64{}
	for _, seg := range c.view.segments {
		err := seg.terms(field, prefix, completeTerms, func(term string, count uint64) {
			if !language.FunctionWord(term) {
				counts[term] += count
			}
		})
		if err != nil {
			return nil, err
		}
	}
	terms := make([]string, 0, len(counts))
	for term := range counts {
		terms = append(terms, term)
	}
	slices.SortFunc(terms, func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	list := make([]variant, 0, most)
	for _, term := range terms[:min(most, len(terms))] {
		list = append(list, variant{field, term, 1})
	}
	return list, nil
}
