package rules

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// resolve follows an alias (*name) to what it stands for.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// nothing tells of a key without a value.
func nothing(n *yaml.Node) bool { return n.Kind == 0 || n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// fields are the values of a group's keys. What is in doubt about the keys is
// reported.
func (p *parser) fields(n *yaml.Node, what string, keys ...string) map[string]*yaml.Node {
	fields := map[string]*yaml.Node{}
	p.pairs(n, what, func(key, value *yaml.Node) {
		if !slices.Contains(keys, key.Value) || key.Kind != yaml.ScalarNode {
			p.wrong(key.Line, "there is no key %q; %s has %s", key.Value, what, strings.Join(keys, ", "))
			return
		}
		fields[key.Value] = value
	})
	return fields
}

// pairs visits the keys of a group, each once.
func (p *parser) pairs(n *yaml.Node, what string, visit func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		p.wrong(n.Line, "%s: this is no group of keys", what)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if seen[key.Value] {
			p.wrong(key.Line, "%s: the key %q stands here a second time", what, key.Value)
			continue
		}
		seen[key.Value] = true
		visit(key, resolve(n.Content[i+1]))
	}
}

// items are the entries of a list.
func (p *parser) items(n *yaml.Node, what string, most int) ([]*yaml.Node, bool) {
	if n.Kind != yaml.SequenceNode {
		p.wrong(n.Line, "%s: this is no list", what)
		return nil, false
	}
	if len(n.Content) > most {
		p.wrong(resolve(n.Content[most]).Line, "%s: these are %d, more than %d", what, len(n.Content), most)
		return n.Content[:most], true
	}
	return n.Content, true
}

// list is a list of texts, or one text that stands for such a list.
func (p *parser) list(n *yaml.Node, what string, most int) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		return []*yaml.Node{n}
	}
	items, _ := p.items(n, what, most)
	list := make([]*yaml.Node, len(items))
	for i, item := range items {
		list[i] = resolve(item)
	}
	return list
}

// word is a text, as it was written: a year or a number is one too.
func (p *parser) word(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode {
		p.wrong(n.Line, "%s: this is no text", what)
		return ""
	}
	if nothing(n) {
		return ""
	}
	return n.Value
}
