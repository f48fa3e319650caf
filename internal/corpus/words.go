package corpus

import (
	_ "embed"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// hanTable is how often Chinese characters stand in a million; its first lines
// say where that is from.
//
//go:embed han.txt
var hanTable string

// wordsOf is how many words a language has, beside those of grammar.
const wordsOf = 40_000

// A vocabulary is the words of one language. The grammar words of the spaced
// languages are real and stand where they do in life, among the first, so that
// texts are recognised as what they are; the other words are syllables joined,
// short ones first. Chinese is half single characters, half words of a
// vocabulary whose characters were drawn as often as they are in Chinese, so
// that neighbours are as predictable as they are in life. For Japanese, of
// which no free count was at hand, the same characters stand between real
// particles and endings. Hangul syllables fall off as Zipf's law has it.
type vocabulary struct {
	lang  string
	words scale
	chars scale // zh, ja
}

// A scale draws strings by weight.
type scale struct {
	list []string
	sum  []float64 // of the weights so far
}

func (s *scale) add(word string, weight float64) {
	if n := len(s.sum); n > 0 {
		weight += s.sum[n-1]
	}
	s.list, s.sum = append(s.list, word), append(s.sum, weight)
}

func (s *scale) draw(rng *rand.Rand) string {
	at, _ := slices.BinarySearch(s.sum, rng.Float64()*s.sum[len(s.sum)-1])
	return s.list[min(at, len(s.list)-1)]
}

// zipf is the share of the word of a rank, from 0.
func zipf(rank int) float64 { return 1 / math.Pow(float64(rank)+2.7, 1.07) }

func newVocabulary(lang string, rng *rand.Rand) *vocabulary {
	v := &vocabulary{lang: lang}
	if unspaced(lang) {
		v.readHan()
	}
	for _, w := range strings.Fields(grammar[lang]) {
		v.words.add(w, zipf(len(v.words.list)))
	}
	seen := map[string]bool{}
	for len(seen) < wordsOf {
		w := v.invent(rng, len(seen))
		if seen[w] {
			continue
		}
		seen[w] = true
		v.words.add(w, zipf(len(v.words.list)))
	}
	return v
}

func (v *vocabulary) readHan() {
	for line := range strings.Lines(hanTable) {
		count, chars, ok := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.Atoi(count)
		if !ok || err != nil {
			continue // what the file says of itself
		}
		for _, r := range chars {
			v.chars.add(string(r), float64(n))
		}
	}
}

// invent makes the next word; they grow longer as they grow rarer.
func (v *vocabulary) invent(rng *rand.Rand, have int) string {
	var w strings.Builder
	switch v.lang {
	case "zh-Hans", "ja":
		for range []int{2, 2, 2, 2, 2, 2, 3, 3, 4, 2}[rng.IntN(10)] {
			w.WriteString(v.chars.draw(rng))
		}
	case "ko":
		for range 2 + rng.IntN(2) {
			w.WriteRune(rune(0xAC00 + int(11172*math.Pow(rng.Float64(), 3))/7*7 + rng.IntN(2)))
		}
		if rng.IntN(2) == 0 {
			particles := strings.Fields("은 는 이 가 을 를 에 의 로 도")
			w.WriteString(particles[rng.IntN(len(particles))])
		}
	default:
		consonants, vowels := strings.Fields(sounds[v.lang][0]), strings.Fields(sounds[v.lang][1])
		for range 2 + rng.IntN(2) + have/(wordsOf/3) {
			w.WriteString(consonants[rng.IntN(len(consonants))] + vowels[rng.IntN(len(vowels))])
		}
		endings := strings.Fields(sounds[v.lang][2])
		w.WriteString(endings[rng.IntN(len(endings))])
	}
	return w.String()
}

func (v *vocabulary) sentence(rng *rand.Rand) string {
	var b strings.Builder
	switch v.lang {
	case "zh-Hans":
		for range 8 + rng.IntN(18) {
			if rng.IntN(2) == 0 {
				b.WriteString(v.chars.draw(rng))
			} else {
				b.WriteString(v.words.draw(rng))
			}
			if rng.IntN(12) == 0 {
				b.WriteString("，")
			}
		}
		b.WriteString("。")
	case "ja":
		links := strings.Fields(grammarJapanese)
		for range 4 + rng.IntN(8) {
			b.WriteString(v.words.draw(rng))
			b.WriteString(links[int(float64(len(links))*rng.Float64()*rng.Float64())])
		}
		b.WriteString("ました。")
	default:
		for i := range 6 + rng.IntN(16) {
			word := v.words.draw(rng)
			if i == 0 {
				r := []rune(word)
				word = strings.ToUpper(string(r[0])) + string(r[1:])
			} else if b.WriteByte(' '); rng.IntN(15) == 0 {
				b.WriteString("– ")
			}
			b.WriteString(word)
		}
		b.WriteString(".")
	}
	return b.String()
}

// sounds are the consonants, vowels and endings of made-up words.
var sounds = map[string][3]string{
	"en": {"b c d f g h l m n p r s t w th sh ck br st tr", "a e i o u ea ou", "n t s ng r l d ty"},
	"it": {"b c d f g l m n p r s t v st tr gn ch", "a e i o u", "re to la ne zione mo tà"},
	"ru": {"б в г д ж з к л м н п р с т ст пр ш", "а е и о у ы я", "ть ний ка ла ние м л"},
	"de": {"b d f g h k l m n r s t w sch ch st", "a e i o u ei ie ä ü", "en er ung t e lich"},
}

// grammar is the words that every text of a language is full of, by rank.
var grammar = map[string]string{
	"en": "the of and to in a is that for it was on with as be at by this are from have or an they which not were but had has their more been when who will would there if can all than",
	"it": "di e la che il in un a per è non del una i della si le con sono da anche dei più al come ma nel lo alla gli su delle questo ha nella dal se o stato essere",
	"ru": "и в не на что с он по как это но к из у за от так для же все а его она было или бы они мы только ее до когда уже если также после может",
	"de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über",
	"ko": "그 이 수 있다 것은 그리고 하는 대한 위해 있는 했다 또한 한 등 더 그는 없는 때 가장 하지만",
}

// grammarJapanese links words, the commonest first.
const grammarJapanese = "の は に を が と で も から する した して という には では まで など れる られる ている だった について それは この その ことが ものの ソフト データ サービス"
