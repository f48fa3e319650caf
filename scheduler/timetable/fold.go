package timetable

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// fold brings text into one form: full-width forms narrow, letters small and
// without accents. origin tells for each byte where its rune stood in text.
func fold(text string) (folded string, origin []int) {
	var b strings.Builder
	for i, r := range text {
		form := norm.NFKD.String(string(r))
		if unicode.Is(unicode.Hangul, r) {
			form = string(r)
		}
		for _, f := range form {
			switch {
			case unicode.Is(unicode.Mn, f):
				continue
			case f == '’' || f == '‘' || f == '`':
				f = '\''
			case f == '–' || f == '—' || f == '~' || f == '−':
				f = '-'
			case unicode.IsSpace(f):
				f = ' '
			}
			f = unicode.ToLower(f)
			b.WriteRune(f)
			for range utf8.RuneLen(f) {
				origin = append(origin, i)
			}
		}
	}
	return b.String(), append(origin, len(text))
}
