package index

import (
	"slices"
	"strings"
	"sync"

	"github.com/mozillazg/go-pinyin"

	"newsie/content/language"
)

// Pinyin n-grams of this many characters are indexed: Chinese names and words
// have two to four.
const (
	minPinyin = 2
	maxPinyin = 4
	// maxReadings bounds the readings of one word with several polyphonic
	// characters.
	maxReadings = 8
)

// readings returns the syllables of a character without tones, all of them:
// the commonest alone is wrong for 长春 and 重庆. Ü is written v and u, as
// people type it.
func readings(r rune) []string {
	marked, ok := pinyin.PinyinDict[int(r)]
	if !ok {
		return nil
	}
	var list []string
	for s := range strings.SplitSeq(marked, ",") {
		s = plainSyllable(s)
		list = appendNew(list, s)
		if strings.Contains(s, "v") {
			list = appendNew(list, strings.ReplaceAll(s, "v", "u"))
		}
	}
	return list
}

func appendNew(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}

// plainSyllable takes the tone off a syllable.
func plainSyllable(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case strings.ContainsRune("üǖǘǚǜ", r):
			b.WriteByte('v')
		default:
			plainRune(&b, r)
		}
	}
	return b.String()
}

// joinedPinyin returns the pinyin of a word written together, in all readings,
// or nothing when a character has none.
func joinedPinyin(word []rune) []string {
	list := []string{""}
	for _, r := range word {
		syllables := readings(r)
		if len(syllables) == 0 {
			return nil
		}
		var next []string
		for _, s := range syllables {
			for _, p := range list {
				if len(next) < maxReadings {
					next = append(next, p+s)
				}
			}
		}
		list = next
	}
	return list
}

// pinyinTerms calls add for the pinyin of every word that may stand in a title,
// tag or name: runs of two to four characters, as nothing tells where words end.
func pinyinTerms(text string, add func(string)) {
	var run []rune
	flush := func() {
		for from := range run {
			for to := from + minPinyin; to <= min(from+maxPinyin, len(run)); to++ {
				for _, p := range joinedPinyin(run[from:to]) {
					add(p)
				}
			}
		}
		run = run[:0]
	}
	for _, r := range text {
		if r = language.HanKey(r); language.IsHan(r) {
			run = append(run, r)
		} else {
			flush()
		}
	}
	flush()
}

// syllables are all the syllables of pinyin without tones.
var syllables = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	seen := map[string]bool{} // one in thirty is another
	for _, all := range pinyin.PinyinDict {
		for marked := range strings.SplitSeq(all, ",") {
			if seen[marked] {
				continue
			}
			seen[marked] = true
			s := plainSyllable(marked)
			m[s] = true
			m[strings.ReplaceAll(s, "v", "u")] = true
		}
	}
	for _, odd := range []string{"m", "n", "ng", "hm", "hng"} {
		delete(m, odd) // interjections
	}
	return m
})

// isPinyin tells whether a plain word reads as two to four syllables.
func isPinyin(word string) bool {
	if len(word) < 4 || len(word) > maxPinyin*6 {
		return false
	}
	known := syllables()
	// Bit n of counts[i] says that word[:i] may be n syllables: xian is one or two.
	counts := make([]uint64, len(word)+1)
	counts[0] = 1
	for i := 1; i <= len(word); i++ {
		for n := 1; n <= 6 && n <= i; n++ {
			if counts[i-n] != 0 && known[word[i-n:i]] {
				counts[i] |= counts[i-n] << 1
			}
		}
	}
	return counts[len(word)]&(1<<2|1<<3|1<<4) != 0
}

// joinPinyin makes one word of neighbouring ones that read together as a name
// some article has, where at least one of them is unknown: ban tang, Li Ming.
func (c *compiler) joinPinyin() error {
	p := c.plan
	for i := 0; i+1 < len(p.units); i++ {
		for n := min(maxPinyin, len(p.units)-i); n >= 2; n-- {
			joined, err := c.spelled(p.units[i : i+n])
			if err != nil {
				return err
			}
			if joined == "" {
				continue
			}
			first, last := p.units[i], p.units[i+n-1]
			u := &unit{start: first.start, end: last.end, text: p.text[first.start:last.end], word: joined}
			p.units = slices.Replace(p.units, i, i+n, u)
			break
		}
	}
	return nil
}

// spelled returns what some words are together if that is the pinyin of a name
// of the library, or "".
func (c *compiler) spelled(units []*unit) (string, error) {
	joined, unknown := "", false
	for _, u := range units {
		word := plain(u.word)
		if u.run != nil || len(u.parts) > 0 || !isSyllables(word) {
			return "", nil
		}
		joined += word
	}
	if !isPinyin(joined) {
		return "", nil
	}
	for _, u := range units {
		g := &group{variants: c.stems(u.word)}
		if err := c.view.lookup(g); err != nil {
			return "", err
		}
		unknown = unknown || g.df == 0
	}
	g := &group{variants: []variant{{fieldPinyin, joined, 1}}}
	if err := c.view.lookup(g); err != nil || !unknown || g.df == 0 {
		return "", err
	}
	return joined, nil
}

// isSyllables tells of one to four syllables.
func isSyllables(word string) bool { return syllables()[word] || isPinyin(word) }

// addPinyin lets a Chinese name find the articles in other scripts that spell
// it: 微店 those that say Weidian.
func (c *compiler) addPinyin(u *unit, i int) error {
	if !language.IsHan(u.run[0]) {
		return nil
	}
	g := &group{boost: pinyinBoost * float64(max(1, len(u.run)-1)), unit: i}
	for _, p := range joinedPinyin(u.run) {
		if u.spelledBy(p) {
			continue
		}
		for _, v := range c.stems(p) {
			if !slices.ContainsFunc(g.variants, func(have variant) bool { return have.term == v.term }) {
				g.variants = append(g.variants, v)
			}
		}
	}
	if len(g.variants) == 0 {
		return nil
	}
	if err := c.view.lookup(g); err != nil || g.df == 0 {
		return err
	}
	u.also = g
	u.groups = append(u.groups, g)
	return nil
}
