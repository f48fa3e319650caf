package rules

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"newsie/content/language"
	"newsie/internal/locale"
)

// answerKeys are the keys of what is to be said.
func answerKeys() []string {
	return []string{"text", "articles", "command", "links", "buttons", "channels", "hours"}
}

// answers reads a welcome or a default: a text, or a group with the keys of a
// rule, or a list of such groups, of which the first that suits is taken.
func (p *parser) answers(name string, n *yaml.Node) []Answer {
	group := func(n *yaml.Node) bool {
		return n.Kind == yaml.MappingNode && len(n.Content) > 0 && slices.Contains(answerKeys(), n.Content[0].Value)
	}
	read := func(n *yaml.Node) Answer { return p.answer(n.Line, p.fields(n, name, answerKeys()...)) }
	switch {
	case group(n):
		return []Answer{read(n)}
	case n.Kind == yaml.SequenceNode && slices.ContainsFunc(n.Content, func(n *yaml.Node) bool { return group(resolve(n)) }):
		items, _ := p.items(n, name, maxAnswers)
		var list []Answer
		for _, item := range items {
			if item = resolve(item); item.Kind != yaml.MappingNode {
				p.wrong(item.Line, "%s: this is no group with a text", name)
				continue
			}
			list = append(list, read(item))
		}
		return list
	}
	a := Answer{Line: n.Line}
	p.texts(n, name, &a)
	return []Answer{a}
}

// answer reads what a rule says.
func (p *parser) answer(line int, f map[string]*yaml.Node) Answer {
	a := Answer{Line: line}
	a.channels = p.channels(f["channels"])
	if at := f["hours"]; at != nil {
		for _, item := range p.list(at, "hours", maxSpans) {
			s, err := parseSpan(p.word(item, "hours"))
			if err != nil {
				p.wrong(item.Line, "hours: %v", err)
			}
			a.hours = append(a.hours, s)
		}
	}
	if at := f["text"]; at != nil {
		p.texts(at, "text", &a)
	}
	if at := f["articles"]; at != nil {
		for _, item := range p.list(at, "articles", maxArticles) {
			if name := strings.TrimSpace(p.word(item, "articles")); name != "" {
				a.Articles = append(a.Articles, name)
			} else if item.Kind == yaml.ScalarNode {
				p.wrong(item.Line, "articles: the id, address, title or key is missing")
			}
		}
	}
	p.command(f, &a)
	p.links(f["links"], &a)
	p.buttons(f["buttons"], &a)
	if f["text"] == nil && f["articles"] == nil && f["command"] == nil {
		p.wrong(line, "nothing is said: give text, articles or a command")
	}
	if len(a.Links)+len(a.Buttons) > maxActions {
		p.wrong(line, "more than %d links and buttons", maxActions)
	}
	return a
}

func (p *parser) command(f map[string]*yaml.Node, a *Answer) {
	at := f["command"]
	if at == nil {
		return
	}
	a.Command = strings.TrimSpace(p.word(at, "command"))
	switch {
	case f["articles"] != nil:
		p.wrong(at.Line, "command: a rule has articles or a command, not both")
	case a.Command == "" && at.Kind == yaml.ScalarNode:
		p.wrong(at.Line, "command: is missing")
	case a.Command == "" || p.options.Command == nil:
	default:
		if known, _ := p.options.Command(a.Command); !known {
			p.wrong(at.Line, "command: %q is no command such as latest, or search tea", a.Command)
		}
	}
	p.placeholders(at.Line, "command", a.Command)
}

// texts reads one text, or a list of which one is said.
func (p *parser) texts(n *yaml.Node, name string, a *Answer) {
	if n.Kind != yaml.SequenceNode {
		if text := p.text(n, name); text != nil {
			a.Texts = append(a.Texts, text)
		}
		return
	}
	if len(n.Content) == 0 {
		p.wrong(n.Line, "%s: is missing", name)
	}
	items, _ := p.items(n, name, maxTexts)
	for _, item := range items {
		if text := p.text(resolve(item), name); text != nil {
			a.Texts = append(a.Texts, text)
		}
	}
}

// text reads a text, or one for each of some languages.
func (p *parser) text(n *yaml.Node, name string) Text {
	if n.Kind != yaml.MappingNode {
		phrase, ok := p.phrase(n, name)
		if !ok {
			return nil
		}
		return Text{phrase}
	}
	if len(n.Content) == 0 {
		p.wrong(n.Line, "%s: is missing", name)
	}
	var text Text
	p.pairs(n, name, func(lang, value *yaml.Node) {
		if !known(lang.Value) {
			p.wrong(lang.Line, "%s: %q is none of %s", name, lang.Value, strings.Join(locale.Languages(), ", "))
			return
		}
		if phrase, ok := p.phrase(value, name); ok {
			phrase.Lang = lang.Value
			text = append(text, phrase)
		}
	})
	return text
}

// known tells of languages that readers are answered in.
func known(lang string) bool {
	return slices.ContainsFunc(locale.Languages(), func(l string) bool { return lang == l || lang == language.Base(l) })
}

func (p *parser) phrase(n *yaml.Node, name string) (Phrase, bool) {
	if n.Kind != yaml.ScalarNode {
		p.wrong(n.Line, "%s: this is no text", name)
		return Phrase{}, false
	}
	text := strings.TrimSpace(p.word(n, name))
	if text == "" {
		p.wrong(n.Line, "%s: is missing", name)
		return Phrase{}, false
	}
	if length := utf8.RuneCountInString(text); length > maxText {
		p.wrong(n.Line, "%s: has %d characters, more than %d", name, length, maxText)
		return Phrase{}, false
	}
	phrase := Phrase{}
	links := findLinks(text)
	if len(links) > maxActions {
		p.wrong(n.Line, "%s: has %d links, more than %d", name, len(links), maxActions)
		return Phrase{}, false
	}
	for _, l := range links {
		p.address(n.Line, name, l.address)
	}
	phrase.Text, phrase.Links = unlinked(text, links)
	size := len(phrase.Text)
	for _, l := range phrase.Links {
		size += len(`<a href=""></a>`) + len(l.URL)
	}
	if size > maxWeChat {
		p.warn(n.Line, "%s: has %d bytes, and a message of WeChat at most %d: its readers will not see the end", name, size, maxWeChat)
	}
	p.placeholders(n.Line, name, text)
	return phrase, true
}

var placeholderRule = regexp.MustCompile(`\{[a-z_]+\}`)

func (p *parser) placeholders(line int, name, text string) {
	for _, found := range placeholderRule.FindAllString(text, 20) {
		if found != "{name}" && found != "{query}" {
			p.warn(line, "%s: %s stays as it is; only {name} and {query} are replaced", name, found)
		}
	}
}

func (p *parser) address(line int, name, address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(address) > maxURL {
		p.wrong(line, "%s: %q is no address such as https://example.org/page", name, address)
		return false
	}
	return true
}

func (p *parser) links(n *yaml.Node, a *Answer) {
	if n == nil {
		return
	}
	items, _ := p.items(n, "links", maxActions)
	for _, item := range items {
		if item = resolve(item); item.Kind != yaml.MappingNode {
			p.wrong(item.Line, "links: this is no link such as {label: Our shop, url: https://shop.example.org}")
			continue
		}
		f := p.fields(item, "a link", "label", "url")
		label, ok := p.label(item.Line, "links", f["label"])
		if f["url"] == nil {
			p.wrong(item.Line, "links: the url is missing")
			continue
		}
		address := p.word(f["url"], "links")
		p.placeholders(f["url"].Line, "links", address)
		if p.address(f["url"].Line, "links", address) && ok {
			a.Links = append(a.Links, Link{label, address})
		}
	}
}

func (p *parser) buttons(n *yaml.Node, a *Answer) {
	if n == nil {
		return
	}
	items, _ := p.items(n, "buttons", maxActions)
	for _, item := range items {
		item = resolve(item)
		label, say, ok := "", "", false
		if item.Kind == yaml.MappingNode {
			f := p.fields(item, "a button", "label", "say")
			if label, ok = p.label(item.Line, "buttons", f["label"]); f["say"] != nil {
				say = strings.TrimSpace(p.word(f["say"], "buttons"))
			} else {
				say = label
			}
		} else {
			label, ok = p.label(item.Line, "buttons", item)
			say = label
		}
		switch {
		case !ok:
		case say == "":
			p.wrong(item.Line, "buttons: what the button says is missing")
		case len(say) > maxSay:
			p.wrong(item.Line, "buttons: %q has %d bytes, more than the %d a button can carry", say, len(say), maxSay)
		default:
			a.Buttons = append(a.Buttons, Button{label, say})
		}
	}
}

func (p *parser) label(line int, name string, n *yaml.Node) (string, bool) {
	if n == nil {
		p.wrong(line, "%s: the label is missing", name)
		return "", false
	}
	label := strings.TrimSpace(p.word(n, name))
	switch {
	case n.Kind != yaml.ScalarNode:
		return "", false
	case label == "":
		p.wrong(n.Line, "%s: the label is missing", name)
		return "", false
	case utf8.RuneCountInString(label) > maxLabel:
		p.wrong(n.Line, "%s: a label has at most %d characters", name, maxLabel)
		return "", false
	}
	return label, true
}

func (p *parser) channels(n *yaml.Node) []string {
	if n == nil {
		return nil
	}
	var names []string
	for _, item := range p.list(n, "channels", maxNames) {
		name := p.word(item, "channels")
		if p.options.Channels != nil && !slices.Contains(p.options.Channels, name) {
			p.wrong(item.Line, "channels: there is no channel %q", name)
		}
		names = append(names, name)
	}
	return names
}

func parseZone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, fmt.Errorf("%q is no IANA time zone such as Asia/Shanghai", name)
	}
	return zone, nil
}
