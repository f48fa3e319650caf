package bot

import (
	"context"
	"strconv"
)

// A Suggestion is what a reader may mean who has typed something: an action
// that says it, a tag with the number of its articles, or an article.
type Suggestion struct {
	Action
	Articles int // of a tag; 0 for an article
}

// Suggest offers up to n continuations of what a reader of a channel has typed
// so far, in the order in which they are to be shown. lang is the reader's.
func (b *Bot) Suggest(ctx context.Context, channel, prefix, lang string, n int) ([]Suggestion, error) {
	found, err := b.library.Suggest(ctx, prefix, lang, b.channels[channel].Filter, n)
	if err != nil {
		return nil, err
	}
	list := make([]Suggestion, 0, len(found))
	for _, f := range found {
		s := Suggestion{Action: Action{Label: f.Text, Text: "/search " + f.Text}, Articles: f.Articles}
		if f.Article != 0 {
			s.Text = "/read " + strconv.FormatInt(f.Article, 10)
		}
		list = append(list, s)
	}
	return list, nil
}
