package story

import (
	"math"
	"math/bits"
)

// A Print is the fingerprint of a text: what near texts are found by.
type Print struct {
	// Sim is the simhash (Charikar, "Similarity Estimation Techniques from
	// Rounding Algorithms", 2002) of the text's pairs of neighbouring words or
	// characters. The share of bits in which two of them differ estimates the
	// angle between the texts' vectors of counts.
	Sim uint64
	// Least are the smallest hashes of the text's shingles, by two orders: two
	// texts have each in common with a probability that is their resemblance
	// (Broder, "On the Resemblance and Containment of Documents", 1997).
	Least [2]uint64
}

// Keys is how many keys a print has.
const Keys = 6

// Keys are what near texts have one of in common: the four blocks of Sim, one
// of which texts agree in that differ by three bits or less (Manku, Jain & Das
// Sarma, "Detecting Near-Duplicates for Web Crawling", 2007), and the two of
// Least. Blocks alone find every unchanged text, but of reports of a hundred
// words with a closing line of their own only half: three bits are one word in
// a hundred.
func (p Print) Keys() [Keys]int64 {
	var keys [Keys]int64
	for i := range 4 {
		keys[i] = int64(p.Sim >> (16 * i) & 0xffff)
	}
	keys[4], keys[5] = int64(p.Least[0]), int64(p.Least[1])
	return keys
}

// The distances up to which texts are worth comparing: with a shingle in common,
// where no two that were found to be the same came near the limit, and without,
// where most that share a block of Sim do so by chance.
const (
	farWith    = 17
	farWithout = 6
)

// Near tells whether texts with these prints may be the same.
func (p Print) Near(q Print) bool {
	if p.Least[0] == q.Least[0] || p.Least[1] == q.Least[1] {
		return p.Distance(q) <= farWith
	}
	return p.Distance(q) <= farWithout
}

// Distance is in how many of its bits Sim differs.
func (p Print) Distance(q Print) int { return bits.OnesCount64(p.Sim ^ q.Sim) }

// Of is the print of a text. One without a body has none.
func Of(t Text) Print {
	body := tokens(t.Body)
	if len(body) == 0 {
		return Print{}
	}
	p := Print{Least: least(body)}
	var sum [64]int32
	add(&sum, tokens(t.Title))
	add(&sum, body)
	for bit, n := range sum {
		if n > 0 {
			p.Sim |= 1 << bit
		}
	}
	return p
}

// None tells that there is no print.
func (p Print) None() bool { return p == Print{} }

// add counts the pairs of neighbouring words or characters of a text. Words
// alone would bring all texts of one language together, by its small words.
func add(sum *[64]int32, text []token) {
	for i := range text {
		count(sum, shingle(text[max(0, i-1):i+1]))
	}
}

func count(sum *[64]int32, hash uint64) {
	for bit := range sum {
		sum[bit] += int32(hash>>bit&1)*2 - 1
	}
}

// least takes the smallest hashes of a text's shingles.
func least(text []token) [2]uint64 {
	const other = 0x9e3779b97f4a7c15
	min := [2]uint64{math.MaxUint64, math.MaxUint64}
	for _, h := range shingles(text, window(text, text)) {
		if h < min[0] {
			min[0] = h
		}
		if h = mix(h ^ other); h < min[1] {
			min[1] = h
		}
	}
	return min
}
