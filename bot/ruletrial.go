package bot

import (
	"context"
	"strings"
	"time"

	"newsie/bot/rules"
)

// By says what answers a message.
type By string

const (
	ByFirst   By = "first"   // a command that comes before all rules
	BySilence By = "silence" // nothing: these are hours of quiet
	ByRule    By = "rule"
	ByCommand By = "command"
	BySearch  By = "search" // or whatever newsie does with what is no text
)

// A Trial is what the publisher's rules make of a message.
type Trial struct {
	By       By             `json:"by"`
	Line     int            `json:"line,omitempty"`    // of the rule
	Default  int            `json:"default,omitempty"` // by search: the line of what is said when nothing is found
	Match    rules.Match    `json:"match,omitempty"`
	Keyword  string         `json:"keyword,omitempty"`
	Answer   string         `json:"answer,omitempty"` // its text
	Articles []TrialArticle `json:"articles,omitempty"`
	Command  string         `json:"command,omitempty"` // the rule's, or the one that the message is
	Links    []rules.Link   `json:"links,omitempty"`
	Buttons  []rules.Button `json:"buttons,omitempty"`
}

// A TrialArticle is one that a rule names; one without an id is missing.
type TrialArticle struct {
	Name  string `json:"name"`
	ID    int64  `json:"id,omitempty"`
	Title string `json:"title,omitempty"`
}

// TryRule tells which rule would answer a message that comes at a time, and
// what it would say. It does nothing.
func (b *Bot) TryRule(ctx context.Context, m Message, at time.Time) (Trial, error) {
	t := &turn{Message: m, channel: b.channels[m.Chat.Channel]}
	t.Text = clean(m.Text)
	c, arg, isCommand := b.command(t)
	isCommand = isCommand && t.Kind != Media
	t.Printer = b.catalog.Printer(b.speak(t, strings.TrimSuffix(t.Text, arg)))
	found, quiet := b.rulingAt(t, c, arg, isCommand, at)
	switch {
	case isCommand && c.always:
		return Trial{By: ByFirst, Command: c.name}, nil
	case quiet:
		return Trial{By: BySilence}, nil
	case found.Rule == nil && isCommand:
		return Trial{By: ByCommand, Command: c.name}, nil
	case found.Rule == nil:
		trial := Trial{By: BySearch}
		if a, ok := b.rules.Load().Default(t.Chat.Channel, at); ok && t.Kind != Media {
			trial.Default = a.Line
		}
		return trial, nil
	}
	trial := Trial{By: ByRule, Line: found.Line, Keyword: found.Keyword, Buttons: found.Buttons}
	if found.Keyword != "" {
		trial.Match = found.Match
	}
	fill := b.fill(t.Text)
	var links []Link
	trial.Answer, links = fill.phrase(found.Say(t.Printer.Lang(), m.ID))
	for _, l := range links {
		trial.Links = append(trial.Links, rules.Link{Label: trial.Answer[l.Start:l.End], URL: l.URL})
	}
	for _, l := range found.Links {
		trial.Links = append(trial.Links, rules.Link{Label: l.Label, URL: fill.addresses.Replace(l.URL)})
	}
	trial.Command = fill.words.Replace(found.Command)
	for _, name := range found.Articles {
		a, ok, err := b.named(ctx, name)
		if err != nil {
			return Trial{}, err
		}
		article := TrialArticle{Name: name}
		if ok {
			article.ID, article.Title = a.ID, a.Title
		}
		trial.Articles = append(trial.Articles, article)
	}
	return trial, nil
}
