package main

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"newsie/bot/wechat"
)

// A MenuConfig is what stands under menu: a list of buttons, or the word off.
type MenuConfig struct {
	Off     bool
	Buttons []wechat.Button
}

// UnmarshalText reads what a variable can say.
func (m *MenuConfig) UnmarshalText(text []byte) error {
	if string(text) != "off" {
		return fmt.Errorf("%q is not off; a list of buttons stands in the file", text)
	}
	*m = MenuConfig{Off: true}
	return nil
}

// UnmarshalYAML reads off, or the buttons. It reports every mistake: the
// decoder's own would be the first only, and not know of keys that do not exist.
func (m *MenuConfig) UnmarshalYAML(node *yaml.Node) error {
	node = resolved(node)
	if node.Kind == yaml.ScalarNode && node.Value == "off" {
		*m = MenuConfig{Off: true}
		return nil
	}
	if node.Kind != yaml.SequenceNode {
		*m = MenuConfig{Off: true} // said once is enough
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: menu is off, or a list of buttons with name and say, url or items", node.Line)}}
	}
	var errors []string
	m.Buttons = buttons(node, &errors)
	if len(errors) > 0 {
		return &yaml.TypeError{Errors: errors}
	}
	return nil
}

func resolved(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

func buttons(list *yaml.Node, errors *[]string) []wechat.Button {
	wrong := func(node *yaml.Node, format string, args ...any) {
		*errors = append(*errors, fmt.Sprintf("line %d: ", node.Line)+fmt.Sprintf(format, args...))
	}
	made := []wechat.Button{}
	for _, node := range list.Content {
		node = resolved(node)
		if node.Kind != yaml.MappingNode {
			wrong(node, "is no button with name and say, url or items")
			continue
		}
		var b wechat.Button
		seen := map[string]bool{}
		texts := map[string]*string{"name": &b.Name, "say": &b.Say, "url": &b.URL}
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i], resolved(node.Content[i+1])
			switch text := texts[key.Value]; {
			case seen[key.Value]:
				wrong(key, "%s is said twice", key.Value)
			case text != nil && value.Kind == yaml.ScalarNode && value.Tag != "!!null":
				*text = value.Value
			case text != nil:
				wrong(value, "%s is not a text", key.Value)
			case key.Value == "items" && value.Kind == yaml.SequenceNode:
				b.Items = buttons(value, errors)
			case key.Value == "items":
				wrong(value, "items is not a list of buttons")
			default:
				wrong(key, "field %s not found in type button", key.Value)
			}
			seen[key.Value] = true
		}
		made = append(made, b)
	}
	return made
}

// check tells what WeChat would refuse; m may be nil.
func (m *MenuConfig) check(k *checker, channel, kind string) {
	if m == nil {
		return
	}
	key := channel + ".menu"
	if kind != "wechat" {
		k.add(key, "only a WeChat account has one")
		return
	}
	if m.Off {
		return
	}
	for _, problem := range wechat.CheckMenu(m.Buttons) {
		at := []string{key}
		for i, n := range problem.At {
			if i > 0 {
				at = append(at, "items")
			}
			at = append(at, fmt.Sprint(n+1))
		}
		if problem.Key != "" {
			at = append(at, problem.Key)
		}
		k.add(strings.Join(at, "."), "%s", problem.What)
	}
}
