package rules

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"newsie/content/language"
)

// fold writes a text as keywords are compared: NFKC, small letters without
// accents, one Chinese script, what is invisible left out, one space between
// words and none beside Chinese and Japanese characters.
func fold(text string) string {
	b := make([]byte, 0, len(text))
	space, last := false, rune(0)
	for _, r := range norm.NFKC.String(text) {
		switch {
		case 'A' <= r && r <= 'Z':
			r |= 0x20
		case r < utf8.RuneSelf && r > ' ':
		case unicode.IsSpace(r) || r == 0:
			space = true
			continue
		case invisible(r):
			continue
		default:
			r = foldRune(r)
		}
		if space && len(b) > 0 && !dense(last) && !dense(r) {
			b = append(b, ' ')
		}
		space, last = false, r
		b = utf8.AppendRune(b, r)
	}
	return string(b)
}

func foldRune(r rune) rune {
	r = unicode.ToLower(r)
	switch {
	case r == '’' || r == '‘' || r == 'ʼ' || r == '‛':
		return '\''
	case r == 'ς':
		return 'σ'
	case r >= 0x3400:
		return language.HanKey(r)
	case r >= 0xC0 && r < 0x250 || r >= 0x1E00 && r < 0x1F00:
		var buffer [utf8.UTFMax]byte
		n := utf8.EncodeRune(buffer[:], r)
		if parts := norm.NFD.Properties(buffer[:n]).Decomposition(); len(parts) > 0 && parts[0] < utf8.RuneSelf {
			return rune(parts[0])
		}
	}
	return r
}

// invisible tells of runes that a reader does not see; a heart is the same with
// and without the mark that makes it red.
func invisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) || unicode.IsControl(r) || r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF
}

// dense tells of scripts that put no spaces between words.
func dense(r rune) bool { return language.IsHan(r) || language.IsKana(r) }

// trim finds what of a folded text is not punctuation around it; all of a text
// that is nothing else.
func trim(text string) (from, to int) {
	to = len(text)
	for from < to {
		r, n := utf8.DecodeRuneInString(text[from:to])
		if !around(r) {
			break
		}
		from += n
	}
	for to > from {
		r, n := utf8.DecodeLastRuneInString(text[from:to])
		if !around(r) {
			break
		}
		to -= n
	}
	if from == to {
		return 0, len(text)
	}
	return from, to
}

// around tells of what surrounds words without being part of them. The marks
// that are left out are: C#, @name, 100%, /help.
func around(r rune) bool {
	switch r {
	case '#', '@', '%', '&', '*', '/', '\\', '_':
		return false
	}
	return r == ' ' || unicode.IsPunct(r)
}

// key is what a keyword is known by.
func key(keyword string) string {
	text := fold(keyword)
	from, to := trim(text)
	return text[from:to]
}

// wordly tells of the letters and digits of scripts that put spaces between words.
func wordly(r rune) bool {
	return (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)) && !dense(r) && !language.IsHangul(r) && !unspaced(r)
}

// unspaced tells of Thai and Lao, Burmese, Khmer.
func unspaced(r rune) bool {
	return r >= 0x0E00 && r <= 0x0EFF || r >= 0x1000 && r <= 0x109F || r >= 0x1780 && r <= 0x17FF
}
