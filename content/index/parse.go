package index

import (
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Parsed is a query as it was typed, taken apart.
type Parsed struct {
	Text          string   // the words to look for, those of phrases among them
	Phrases       []string // must stand in the text word for word
	Not           []string // must not stand in it
	Langs         []string // any of these
	Tags          []string
	Authors       []string
	Sources       []string
	After, Before time.Time // published at or after; before
	All           bool      // a "*" stands in it
}

// Filtered tells whether the query asks for anything but words.
func (p Parsed) Filtered() bool {
	return len(p.Phrases)+len(p.Not)+len(p.Langs)+len(p.Tags)+len(p.Authors)+len(p.Sources) > 0 ||
		!p.After.IsZero() || !p.Before.IsZero()
}

// ParseQuery reads the operators that search engines have taught people:
//
//	"two words"  -word  lang:it  tag:food  author:rossi  source:"La Stampa"
//	after:2024  before:2024-06  before:2024-06-30
//
// A "*" is everything: "* -sport" leaves out what is about sport. Their keys may be Italian or Chinese words, autore:rossi or 来源：晨报, and so may
// the commoner languages of lang be. String undoes it.
// A date stands for its first moment, in UTC: after:2024 is since New Year 2024,
// before:2024 until then. What is malformed (an unknown key, a date that is
// none, a quote that does not close) is taken as words.
func ParseQuery(s string) Parsed {
	var p Parsed
	var words, not []string
	rest := s
	for {
		rest = strings.TrimLeftFunc(rest, unicode.IsSpace)
		if rest == "" {
			break
		}
		if phrase, after, ok := quoted(rest); ok {
			p.Phrases = append(p.Phrases, phrase)
			words = append(words, phrase)
			rest = after
			continue
		}
		if r, size := utf8.DecodeRuneInString(rest); (r == '-' || r == '－' || r == '−') && len(rest) > size {
			if phrase, after, ok := quoted(rest[size:]); ok {
				not = append(not, phrase)
				rest = after
				continue
			}
			if word, after := cutField(rest[size:]); excludable(word) {
				not = append(not, word)
				rest = after
				continue
			}
		}
		if key, value, after, ok := keyValue(rest); ok && p.operator(key, value) {
			rest = after
			continue
		}
		word, after := cutField(rest)
		if word == "*" || word == "＊" {
			p.All = true
		} else {
			words = append(words, word)
		}
		rest = after
	}
	switch alone := len(words) == 0 && !p.Filtered(); {
	case alone && len(not) == 0 && p.All:
		words = []string{"*"}
	case alone && len(not) > 0 && !p.All:
		// Nothing to take away from: they are words.
		words, not = not, nil
	}
	p.Text = strings.Join(words, " ")
	p.Not = not
	return p
}

// excludable tells of what may follow a minus sign: -618 and -5G leave out, -5 is
// a temperature, - a dash.
func excludable(word string) bool {
	first, size := utf8.DecodeRuneInString(word)
	return unicode.IsLetter(first) || unicode.IsDigit(first) && len(word) > size
}

// cutField splits off what comes before the next space.
func cutField(s string) (field, rest string) {
	if i := strings.IndexFunc(s, unicode.IsSpace); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// quotes pairs the marks that a phrase may stand in.
var quotes = map[rune]rune{'"': '"', '＂': '＂', '“': '”', '«': '»', '„': '“', '”': '”'}

// quoted reads a phrase at the beginning of s. It must end before a space or
// the end: Chinese sentences have quotation marks with no space around.
func quoted(s string) (phrase, rest string, ok bool) {
	open, size := utf8.DecodeRuneInString(s)
	closing := quotes[open]
	if closing == 0 {
		return "", "", false
	}
	s = s[size:]
	i := strings.IndexRune(s, closing)
	if i < 0 {
		return "", "", false
	}
	phrase, rest = strings.TrimSpace(s[:i]), s[i+utf8.RuneLen(closing):]
	if next, _ := utf8.DecodeRuneInString(rest); rest != "" && !unicode.IsSpace(next) {
		return "", "", false
	}
	return phrase, rest, named(phrase)
}

// keyValue reads "key:value", with a value that may be quoted.
func keyValue(s string) (key, value, rest string, ok bool) {
	i := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
	if i <= 0 {
		return "", "", "", false
	}
	colon, size := utf8.DecodeRuneInString(s[i:])
	if colon != ':' && colon != '：' {
		return "", "", "", false
	}
	key, s = strings.ToLower(norm.NFKC.String(s[:i])), s[i+size:]
	if value, rest, ok = quoted(s); ok {
		return key, value, rest, true
	}
	value, rest = cutField(s)
	return key, value, rest, value != ""
}

// languageTag is the shape of a BCP 47 tag.
var languageTag = regexp.MustCompile(`^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$`)

// operator applies an operator and tells whether it is one.
func (p *Parsed) operator(key, value string) bool {
	if english, ok := keys()[key]; ok {
		key = english
	}
	switch key {
	case "lang":
		if tag, ok := languageNames()[strings.ToLower(value)]; ok {
			value = tag
		}
		if !languageTag.MatchString(value) {
			return false
		}
		p.Langs = append(p.Langs, canonicalTag(value))
	case "tag":
		if !named(value) {
			return false
		}
		p.Tags = append(p.Tags, strings.TrimSpace(strings.TrimPrefix(value, "#")))
	case "author":
		if !named(value) {
			return false
		}
		p.Authors = append(p.Authors, value)
	case "source":
		if !named(value) {
			return false
		}
		p.Sources = append(p.Sources, value)
	case "before", "after":
		t, ok := parseDate(value)
		if !ok {
			return false
		}
		if key == "before" {
			p.Before = t
		} else {
			p.After = t
		}
	default:
		return false
	}
	return true
}

// named tells of what can be a name.
func named(value string) bool {
	return strings.ContainsFunc(value, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

func parseDate(s string) (time.Time, bool) {
	s = strings.NewReplacer("/", "-", ".", "-").Replace(s)
	for _, layout := range []string{"2006", "2006-1", "2006-1-2"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
