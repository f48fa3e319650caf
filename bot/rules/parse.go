package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"newsie/internal/problem"

	"go.yaml.in/yaml/v3"
)

// Bounds of a publisher's rules.
const (
	MaxFile     = 1 << 20 // bytes
	MaxRules    = 10_000
	maxKeywords = 100  // of a rule
	maxKeyword  = 60   // characters
	maxTexts    = 20   // of an answer
	maxText     = 2000 // characters
	maxWeChat   = 1800 // bytes of a message there
	maxArticles = 20   // of an answer
	maxActions  = 10   // links and buttons of an answer
	maxLabel    = 60   // characters
	maxSay      = 64   // bytes a button can carry
	maxSpans    = 20   // times of an answer
	maxProblems = 100  // reported at once
	maxAnswers  = 100  // welcomes or defaults
	maxNames    = 100  // channels of an answer
	maxURL      = 1024 // bytes
)

// A Problem is one thing that cannot be understood, or may not be meant.
type Problem = problem.Problem

// Problems are all of them at once, in the order of lines.
type Problems = problem.Problems

// Options tell what rules may refer to; the zero value checks none of it.
type Options struct {
	Channels []string                              // that exist
	Command  func(text string) (known, first bool) // whether a text is a command, and one that no rule comes before
}

// Parse reads a file of rules: YAML with welcome, default, quiet and rules, or
// only the list of rules. The error is Problems.
func Parse(data []byte, o Options) (*Set, error) {
	if len(data) > MaxFile {
		return nil, Problems{{Line: 1, What: fmt.Sprintf("the file is longer than %d MiB", MaxFile>>20)}}
	}
	if i := invalid(data); i >= 0 {
		return nil, Problems{{Line: 1 + bytes.Count(data[:i], []byte("\n")), What: "this is not UTF-8: save the file in that encoding"}}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, more yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return &Set{}, nil
		}
		return nil, Problems{Syntax(data, err)}
	}
	switch err := decoder.Decode(&more); {
	case err == nil:
		return nil, Problems{{Line: more.Line, What: "a second document begins here; a file of rules is one"}}
	case !errors.Is(err, io.EOF):
		return nil, Problems{Syntax(data, err)}
	}
	return ParseNode(&document, o)
}

// ParseNode reads rules that stand in a larger document.
func ParseNode(node *yaml.Node, o Options) (*Set, error) {
	p := parser{options: o, set: &Set{}, used: map[phrased]int{}}
	p.document(node)
	byLine := func(a, b Problem) int { return a.Line - b.Line }
	slices.SortStableFunc(p.problems, byLine)
	slices.SortStableFunc(p.set.warnings, byLine)
	if len(p.problems) > 0 {
		return nil, p.problems
	}
	p.set.compile()
	return p.set, nil
}

// invalid finds the first byte that is not UTF-8; -1 is none.
func invalid(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// compile makes what Match looks things up in.
func (s *Set) compile() {
	s.exact, s.media = map[string][]int32{}, map[string][]int32{}
	found := map[string]*keyword{}
	var order []string
	for i := range s.rules {
		r := &s.rules[i]
		for _, kind := range r.On {
			s.media[kind] = append(s.media[kind], int32(i))
		}
		for _, written := range r.Keywords {
			text := key(written)
			if r.Match == Exact {
				s.exact[text] = append(s.exact[text], int32(i))
				continue
			}
			k := found[text]
			if k == nil {
				k = new(newKeyword(text))
				found[text], order = k, append(order, text)
			}
			k.uses = append(k.uses, use{int32(i), r.Match == Prefix})
		}
	}
	keywords := make([]keyword, len(order))
	for i, text := range order {
		keywords[i] = *found[text]
	}
	if len(keywords) > 0 {
		s.within = newAutomaton(keywords)
	}
}

type parser struct {
	options  Options
	set      *Set
	problems Problems
	more     bool
	used     map[phrased]int // where a keyword was used first, by a rule that always answers
}

// phrased is a keyword and how it is compared.
type phrased struct {
	match Match
	key   string
}

func (p *parser) wrong(line int, format string, args ...any) {
	switch {
	case len(p.problems) < maxProblems:
		p.problems = append(p.problems, Problem{Line: line, What: fmt.Sprintf(format, args...)})
	case !p.more:
		p.more = true
		p.problems = append(p.problems, Problem{Line: line, What: "this line is wrong too, and maybe others after it"})
	}
}

func (p *parser) warn(line int, format string, args ...any) {
	if len(p.set.warnings) < maxProblems {
		p.set.warnings = append(p.set.warnings, Problem{Line: line, What: fmt.Sprintf(format, args...)})
	}
}

func (p *parser) document(n *yaml.Node) {
	n = resolve(n)
	if n.Kind == yaml.DocumentNode {
		if len(n.Content) == 0 {
			return
		}
		n = resolve(n.Content[0])
	}
	switch {
	case nothing(n):
	case n.Kind == yaml.SequenceNode:
		p.rules(n)
	case n.Kind == yaml.MappingNode:
		f := p.fields(n, "a file of rules", "welcome", "default", "quiet", "rules")
		if at := f["welcome"]; at != nil {
			p.set.welcome = p.answers("welcome", at)
		}
		if at := f["default"]; at != nil {
			p.set.otherwise = p.answers("default", at)
		}
		if at := f["quiet"]; at != nil {
			p.quiet(at)
		}
		if at := f["rules"]; at != nil && !nothing(at) {
			p.rules(at)
		}
	default:
		p.wrong(n.Line, "this is no list of rules")
	}
}

func (p *parser) rules(n *yaml.Node) {
	items, ok := p.items(n, "rules", MaxRules)
	if !ok {
		return
	}
	for _, item := range items {
		p.rule(resolve(item))
	}
}

func (p *parser) rule(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		p.wrong(n.Line, "this is no rule, which has keywords and what they get")
		return
	}
	f := p.fields(n, "a rule", append([]string{"keywords", "keyword", "match", "on"}, answerKeys()...)...)
	r := Rule{Match: Exact, Answer: p.answer(n.Line, f)}
	if at := f["match"]; at != nil {
		switch r.Match = Match(p.word(at, "match")); r.Match {
		case Exact, Prefix, Contains:
		default:
			p.wrong(at.Line, "match: %q is none of exact, prefix, contains", r.Match)
		}
	}
	p.on(f, &r)
	for _, name := range []string{"keywords", "keyword"} {
		if at := f[name]; at != nil {
			p.keywords(at, &r)
		}
	}
	if f["keywords"] == nil && f["keyword"] == nil && f["on"] == nil {
		p.wrong(n.Line, "keywords are missing")
	}
	p.set.rules = append(p.set.rules, r)
}

// MediaKinds are the kinds of messages that are no text.
func MediaKinds() []string { return []string{"picture", "voice", "video", "place", "sticker"} }

func (p *parser) on(f map[string]*yaml.Node, r *Rule) {
	at := f["on"]
	if at == nil {
		return
	}
	if f["keywords"] != nil || f["keyword"] != nil || f["match"] != nil {
		p.wrong(at.Line, "on: a rule is for keywords or for a kind of message, not for both")
	}
	for _, item := range p.list(at, "on", len(MediaKinds())) {
		kind := p.word(item, "on")
		if !slices.Contains(MediaKinds(), kind) {
			p.wrong(item.Line, "on: %q is none of %s", kind, strings.Join(MediaKinds(), ", "))
		}
		r.On = append(r.On, kind)
	}
}

func (p *parser) keywords(n *yaml.Node, r *Rule) {
	list := p.list(n, "keywords", maxKeywords)
	if len(list) == 0 && n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		p.wrong(n.Line, "keywords are missing")
	}
	for _, item := range list {
		word := p.word(item, "keywords")
		folded := key(word)
		switch length := utf8.RuneCountInString(folded); {
		case folded == "":
			if word != "" || item.Kind == yaml.ScalarNode {
				p.wrong(item.Line, "keywords: %q is no keyword", word)
			}
			continue
		case length > maxKeyword:
			p.wrong(item.Line, "keywords: %q… is longer than %d characters", string([]rune(word)[:20]), maxKeyword)
			continue
		}
		if slices.ContainsFunc(r.Keywords, func(k string) bool { return key(k) == folded }) {
			continue
		}
		r.Keywords = append(r.Keywords, word)
		if p.options.Command != nil {
			if _, first := p.options.Command(word); first {
				p.warn(item.Line, "keywords: no rule is asked about %q: it always ends what a reader gets, or deletes the reader's data", word)
			}
		}
		u := phrased{r.Match, folded}
		if other, ok := p.used[u]; ok {
			p.warn(item.Line, "keywords: %q is never reached here: the rule at line %d has it, and comes first", word, other)
		} else if r.always() {
			p.used[u] = r.Line
		}
	}
}

func (p *parser) quiet(n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		p.oneQuiet(n)
		return
	}
	for _, item := range p.list(n, "quiet", maxSpans) {
		p.oneQuiet(item)
	}
}

func (p *parser) oneQuiet(n *yaml.Node) {
	var q quiet
	var err error
	if n.Kind != yaml.MappingNode {
		q.span, err = parseSpan(p.word(n, "quiet"))
	} else {
		f := p.fields(n, "a quiet time", "from", "to", "days", "zone", "channels")
		get := func(name string) string {
			if f[name] == nil {
				return ""
			}
			return p.word(f[name], "quiet: "+name)
		}
		if f["from"] == nil || f["to"] == nil {
			p.wrong(n.Line, "quiet: from and to are missing, such as from: \"23:00\", to: \"07:00\"")
			return
		}
		days := ""
		if f["days"] != nil {
			for _, item := range p.list(f["days"], "quiet: days", 7) {
				days += p.word(item, "quiet: days") + ","
			}
		}
		if q.span, err = newSpan(get("from"), get("to"), days); err == nil && f["zone"] != nil {
			q.zone, err = parseZone(get("zone"))
		}
		q.channels = p.channels(f["channels"])
	}
	if err != nil {
		p.wrong(n.Line, "quiet: %v", err)
		return
	}
	p.set.quiet = append(p.set.quiet, q)
}
