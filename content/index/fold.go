package index

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"newsie/content/language"
)

// A glyph is one rune of a text as it is searched, with the bytes of the text
// that it stands for. Several glyphs may stand for the same bytes (㎏ is k and
// g), and one for several (e and a combining accent are é).
type glyph struct {
	r          rune
	class      class
	start, end int32
}

// A class says what a rune does in a text.
type class uint8

const (
	classOther class = iota // a separator
	classWord               // letters, digits and marks that make words
	classPair               // scripts without spaces, searched by pairs: Han, kana, Hangul, Thai…
	classApostrophe
	classHyphen
	classDot
	classComma
	classJoin // & and _
	classPlus
	classHash
	classEmoji // each stands for itself
)

// fold appends the glyphs of a text: NFKC, lower case, traditional characters
// and their variants as simplified ones. Accents stay (stemmers and word lists
// need them); see plain.
func fold(dst []glyph, s string) []glyph {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		next := i + size
		if !stable(r) || next < len(s) && composes(s[next:]) {
			if n := norm.NFKC.NextBoundaryInString(s[i:], true); n > 0 {
				for _, r := range norm.NFKC.String(s[i : i+n]) {
					dst = appendGlyph(dst, r, i, i+n)
				}
				i += n
				continue
			}
		}
		dst = appendGlyph(dst, r, i, next)
		i = next
	}
	return dst
}

func appendGlyph(dst []glyph, r rune, start, end int) []glyph {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r |= 0x20
		}
		return append(dst, glyph{r, asciiClass(r), int32(start), int32(end)})
	}
	c := classOf(r)
	switch {
	case c == classPair:
		if r >= 0x3400 {
			r = language.HanKey(r)
		}
	case c == classWord:
		if r = unicode.ToLower(r); r == 'ς' {
			r = 'σ'
		}
	case invisible(r):
		return dst
	}
	return append(dst, glyph{r, c, int32(start), int32(end)})
}

// stable tells of the commonest runes that NFKC leaves them alone.
func stable(r rune) bool {
	return r < 0xA0 || r >= 0xC0 && r < 0x132 || r >= 0x400 && r < 0x482 ||
		r >= 0x3041 && r <= 0x3096 || r >= 0x30A1 && r <= 0x30FA || r == 'ー' || r >= 0x4E00 && r <= 0x9FFF ||
		r >= 0xAC00 && r <= 0xD7A3
}

// composes tells whether a text begins with a rune that may melt into the one
// before: combining accents, the voice marks of kana, Korean letters.
func composes(s string) bool {
	switch b := s[0]; {
	case b < 0xCC:
		return false
	case b == 0xCC || b == 0xCD:
		return true
	case b == 0xE1 && len(s) > 1:
		return s[1] >= 0x84 && s[1] <= 0x87
	case b == 0xE3 && len(s) > 2:
		return s[1] == 0x82 && (s[2] == 0x99 || s[2] == 0x9A)
	case b == 0xEF && len(s) > 2:
		return s[1] == 0xBE && (s[2] == 0x9E || s[2] == 0x9F)
	}
	return false
}

func asciiClass(r rune) class {
	switch {
	case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
		return classWord
	case r == '\'' || r == '`':
		return classApostrophe
	case r == '-':
		return classHyphen
	case r == '.':
		return classDot
	case r == ',':
		return classComma
	case r == '&' || r == '_':
		return classJoin
	case r == '+':
		return classPlus
	case r == '#':
		return classHash
	}
	return classOther
}

func classOf(r rune) class {
	switch r {
	case '’', '‘', 'ʼ', '´', '′', 'ʹ', '‛':
		return classApostrophe
	case '‐', '‑':
		return classHyphen
	}
	switch {
	case language.IsHan(r) || language.IsKana(r) || language.IsHangul(r):
		return classPair
	case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r) && !invisible(r):
		if r >= 0x0E00 && r <= 0x0EFF || r >= 0x1000 && r <= 0x109F || r >= 0x1780 && r <= 0x17FF {
			return classPair // Thai and Lao, Burmese, Khmer
		}
		return classWord
	case emoji(r):
		return classEmoji
	}
	return classOther
}

// emoji tells of pictographs. A family or a flag is its parts, in order of
// writing; skin tones are left out.
func emoji(r rune) bool {
	return r >= 0x1F1E6 && r <= 0x1FAFF && !skinTone(r) || r >= 0x2600 && r <= 0x27BF && unicode.Is(unicode.So, r) ||
		r >= 0x2B00 && r <= 0x2BFF && unicode.Is(unicode.So, r)
}

func skinTone(r rune) bool { return r >= 0x1F3FB && r <= 0x1F3FF }

// invisible tells of runes that a reader does not see and must not split a word.
func invisible(r rune) bool {
	switch r {
	case 0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x200E, 0x200F, 0x20E3:
		return true
	}
	return r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0020 && r <= 0xE01EF || skinTone(r)
}

// plain takes the accents off a folded word: perché is perche, ё is е, ß is ss.
// Marks stay in scripts that write vowels with them.
func plain(word string) string {
	ascii := true
	for i := 0; i < len(word); i++ {
		if word[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		return word
	}
	var b strings.Builder
	b.Grow(len(word))
	for _, r := range word {
		plainRune(&b, r)
	}
	return b.String()
}

// withoutMarks takes the accents off a letter.
func withoutMarks(r rune) string {
	var b strings.Builder
	for _, d := range norm.NFD.String(string(r)) {
		if !unicode.Is(unicode.Mn, d) {
			b.WriteRune(d)
		}
	}
	return b.String()
}

// unmarked is what withoutMarks returns for À and the letters that follow it:
// pinyin and most of Europe.
var unmarked = func() (list [0x250 - 0xC0]string) {
	for i := range list {
		list[i] = withoutMarks(rune(0xC0 + i))
	}
	return list
}()

func plainRune(b *strings.Builder, r rune) {
	if s, ok := letters[r]; ok {
		b.WriteString(s)
		return
	}
	switch {
	case r < 0xC0:
		b.WriteRune(r)
	case r >= 0x400 && r <= 0x52F:
		b.WriteRune(r) // й and ї are letters, not accents
	case r < 0x250:
		b.WriteString(unmarked[r-0xC0])
	case r >= 0x1E00 && r <= 0x1FFF || r >= 0x370 && r <= 0x3FF || r >= 0x5D0 && r <= 0x6FF:
		b.WriteString(withoutMarks(r))
	case r >= 0x300 && r <= 0x36F || r >= 0x591 && r <= 0x5C7 || r == 0x640:
		// accents that stand alone (Russian stress), Hebrew points, Arabic kashida
	default:
		b.WriteRune(r)
	}
}

// letters are those that do not come apart into a letter and an accent.
var letters = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d", 'þ': "th", 'ł': "l", 'ı': "i", 'ŋ': "n", 'ħ': "h",
	'ё': "е", 'ѐ': "е", 'ѝ': "и", 'ى': "ي", 'ة': "ه", 'ک': "ك", 'ی': "ي",
}
