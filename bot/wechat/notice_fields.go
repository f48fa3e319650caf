package wechat

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// A fieldKind is what the platform takes in one kind of field. Its documents
// count characters; units counts them the strict way.
type fieldKind struct {
	most  int
	holds string            // in words
	takes []string          // placeholders
	keeps func(r rune) bool // characters; nil: all
	form  *regexp.Regexp    // of the whole; nil: any
	spare string            // instead of nothing, which the platform refuses
}

var (
	momentRule = regexp.MustCompile(`^(\d{4}年\d{1,2}月\d{1,2}日|\d{4}[-/]\d{1,2}[-/]\d{1,2})?( ?\d{1,2}:\d{2}(:\d{2})?)?$`)
	hanOnly    = func(r rune) bool { return unicode.Is(unicode.Han, r) }
	ascii      = func(r rune) bool { return r >= ' ' && r < 0x7F }
	nameRune   = func(r rune) bool { return hanOnly(r) || ascii(r) }
	anyText    = []string{"name", "topic", "title", "count", "date", "text"}

	fieldKinds = map[string]fieldKind{
		"thing":            {most: 20, holds: "up to 20 characters", takes: anyText, spare: "新文章"},
		"phrase":           {most: 5, holds: "up to 5 Chinese characters", takes: []string{"name", "topic"}, keeps: hanOnly, spare: "新文章"},
		"name":             {most: 20, holds: "up to 10 Chinese characters or 20 Latin letters", takes: []string{"name", "topic"}, keeps: nameRune, spare: "newsie"},
		"const":            {most: 20, holds: "a word that the template lists"},
		"number":           {most: 32, holds: "digits", takes: []string{"count"}, form: regexp.MustCompile(`^\d+(\.\d+)?$`), spare: "0"},
		"letter":           {most: 32, holds: "letters", form: regexp.MustCompile(`^[A-Za-z]+$`)},
		"symbol":           {most: 5, holds: "up to 5 signs", form: regexp.MustCompile(`^[\pP\pS]+$`)},
		"character_string": {most: 32, holds: "up to 32 letters, digits and signs without Chinese", takes: []string{"count", "date"}, keeps: ascii, form: regexp.MustCompile(`^[ -~]+$`), spare: "-"},
		"time":             {most: 32, holds: "a time", takes: []string{"date"}, form: momentRule},
		"date":             {most: 32, holds: "a date", takes: []string{"date"}, form: momentRule},
		"amount":           {most: 12, holds: "an amount of money", form: regexp.MustCompile(`^[¥$€]?\d+(\.\d+)?元?$`)},
		"phone_number":     {most: 17, holds: "a telephone number", form: regexp.MustCompile(`^[0-9+\- ]+$`)},
		"car_number":       {most: 8, holds: "a number plate"},
		// Fields of old template messages, whose limits the platform does not tell.
		"first":   {most: 100, holds: "text", takes: anyText, spare: "新文章"},
		"keyword": {most: 100, holds: "text", takes: anyText, spare: "新文章"},
		"remark":  {most: 100, holds: "text", takes: anyText, spare: "…"},
	}

	fieldRule       = regexp.MustCompile(`^([a-z_]+?)([0-9]{0,2})$`)
	placeholderRule = regexp.MustCompile(`\{([^{}]*)\}`)
	templateRule    = regexp.MustCompile(`^[A-Za-z0-9_-]{6,128}$`)
)

const mostHanName = 10

const missingTemplate = "is missing: the template's id, from the platform's list of your templates"

// kindOf is the kind of a field such as "thing1".
func kindOf(field string) (fieldKind, string, bool) {
	m := fieldRule.FindStringSubmatch(field)
	if m == nil {
		return fieldKind{}, "", false
	}
	kind, ok := fieldKinds[m[1]]
	numbered := m[1] != "first" && m[1] != "remark"
	return kind, m[1], ok && numbered == (m[2] != "")
}

// Check finds every mistake in a form configured under key, with its template's
// id under id.
func (f Form) Check(key, id string) []FieldProblem {
	if f.Template == "" && len(f.Fields) == 0 {
		return nil
	}
	var problems []FieldProblem
	switch {
	case f.Template == "":
		problems = append(problems, FieldProblem{key + "." + id, missingTemplate})
	case !templateRule.MatchString(f.Template):
		problems = append(problems, FieldProblem{key + "." + id, fmt.Sprintf("%q is no template id: letters, digits, - and _", f.Template)})
	}
	if len(f.Fields) == 0 {
		problems = append(problems, FieldProblem{key + ".fields", "is missing: what to write into the template's fields, such as thing1: \"{title}\""})
	}
	for _, field := range slices.Sorted(maps.Keys(f.Fields)) {
		if what := checkField(field, f.Fields[field]); what != "" {
			problems = append(problems, FieldProblem{key + ".fields." + field, what})
		}
	}
	return problems
}

// checkField tells what is wrong with what a field is to say, "" if nothing.
func checkField(field, text string) string {
	kind, name, ok := kindOf(field)
	if !ok {
		return fmt.Sprintf("there is no field %q: templates have thing1, time2, number3 and the like, as the platform shows them", field)
	}
	for _, m := range placeholderRule.FindAllStringSubmatch(text, -1) {
		switch {
		case !slices.Contains(anyText, m[1]):
			return fmt.Sprintf("there is no {%s}: there are {%s}", m[1], strings.Join(anyText, "}, {"))
		case len(kind.takes) == 0:
			return fmt.Sprintf("a field of the kind %s holds %s, and no {%s}", name, kind.holds, m[1])
		case !slices.Contains(kind.takes, m[1]):
			return fmt.Sprintf("a field of the kind %s holds %s, and of the placeholders {%s}", name, kind.holds, strings.Join(kind.takes, "}, {"))
		}
	}
	literal := forLine(text)
	if literal == "" {
		return "is empty, which the platform refuses"
	}
	bare := forLine(placeholderRule.ReplaceAllString(text, ""))
	if kind.keeps != nil && strings.ContainsFunc(bare, func(r rune) bool { return !kind.keeps(r) }) {
		return fmt.Sprintf("%q: a field of the kind %s holds %s", literal, name, kind.holds)
	}
	sample := kind.replace(text, map[string]string{"count": "3", "date": "2026-11-22 09:00", "name": "新", "topic": "新", "title": "新", "text": "新"})
	if kind.form != nil && !kind.form.MatchString(forLine(sample)) {
		return fmt.Sprintf("%q: a field of the kind %s holds %s", literal, name, kind.holds)
	}
	if units(bare) > kind.most {
		return fmt.Sprintf("%q is too long: a field of the kind %s holds %s", literal, name, kind.holds)
	}
	return ""
}

func (fieldKind) replace(text string, values map[string]string) string {
	return placeholderRule.ReplaceAllStringFunc(text, func(p string) string { return values[p[1:len(p)-1]] })
}

// fill says what each field of a form says of a digest: within the limit of its
// kind, and never nothing.
func (f Form) fill(d digest) map[string]string {
	filled := map[string]string{}
	for field, text := range f.Fields {
		kind, name, _ := kindOf(field)
		values := d.values
		switch name {
		case "time":
			values = with(values, "date", d.now.Format("2006年1月2日 15:04"))
		case "date":
			values = with(values, "date", d.now.Format("2006年1月2日"))
		case "character_string":
			values = with(values, "date", d.now.Format("2006-01-02 15:04"))
		}
		// Invisible characters, such as those that join emoji, are refused too.
		value := forLine(strings.Map(only(func(r rune) bool { return !unicode.Is(unicode.C, r) }), forLine(kind.replace(text, values))))
		if kind.keeps != nil {
			value = forLine(strings.Map(only(kind.keeps), value))
		}
		if name == "name" && strings.ContainsFunc(value, hanOnly) { // one or the other
			value = crop(strings.Map(only(hanOnly), value), mostHanName)
		}
		cut := clip
		if kind.keeps != nil || kind.form != nil {
			cut = crop
		}
		if value = cut(value, kind.most); value == "" {
			value = kind.spare
		}
		filled[field] = value
	}
	return filled
}

// only is a mapping for strings.Map that keeps some characters.
func only(keeps func(rune) bool) func(rune) rune {
	return func(r rune) rune {
		if keeps(r) {
			return r
		}
		return -1
	}
}

func with(values map[string]string, key, value string) map[string]string {
	values = maps.Clone(values)
	values[key] = value
	return values
}

// units counts characters as the strictest reader of the platform's documents
// would: an emoji beyond the basic plane is two.
func units(text string) int {
	n := 0
	for _, r := range text {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// crop is the beginning of text within a limit of units, cut between characters.
func crop(text string, limit int) string {
	if units(text) <= limit {
		return text
	}
	used, end := 0, 0
	for tokens := graphemes.FromString(text); tokens.Next(); {
		if used += units(tokens.Value()); used > limit {
			break
		}
		end = tokens.End()
	}
	if end == 0 && limit > 0 { // a single pile of accents
		r, size := utf8.DecodeRuneInString(text)
		if units(string(r)) <= limit {
			end = size
		}
	}
	return strings.TrimSpace(text[:end])
}

// clip is crop with a mark where text was cut.
func clip(text string, limit int) string {
	if units(text) <= limit {
		return text
	}
	return strings.TrimRight(crop(text, limit-1), " ,;:，；：、—-") + "…"
}
