package index

import "strings"

// function characters carry the grammar of Chinese sentences and questions.
const function = "的了是在和与及或也就都而吗呢吧什么哪谁怎几为有被把对从到于之其这那个"

// frames are what Chinese and Japanese questions are put in, folded as texts
// are: they ask, and say nothing of what for.
var frames = []string{
	"有没有", "有什么", "有哪些", "有关的", "有关", "关于", "相关", "请问", "想知道", "想了解", "我想看", "想看", "知道", "怎么样", "怎么办", "怎么",
	"怎样", "如何", "什么样", "什么时候", "什么", "是什么", "为什么", "为何", "哪些", "哪个", "哪里", "哪儿", "多少", "是否", "是不是", "能不能",
	"可不可以", "能否", "可以", "应该", "介绍一下", "介绍", "一下", "告诉我", "给我", "帮我", "找一下", "说说", "讲讲", "看看", "的文章", "哪一",
	"教えてください", "教えて", "とは何", "何ですか", "とは", "について", "どうすれば", "どのように", "どうやって", "いつ", "どこ", "ですか", "ますか", "でしょうか", "したい", "知りたい",
}

// What a pair of characters weighs in a sentence.
const (
	frameWeight = 0.01 // inside of a frame
	seamWeight  = 0.3  // half in it
)

// grammar returns what each pair of a run weighs. In a sentence Japanese
// endings and particles in hiragana, and Chinese function characters, say less
// of what is looked for, and the frame of a question next to nothing. A short
// run is a name or a word and counts in full.
func grammar(run []rune) []float64 {
	weights := make([]float64, max(len(run)-1, 0))
	sentence := len(run) > maxPinyin
	for n := range weights {
		weights[n] = 1
		if !sentence {
			continue
		}
		small := 0
		for _, r := range run[n : n+2] {
			if r >= 0x3041 && r <= 0x3096 || strings.ContainsRune(function, r) {
				small++
			}
		}
		weights[n] = [...]float64{1, .5, .3}[small]
	}
	if sentence {
		frame(run, weights)
	}
	return weights
}

// frame takes weight off the pairs of the frames in a run, unless it is nothing
// but frames.
func frame(run []rune, weights []float64) {
	inside := make([]bool, len(run))
	left := len(run)
	text := string(run)
	for _, f := range frames {
		for at, from := 0, 0; ; from = at + len(f) {
			i := strings.Index(text[from:], f)
			if i < 0 {
				break
			}
			at = from + i
			first := len([]rune(text[:at]))
			for n := first; n < first+len([]rune(f)); n++ {
				if !inside[n] {
					inside[n] = true
					left--
				}
			}
		}
	}
	if left < 2 {
		return
	}
	for n := range weights {
		switch {
		case inside[n] && inside[n+1]:
			weights[n] = frameWeight
		case inside[n] || inside[n+1]:
			weights[n] = min(weights[n], seamWeight)
		}
	}
}
