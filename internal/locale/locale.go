// Package locale holds the words newsie says to readers, in every catalog
// language. Catalogs are TOML files, catalog/AREA.LANG.toml, one area a package;
// a test fails when a key is missing in one of the languages.
package locale

import (
	"embed"
	"fmt"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed catalog/*.toml
var files embed.FS

// Languages are the catalog languages, the fallback first.
var tags = []language.Tag{language.English, language.SimplifiedChinese, language.TraditionalChinese, language.Italian}

// Languages lists the catalog languages as BCP 47 tags, the fallback first.
func Languages() []string { return []string{"en", "zh-Hans", "zh-Hant", "it"} }

// A Catalog holds the words of all languages. It is safe for concurrent use.
type Catalog struct {
	bundle   *i18n.Bundle
	matcher  language.Matcher
	printers map[string]Printer
}

// Load reads the catalogs that are part of the program, once.
func Load() (*Catalog, error) { return loaded() }

var loaded = sync.OnceValues(load)

func load() (*Catalog, error) {
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	entries, err := files.ReadDir("catalog")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if _, err := bundle.LoadMessageFileFS(files, "catalog/"+entry.Name()); err != nil {
			return nil, fmt.Errorf("read the catalog %s: %w", entry.Name(), err)
		}
	}
	c := &Catalog{bundle: bundle, matcher: language.NewMatcher(tags), printers: map[string]Printer{}}
	for i, name := range Languages() {
		c.printers[name] = Printer{lang: name, tag: tags[i], localizer: i18n.NewLocalizer(bundle, name)}
	}
	return c, nil
}

// Match gives the catalog language that serves a reader of the wanted ones
// best, in order of preference; "" entries are passed over.
func (c *Catalog) Match(wanted ...string) string {
	var parsed []language.Tag
	for _, w := range wanted {
		if t, err := language.Parse(w); err == nil && w != "" {
			parsed = append(parsed, t)
		}
	}
	_, i, confidence := c.matcher.Match(parsed...)
	if confidence == language.No {
		return Languages()[0]
	}
	return Languages()[i]
}

// Printer speaks the catalog language nearest to lang.
func (c *Catalog) Printer(lang string) Printer {
	if p, ok := c.printers[lang]; ok {
		return p
	}
	return c.printers[c.Match(lang)]
}

// Accept speaks the first language that the catalog has of those that a browser
// wants, which it tells in an Accept-Language header.
func (c *Catalog) Accept(header string) Printer {
	wanted, _, err := language.ParseAcceptLanguage(header)
	if err != nil {
		return c.Printer("")
	}
	for _, tag := range wanted[:min(len(wanted), 10)] {
		match := c.Match(tag.String())
		base, _ := tag.Base()
		if spoken, _ := language.Make(match).Base(); base == spoken {
			return c.Printer(match)
		}
	}
	return c.Printer("")
}

// A Printer says things in one language.
type Printer struct {
	lang      string
	tag       language.Tag
	localizer *i18n.Localizer
}

// Lang is the printer's language, one of Languages.
func (p Printer) Lang() string { return p.lang }

// T says the message called key. The arguments are pairs of a name and its
// value; a value named Count chooses the plural form. An unknown key is said
// as the key itself, so that a mistake shows and nothing breaks.
func (p Printer) T(key string, args ...any) string {
	data := make(map[string]any, len(args)/2)
	config := &i18n.LocalizeConfig{MessageID: key, TemplateData: data}
	for i := 0; i+1 < len(args); i += 2 {
		name := fmt.Sprint(args[i])
		data[name] = args[i+1]
		if name == "Count" {
			config.PluralCount = args[i+1]
		}
	}
	s, err := p.localizer.Localize(config)
	if err != nil && s == "" {
		return key
	}
	return s
}

// Date is a day as readers of the language write it; "" for the zero time.
func (p Printer) Date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	switch p.lang {
	case "zh-Hans", "zh-Hant":
		return t.Format("2006年1月2日")
	case "it":
		months := []string{"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre"}
		return strconv.Itoa(t.Day()) + " " + months[t.Month()-1] + " " + strconv.Itoa(t.Year())
	default:
		return t.Format("2 January 2006")
	}
}

// Keys lists the keys of each language, sorted: for the test of missing ones.
func Keys() (map[string][]string, error) {
	entries, err := files.ReadDir("catalog")
	if err != nil {
		return nil, err
	}
	keys := map[string][]string{}
	for _, entry := range entries {
		data, err := files.ReadFile("catalog/" + entry.Name())
		if err != nil {
			return nil, err
		}
		parsed, err := i18n.ParseMessageFileBytes(data, entry.Name(), map[string]i18n.UnmarshalFunc{"toml": toml.Unmarshal})
		if err != nil {
			return nil, fmt.Errorf("read the catalog %s: %w", entry.Name(), err)
		}
		for _, message := range parsed.Messages {
			lang := parsed.Tag.String()
			keys[lang] = append(keys[lang], message.ID)
		}
	}
	for _, list := range keys {
		sort.Strings(list)
	}
	return keys, nil
}
