package sentence

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"newsie/content/language"
)

// joins tells whether two pieces of a line are one sentence. The rest is the
// line from the second piece on; adjacent pieces have no space between them.
func joins(lang, before, after, rest string, adjacent bool) bool {
	if !strings.ContainsFunc(after, wordRune) {
		return true // a closing quote, a lone exclamation mark
	}
	if !strings.ContainsFunc(before, wordRune) {
		return true // an opening quote, a dash, a bullet
	}
	next, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(after, func(r rune) bool { return opens(r) || r == '-' || r == '–' || r == '—' }))
	if unicode.IsLower(next) {
		return true // “Ciao!” disse
	}
	if bracketed(before, rest) || adjacent && goesOn(before, after) {
		return true
	}
	body := strings.TrimRightFunc(before, closes)
	if !strings.HasSuffix(body, ".") || strings.HasSuffix(body, "..") {
		return false
	}
	if len(body) < len(before) && !strings.HasSuffix(before, ")") {
		return false // the full stop stands inside of a quotation
	}
	return abbreviated(language.Base(lang), strings.TrimSuffix(body, "."), after, adjacent)
}

// bracketed tells whether a bracket is open that closes soon: (He left. Then he
// came back.)
func bracketed(before, rest string) bool {
	const far = 240 // bytes: a bracket open for longer is a mistake, or is long enough to be cut
	before, rest = before[max(0, len(before)-far):], rest[:min(len(rest), far)]
	depth := 0
	for _, r := range before {
		switch r {
		case '(', '（', '[', '［':
			depth++
		case ')', '）', ']', '］':
			depth = max(0, depth-1)
		}
	}
	if depth == 0 {
		return false
	}
	at := strings.IndexAny(rest, "()（）[]［］")
	if at < 0 {
		return false
	}
	r, _ := utf8.DecodeRuneInString(rest[at:])
	return strings.ContainsRune(")）]］", r)
}

var (
	// Japanese sentences go on from a quotation with a particle: 「暑い。」と言った。
	particle = regexp.MustCompile(`^(?:と(?:[^こてもにき]|$)|って|など|なんて|である|であっ|です|でし|で、|だ(?:と|っ|。)|を|の|は(?:[^いじる]|$)|が(?:[^ん]|$)|に(?:対|つ|は|も)|へ)`)
	// Chinese ones with who said it: “走吧。”他说。
	said = regexp.MustCompile(`^\p{Han}{0,5}(?:说|說|道|问|問|喊|称|稱|表示|指出|强调|強調|回忆|回憶)[。，,：:]`)
)

// goesOn tells whether a piece in a script without spaces goes on from the one
// before it.
func goesOn(before, after string) bool {
	first, _ := utf8.DecodeRuneInString(after)
	last, _ := utf8.DecodeLastRuneInString(before)
	quoted := unicode.In(last, unicode.Pe, unicode.Pf) || last == '"' || last == '\''
	switch {
	case language.IsHangul(first):
		return quoted // Korean particles stand right behind: “덥다.”라고
	case language.IsKana(first):
		return quoted && particle.MatchString(after) || first == 'の' || first == 'を' // which begin nothing
	case language.IsHan(first):
		return quoted && said.MatchString(after)
	}
	return false
}

// abbreviated tells whether the full stop after body belongs to its last word.
func abbreviated(lang, body, after string, adjacent bool) bool {
	at := lastWord(body)
	word := body[at:]
	if word == "" {
		return false
	}
	lower := strings.ToLower(word)
	follows := after
	if i := strings.IndexFunc(after, func(r rune) bool { return !wordRune(r) }); i >= 0 {
		follows = after[:i]
	}
	begins := language.Stopword(orEnglish(lang), strings.ToLower(follows))
	digit, _ := utf8.DecodeRuneInString(follows)
	switch {
	case isNumber(word) && word == strings.TrimSpace(body):
		return true // "1. Open the box", the number of a list
	case isNumber(word):
		return len(word) <= 2 && ordinals[lang] && !begins
	case has(abbreviations, lang, lower):
		return true
	case numbered[lower] && unicode.IsNumber(digit):
		return true
	case has(units, lang, lower):
		return !begins
	case utf8.RuneCountInString(word) > 1 && ordinals[lang] && isRoman(word):
		return !begins // Friedrich II. war
	case lists[lower] || !initials(word) || numbered[lower] && unicode.IsLower(firstRune(word)):
		return lang == "it" && lower == "es" && strings.HasSuffix(body[:at], "p. ")
	}
	before := strings.TrimRight(body[:at], " \u00a0\u202f")
	if len(before) < at && strings.HasSuffix(before, ".") {
		pair := strings.ToLower(before[lastWord(strings.TrimSuffix(before, ".")):]) + lower
		if lists[pair] { // т. д., p. m.
			return false
		}
		if has(units, lang, pair) { // н. э.
			return !begins
		}
	}
	// J. Smith and U.S. Steel, but "the U.S. The next day", "A.I.技术".
	if strings.Contains(word, ".") {
		return !begins
	}
	r := firstRune(word)
	switch {
	case utf8.RuneCountInString(word) != 1 || language.IsHan(r):
		return false
	case word == "I": // the pronoun, unless among other initials
		return strings.HasSuffix(before, ".") && initials(before[lastWord(strings.TrimSuffix(before, ".")):len(before)-1])
	}
	return !adjacent || !language.IsHan(firstRune(after)) // 方案A.结果很好.
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

func orEnglish(lang string) string {
	if lang == "" {
		return "en"
	}
	return lang
}

// lastWord returns where the last word of s begins; dots inside belong to it,
// wide characters before it do not.
func lastWord(s string) int {
	i := strings.LastIndexFunc(s, func(r rune) bool {
		return !wordRune(r) && r != '.' && r != '-' || language.IsHan(r) || language.IsKana(r)
	})
	if i < 0 {
		return 0
	}
	_, size := utf8.DecodeRuneInString(s[i:])
	return i + size
}

// initials tells whether a word is single letters with dots between: J, S.p.A, и.о.
func initials(word string) bool {
	for part := range strings.SplitSeq(word, ".") {
		if utf8.RuneCountInString(part) != 1 || !unicode.IsLetter(firstRune(part)) {
			return false
		}
	}
	return true
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func isRoman(s string) bool {
	return s != "" && strings.Trim(s, "IVXLCDM") == ""
}
