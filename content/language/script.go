package language

import "unicode"

// A script is a way of writing that one or several languages use.
type script int

const (
	scriptNone script = iota
	scriptLatin
	scriptCyrillic
	scriptArabic
	scriptDevanagari
	scriptHan // with kana
	scriptHangul
	scriptGreek
	scriptHebrew
	scriptThai
	scriptArmenian
	scriptGeorgian
	scriptBengali
	scriptTamil
	scriptTelugu
	scriptKhmer
	scriptLao
	scriptMyanmar
	scriptAmharic
	scriptCount
)

// language returns the language of a script that belongs to one.
func (s script) language() string {
	return [scriptCount]string{
		scriptHangul: "ko", scriptGreek: "el", scriptHebrew: "he", scriptThai: "th", scriptArmenian: "hy",
		scriptGeorgian: "ka", scriptBengali: "bn", scriptTamil: "ta", scriptTelugu: "te", scriptKhmer: "km",
		scriptLao: "lo", scriptMyanmar: "my", scriptAmharic: "am",
	}[s]
}

// scripts counts the letters of a text by script.
type scripts struct {
	n         [scriptCount]int
	han, kana int
	letters   int
}

func countScripts(text string) scripts {
	var c scripts
	for _, r := range text {
		if r < 0x80 {
			if 'a' <= r|0x20 && r|0x20 <= 'z' {
				c.n[scriptLatin]++
				c.letters++
			}
			continue
		}
		if !unicode.IsLetter(r) {
			continue
		}
		c.letters++
		switch {
		case IsHan(r):
			c.han++
			c.n[scriptHan]++
		case IsKana(r):
			c.kana++
			c.n[scriptHan]++
		default:
			c.n[scriptOf(r)]++
		}
	}
	return c
}

// main returns the script that carries the text. A character of Chinese,
// Japanese or Korean says as much as half a word of letters, and a Chinese
// article full of English names is still Chinese.
func (c scripts) main() script {
	best, most := scriptNone, 0
	for s, n := range c.n {
		if script(s) == scriptHan || script(s) == scriptHangul {
			n *= 4
		}
		if n > most && script(s) != scriptNone {
			best, most = script(s), n
		}
	}
	return best
}

func scriptOf(r rune) script {
	switch {
	case unicode.Is(unicode.Latin, r):
		return scriptLatin
	case unicode.Is(unicode.Cyrillic, r):
		return scriptCyrillic
	case IsHangul(r):
		return scriptHangul
	case unicode.Is(unicode.Greek, r):
		return scriptGreek
	case unicode.Is(unicode.Arabic, r):
		return scriptArabic
	case unicode.Is(unicode.Hebrew, r):
		return scriptHebrew
	case unicode.Is(unicode.Thai, r):
		return scriptThai
	case unicode.Is(unicode.Devanagari, r):
		return scriptDevanagari
	case unicode.Is(unicode.Armenian, r):
		return scriptArmenian
	case unicode.Is(unicode.Georgian, r):
		return scriptGeorgian
	case unicode.Is(unicode.Bengali, r):
		return scriptBengali
	case unicode.Is(unicode.Tamil, r):
		return scriptTamil
	case unicode.Is(unicode.Telugu, r):
		return scriptTelugu
	case unicode.Is(unicode.Khmer, r):
		return scriptKhmer
	case unicode.Is(unicode.Lao, r):
		return scriptLao
	case unicode.Is(unicode.Myanmar, r):
		return scriptMyanmar
	case unicode.Is(unicode.Ethiopic, r):
		return scriptAmharic
	}
	return scriptNone
}

// IsHan tells whether a rune is a Chinese character, of either script and also
// where Japanese uses it.
func IsHan(r rune) bool {
	return r >= 0x4E00 && r <= 0x9FFF || r >= 0x3400 && r <= 0x4DBF || r >= 0x20000 && r <= 0x323AF ||
		r >= 0xF900 && r <= 0xFAFF || r == '々' || r == '〇'
}

// IsKana tells whether a rune is hiragana or katakana, the long-vowel mark included.
func IsKana(r rune) bool {
	return r >= 0x3041 && r <= 0x3096 || r >= 0x309D && r <= 0x309F || r >= 0x30A1 && r <= 0x30FA ||
		r >= 0x30FC && r <= 0x30FF || r >= 0x31F0 && r <= 0x31FF || r >= 0xFF66 && r <= 0xFF9F
}

// IsHangul tells whether a rune is a Korean syllable or letter.
func IsHangul(r rune) bool {
	return r >= 0xAC00 && r <= 0xD7A3 || r >= 0x1100 && r <= 0x11FF || r >= 0x3131 && r <= 0x318E ||
		r >= 0xA960 && r <= 0xA97F || r >= 0xD7B0 && r <= 0xD7FF
}

// HasHan tells whether a text has a Chinese character in it.
func HasHan(text string) bool {
	for _, r := range text {
		if IsHan(r) {
			return true
		}
	}
	return false
}

// SameScript tells whether a text is written in the script of a language.
func SameScript(lang, text string) bool {
	c := countScripts(text)
	return c.main() != scriptNone && c.main() == scriptOfLanguage(Base(lang))
}

func scriptOfLanguage(lang string) script {
	switch lang {
	case "ru", "uk", "bg", "sr", "mk", "be", "kk", "ky", "mn", "tg":
		return scriptCyrillic
	case "zh", "ja":
		return scriptHan
	case "ar", "fa", "ur", "ps", "ug":
		return scriptArabic
	case "hi", "mr", "ne":
		return scriptDevanagari
	}
	for s := range scriptCount {
		if s.language() == lang {
			return s
		}
	}
	return scriptLatin
}
