package main

import (
	"crypto/sha256"
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"

	"newsie/bot"
	"newsie/bot/rules"
	"newsie/internal/locale"
)

// RulesConfig is the publisher's own rules: the name of a file, or what would
// stand in it.
type RulesConfig struct {
	File string
	node *yaml.Node
}

// UnmarshalYAML takes a text for a file's name and anything else for rules,
// which are checked with the rest of the configuration.
func (r *RulesConfig) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		r.File = node.Value
		return nil
	}
	r.node = node
	return nil
}

// UnmarshalText reads what a variable says: a file's name.
func (r *RulesConfig) UnmarshalText(text []byte) error {
	r.File, r.node = string(text), nil
	return nil
}

// ruleOptions tell what the rules may refer to.
func (c Config) ruleOptions() (rules.Options, error) {
	catalog, err := locale.Load()
	if err != nil {
		return rules.Options{}, err
	}
	return rules.Options{Channels: c.channelNames(), Command: bot.Understands(catalog)}, nil
}

// namesChannels tells whether the file or a variable says which channels there
// are; without that there is one in the browser.
func (c Config) namesChannels() bool {
	for key := range c.lines {
		if key == "channels" || strings.HasPrefix(key, "channels.") {
			return true
		}
	}
	return false
}

// inlineRuleProblems are those of rules that stand in the configuration itself.
func (c Config) inlineRuleProblems() ConfigProblems {
	if c.Rules.node == nil {
		return nil
	}
	options, err := c.ruleOptions()
	if err == nil {
		_, err = rules.ParseNode(c.Rules.node, options)
	}
	return c.fileProblemsOf(err, "rules", c.path)
}

// ruleProblems are those of the file of rules.
func (c Config) ruleProblems() ConfigProblems {
	if c.Rules.File == "" {
		return nil
	}
	options, err := c.ruleOptions()
	if err == nil {
		_, err = c.readRules(options)
	}
	return c.fileProblemsOf(err, "rules", c.Rules.File)
}

// readRules reads the configured rules; nil when there are none. The error may
// be problem.Problems.
func (c Config) readRules(options rules.Options) (*rules.Set, error) {
	switch {
	case c.Rules.File != "":
		return readRuleFile(c.Rules.File, options)
	case c.Rules.node != nil:
		return rules.ParseNode(c.Rules.node, options)
	}
	return nil, nil
}

func readRuleFile(path string, options rules.Options) (*rules.Set, error) {
	data, err := readPublished(path)
	if err != nil {
		return nil, err
	}
	return rules.Parse(data, options)
}

// inlineRules finds the rules in a configuration that has changed. They are
// all of it that newsie reads again.
func inlineRules(data []byte, options rules.Options) (*rules.Set, []byte, error) {
	var config struct {
		Rules RulesConfig `yaml:"rules"`
	}
	if err := yaml.Unmarshal(data, &config); err != nil {
		return nil, nil, err
	}
	if config.Rules.File != "" {
		return nil, nil, errors.New("rules is the name of a file now, which a restart reads")
	}
	if config.Rules.node == nil {
		return &rules.Set{}, nil, nil
	}
	set, err := rules.ParseNode(config.Rules.node, options)
	if err != nil {
		return nil, nil, err
	}
	text, err := yaml.Marshal(config.Rules.node)
	return set, text, err
}

// loadRules gives the bot the configured rules, or says everything that is
// wrong with them.
func (in *installation) loadRules(b *bot.Bot) error {
	c := in.config
	if c.Rules.File == "" && c.Rules.node == nil {
		return nil
	}
	options, err := c.ruleOptions()
	if err != nil {
		return err
	}
	file := &publishedFile{name: "rules", path: c.Rules.File, log: in.log, parse: func(data []byte) (reading, error) {
		set, err := rules.Parse(data, options)
		return obeyed(b, set, data), err
	}}
	if c.Rules.File == "" {
		file.path, file.parse = c.path, func(data []byte) (reading, error) {
			set, text, err := inlineRules(data, options)
			return obeyed(b, set, text), err
		}
	}
	if err := file.begin(); err != nil {
		return c.fileProblemsOf(err, "rules", file.path)
	}
	in.published = append(in.published, file)
	return nil
}

func obeyed(b *bot.Bot, set *rules.Set, text []byte) reading {
	return reading{sum: sha256.Sum256(text), apply: func() { b.SetRules(set) }, rules: set.Rules(), warnings: set.Warnings()}
}
