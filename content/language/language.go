// Package language tells in which language a text is written.
//
// It is a leaf: it knows scripts, stopwords and the two ways of writing
// Chinese, and nothing of articles. Its tables never change after start, so
// everything in it may be called from any goroutine.
package language

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/abadojack/whatlanggo"
)

// sample is how much of a text is looked at: enough for certainty, and a bound
// on the time a long article takes.
const sample = 6000 // bytes

// Detect returns the language of an article or paragraph as a BCP 47 tag, with
// Chinese as zh-Hans or zh-Hant, or "" when the text does not tell (too short,
// or without letters). The script decides for Chinese, Japanese, Korean and
// everything else that has a script of its own; stopwords, and letter trigrams
// where they do not tell, decide between the languages in Latin and Cyrillic.
func Detect(text string) string {
	text = head(text, sample)
	c := countScripts(text)
	switch s := c.main(); s {
	case scriptNone:
		return ""
	case scriptHan:
		if c.kana*20 >= c.han+c.kana && c.kana > 0 {
			return "ja"
		}
		return chinese(text)
	case scriptLatin, scriptCyrillic, scriptArabic, scriptDevanagari:
		return alphabetic(text, s, c)
	default:
		return s.language()
	}
}

// Guess returns the language of a query, which may be two words long, or ""
// when nothing tells. Latin and Cyrillic queries are judged by their stopwords
// alone: at least two of one language and more than of any other, because a
// wrong guess costs more than none.
func Guess(query string) string {
	c := countScripts(query)
	switch s := c.main(); s {
	case scriptNone:
		return ""
	case scriptHan:
		if c.kana > 0 {
			return "ja"
		}
		return chinese(query)
	case scriptLatin, scriptCyrillic, scriptArabic, scriptDevanagari:
		lang, hits, second := byStopwords(query)
		if hits < 2 || hits == second {
			return ""
		}
		return lang
	default:
		return s.language()
	}
}

// Detected lists the languages that Detect and Guess tell, sorted.
func Detected() []string {
	all := append([]string{"ja", "zh-Hans", "zh-Hant"}, stopwords().langs...)
	for s := range scriptCount {
		all = append(all, s.language())
		for lang := range alphabets[s] {
			all = append(all, lang.Iso6391())
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return slices.DeleteFunc(all, func(lang string) bool { return lang == "" })
}

// Base returns the language of a tag without script or region: "zh" of
// "zh-Hant", "pt" of "pt-BR".
func Base(tag string) string {
	if i := strings.IndexAny(tag, "-_"); i >= 0 {
		tag = tag[:i]
	}
	return strings.ToLower(tag)
}

// Matches tells whether a text in language have is what someone who asked for
// want gets: "zh" takes every Chinese, "zh-Hant" only that.
func Matches(want, have string) bool {
	if strings.EqualFold(want, have) {
		return true
	}
	return !strings.ContainsAny(want, "-_") && Base(have) == strings.ToLower(want)
}

// alphabetic tells languages of one alphabet apart.
func alphabetic(text string, s script, c scripts) string {
	if lang := byLetters(text, s); lang != "" {
		return lang
	}
	lang, hits, second := byStopwords(text)
	if hits >= 3 && hits*2 >= second*3 {
		return lang
	}
	if c.letters < 12 && hits == 0 {
		return ""
	}
	info := whatlanggo.DetectWithOptions(text, whatlanggo.Options{Whitelist: alphabets[s]})
	if tag := info.Lang.Iso6391(); tag != "" {
		return tag
	}
	return lang
}

// byLetters recognises the Cyrillic languages that own a letter.
func byLetters(text string, s script) string {
	if s != scriptCyrillic {
		return ""
	}
	text = strings.ToLower(text)
	switch {
	case strings.ContainsAny(text, "їєґ"):
		return "uk"
	case strings.ContainsRune(text, 'ў'):
		return "be"
	case strings.ContainsAny(text, "ђћ"):
		return "sr"
	case strings.ContainsAny(text, "ѓќѕ"):
		return "mk"
	case strings.ContainsAny(text, "ыэ"):
		return "ru"
	}
	return ""
}

// alphabets lists, for each alphabet, the languages that the trigram profiles
// are asked about: without a list, texts of names come out as Esperanto.
var alphabets = map[script]map[whatlanggo.Lang]bool{
	scriptLatin: {
		whatlanggo.Eng: true, whatlanggo.Ita: true, whatlanggo.Fra: true, whatlanggo.Spa: true, whatlanggo.Deu: true,
		whatlanggo.Por: true, whatlanggo.Nld: true, whatlanggo.Swe: true, whatlanggo.Dan: true, whatlanggo.Nob: true,
		whatlanggo.Fin: true, whatlanggo.Pol: true, whatlanggo.Ces: true, whatlanggo.Hun: true, whatlanggo.Ron: true,
		whatlanggo.Tur: true, whatlanggo.Vie: true, whatlanggo.Ind: true, whatlanggo.Hrv: true, whatlanggo.Slv: true,
		whatlanggo.Est: true, whatlanggo.Lav: true, whatlanggo.Lit: true,
	},
	scriptCyrillic: {
		whatlanggo.Rus: true, whatlanggo.Ukr: true, whatlanggo.Bul: true, whatlanggo.Srp: true, whatlanggo.Bel: true,
		whatlanggo.Mkd: true,
	},
	scriptArabic:     {whatlanggo.Arb: true, whatlanggo.Pes: true, whatlanggo.Urd: true},
	scriptDevanagari: {whatlanggo.Hin: true, whatlanggo.Mar: true, whatlanggo.Nep: true},
}

// head returns the first n bytes of text, cut between runes.
func head(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// words calls visit for each lower-case run of letters.
func words(text string, visit func(string)) {
	for _, w := range strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.Is(unicode.M, r)
	}) {
		visit(strings.ToLower(w))
	}
}
