package index

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// keys are the operators in other languages than English.
func keys() map[string]string {
	return map[string]string{
		"lingua": "lang", "language": "lang", "语言": "lang", "語言": "lang",
		"etichetta": "tag", "tags": "tag", "标签": "tag", "標籤": "tag", "标籤": "tag",
		"autore": "author", "autrice": "author", "作者": "author",
		"fonte": "source", "来源": "source", "來源": "source",
		"dopo": "after", "之后": "after", "之後": "after", "晚于": "after", "晚於": "after",
		"prima": "before", "之前": "before", "早于": "before", "早於": "before",
	}
}

// languageNames are languages as readers name them.
func languageNames() map[string]string {
	return map[string]string{
		"english": "en", "inglese": "en", "英语": "en", "英語": "en", "英文": "en",
		"italian": "it", "italiano": "it", "意大利语": "it", "意大利文": "it", "意大利語": "it", "義大利語": "it", "義大利文": "it",
		"chinese": "zh", "cinese": "zh", "中文": "zh", "汉语": "zh", "漢語": "zh",
		"简体": "zh-Hans", "简体中文": "zh-Hans", "簡體": "zh-Hans", "簡體中文": "zh-Hans",
		"繁体": "zh-Hant", "繁体中文": "zh-Hant", "繁體": "zh-Hant", "繁體中文": "zh-Hant", "正體中文": "zh-Hant",
		"german": "de", "tedesco": "de", "德语": "de", "德語": "de", "french": "fr", "francese": "fr", "法语": "fr", "法語": "fr",
		"spanish": "es", "spagnolo": "es", "西班牙语": "es", "西班牙語": "es", "japanese": "ja", "giapponese": "ja", "日语": "ja", "日語": "ja", "日文": "ja",
	}
}

// canonicalTag writes a language tag as articles have it: zh-Hans, en-GB.
func canonicalTag(tag string) string {
	parts := strings.Split(strings.ToLower(strings.ReplaceAll(tag, "_", "-")), "-")
	for i, part := range parts[1:] {
		switch len(part) {
		case 2:
			parts[i+1] = strings.ToUpper(part)
		case 4:
			parts[i+1] = strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return strings.Join(parts, "-")
}

// Words are those of Text that are in no phrase.
func (p Parsed) Words() string {
	text := " " + p.Text + " "
	for _, phrase := range slices.Backward(p.Phrases) { // String writes them last
		if i := strings.LastIndex(text, " "+phrase+" "); i >= 0 {
			text = text[:i] + " " + text[i+len(phrase)+2:]
		}
	}
	return strings.TrimSpace(text)
}

// onlyNot tells of a query that says nothing but what to leave out.
func (p Parsed) onlyNot() bool {
	rest := p
	rest.Not = nil
	return len(p.Not) > 0 && p.Text == "" && !rest.Filtered()
}

// String writes a query that ParseQuery reads as p: operators in English and in
// one order, so that the same query is always written the same way. A query with
// a quotation mark that does not close need not be read as it was.
func (p Parsed) String() string {
	var parts []string
	if words := p.Words(); words != "" {
		parts = append(parts, words)
	} else if p.onlyNot() {
		parts = append(parts, "*") // without it, what is left out would be looked for
	}
	for _, phrase := range p.Phrases {
		parts = append(parts, inQuotes(phrase))
	}
	for _, word := range p.Not {
		if strings.ContainsFunc(word, unicode.IsSpace) || !excludable(word) {
			word = inQuotes(word)
		}
		parts = append(parts, "-"+word)
	}
	for _, operator := range []struct {
		key    string
		values []string
	}{{"tag", p.Tags}, {"author", p.Authors}, {"source", p.Sources}, {"lang", p.Langs}, {"after", dateOf(p.After)}, {"before", dateOf(p.Before)}} {
		for _, value := range slices.Compact(slices.Sorted(slices.Values(operator.values))) {
			parts = append(parts, operator.key+":"+quotedName(value))
		}
	}
	return strings.Join(parts, " ")
}

// quotedName writes a name as the value of an operator.
func quotedName(name string) string {
	first, _ := utf8.DecodeRuneInString(name)
	if _, _, ok := quoted(inQuotes(name)); ok && (strings.ContainsFunc(name, unicode.IsSpace) || quotes[first] != 0) {
		return inQuotes(name)
	}
	return name
}

// inQuotes writes a phrase between marks that it has not got itself.
func inQuotes(phrase string) string {
	for _, pair := range []string{`""`, "“”", "«»"} {
		if marks := []rune(pair); !strings.ContainsRune(phrase, marks[1]) {
			return string(marks[0]) + phrase + string(marks[1])
		}
	}
	return `"` + strings.ReplaceAll(phrase, `"`, "") + `"`
}

func dateOf(t time.Time) []string {
	if t.IsZero() {
		return nil
	}
	return []string{t.Format(time.DateOnly)}
}
