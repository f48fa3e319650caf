package summary

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// What a sentence is worth, for each of its words: parts that add up to about 1
// for a good first sentence.
const (
	worthAny      = 0.1
	worthFirst    = 0.45 // divided by its place
	worthEarly    = 0.1  // divided by 1 and a quarter of the sentences before it
	worthCentral  = 0.3  // times LexRank
	worthCommon   = 0.3  // times how common its words are in the text
	worthOpening  = 0.1  // times the share of its words that the first sentence has
	worthTitle    = 0.15 // times the share of the title's words
	worthPurpose  = 0.6  // if it says what the text is for, part of it if it may
	lossLength    = 0.14 // times the logarithm of its length: long ones say less a word
	lossShort     = 0.15 // under eight words
	lossShortest  = 0.4  // under five
	lossQuote     = 0.1
	lossOnlyQuote = 0.3 // more, if nobody is said to say it
	lossAddress   = 0.15
	lossUnclosed  = 0.3 // a quotation or bracket that opens or closes elsewhere
	lossRepeating = 0.25
	lossDangling  = 0.2
)

// What a choice of sentences is worth as a whole.
const (
	expected  = 15.0 // words of the summary a person would write
	roomy     = 72.0 // more than this only as a single sentence
	tooLong   = 100.0
	sameThing = 0.7   // likeness of two sentences of which one is enough
	lossOver  = 0.1   // for as many words too many as allowed
	lossAlone = 0.5   // for one sentence, the shorter the more
	worthRow  = 0.045 // the more of them stand together, from the first on
	// The same in a short text, where there is little to tell the sentences
	// apart by: divided by their number.
	worthRowShort = 0.1
	compared      = 12 // sentences of which all choices are tried
)

// score gives every candidate what it is worth by itself.
func score(lang, title string, all []*candidate, similar [][]float64) {
	central, often := lexRank(similar), common(all)
	heading := terms(lang, title)
	for i, c := range all {
		place := float64(c.place)
		c.score = worthAny + worthFirst/place + worthEarly/(1+0.25*(place-1)) +
			worthCentral*central[i] + worthCommon*often[i] + worthTitle*shared(heading, c.counts) + worthPurpose*purpose(c.text) -
			lossLength*math.Log(1+c.length)
		if i > 0 {
			c.score += worthOpening * shared(c.counts, all[0].counts)
		}
		switch {
		case c.length < 5:
			c.score -= lossShortest
		case c.length < 8:
			c.score -= lossShort
		}
		if !balanced(c.text) {
			c.score -= lossUnclosed
		}
		if quotes(c.text) {
			c.score -= lossQuote
			if strings.HasSuffix(strings.TrimRight(c.text, ".。 "), closingOf(c.text)) {
				c.score -= lossOnlyQuote
			}
		}
		if addresses(c.text) {
			c.score -= lossAddress
		}
		c.dangles = dangles(c.text)
	}
}

// choose tries all choices of one to three of the best candidates and returns
// the best that fits, in the order of the text.
func choose(all []*candidate, similar [][]float64) []*candidate {
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(all[b].score, all[a].score) })
	order = order[:min(len(order), compared)]
	slices.Sort(order)

	var best []int
	most := math.Inf(-1)
	try := func(choice ...int) {
		if value := worth(choice, all, similar); value > most {
			best, most = slices.Clone(choice), value
		}
	}
	for a, first := range order {
		try(first)
		for b, second := range order[a+1:] {
			try(first, second)
			for _, third := range order[a+b+2:] {
				try(first, second, third)
			}
		}
	}
	if best == nil { // every sentence is too long: the least long of the first
		return []*candidate{slices.MinFunc(all[:min(len(all), 5)], func(a, b *candidate) int { return cmp.Compare(a.length, b.length) })}
	}
	chosen := make([]*candidate, len(best))
	for i, at := range best {
		chosen[i] = all[at]
	}
	return chosen
}

// worth is what a choice of candidates, in the order of the text, is worth: like
// the measure F1, what its words say by the number of its words and of those
// expected.
func worth(choice []int, all []*candidate, similar [][]float64) float64 {
	words, says, row := 0.0, 0.0, 0.0
	for k, i := range choice {
		c := all[i]
		value := c.score
		repeats := 0.0
		for _, j := range choice[:k] {
			repeats = max(repeats, similar[i][j])
		}
		if repeats > sameThing {
			return math.Inf(-1)
		}
		value -= lossRepeating * repeats
		if i == k {
			row++
		} else if k > 0 && choice[k-1] == i-1 {
			row += 0.5
		}
		if c.dangles && (k == 0 || all[choice[k-1]].place != c.place-1) {
			value -= lossDangling // what it refers to stands before it
		}
		words += c.length
		says += value * c.length
	}
	if words > tooLong || len(choice) > 1 && words > roomy {
		return math.Inf(-1)
	}
	value := says / (words + expected)
	if len(choice) == 1 {
		value -= lossAlone * max(0, 1-words/30)
	}
	value -= lossOver * max(0, words/maxLength-1)
	value += row / float64(len(choice)) * (worthRow + worthRowShort/float64(len(all)))
	return value
}
