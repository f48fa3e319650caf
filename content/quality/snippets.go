package quality

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"newsie/content"
)

// A Snippets is how often the sentences shown for a question are those that
// answer it.
type Snippets struct {
	Set     string  `json:"set"`
	Queries int     `json:"queries"`
	Skipped int     `json:"skipped"` // lines without a question
	Share   float64 `json:"share"`   // of the snippets that lie in the answer
}

// An answered is one line of a file of questions with the paragraph that
// answers each.
type answered struct {
	Query  string `json:"query"`
	Title  string `json:"title"`
	Text   string `json:"text"`
	Answer string `json:"answer"` // a paragraph of Text
	Lang   string `json:"lang"`
}

// ShowSnippets brings the texts of a JSONL file in (query, title, text, answer,
// lang), asks each query of its own text and sees whether the snippet lies in
// the answer. Errors name the line.
func (t *Trial) ShowSnippets(ctx context.Context, path string) (Snippets, error) {
	set := Set{Name: strings.TrimSuffix(filepath.Base(path), ".jsonl")}
	s := Snippets{Set: set.Name}
	var items []answered
	err := eachLine(path, func(line []byte) error {
		var a answered
		if err := json.Unmarshal(line, &a); err != nil {
			return err
		}
		if !strings.Contains(plain(a.Text), plain(a.Answer)) || plain(a.Answer) == "" {
			return errors.New("the answer does not stand in the text")
		}
		if strings.TrimSpace(a.Query) == "" {
			s.Skipped++
			return nil
		}
		text := Text{ID: fmt.Sprint(len(items)), Title: a.Title, Text: a.Text}
		text.Metadata.Lang = a.Lang
		set.Texts = append(set.Texts, text)
		items = append(items, a)
		return nil
	})
	if err != nil {
		return Snippets{}, err
	}
	if len(items) == 0 {
		return Snippets{}, fmt.Errorf("%s: no lines", path)
	}
	if err := t.Add(ctx, set, nil); err != nil {
		return Snippets{}, err
	}
	s.Queries = len(items)
	for i, a := range items {
		hits, err := t.library.Show(ctx, a.Query, "", []int64{t.ids[set.Name][set.Texts[i].ID]})
		if err != nil {
			return s, err
		}
		if len(hits) == 1 && lies(hits[0], a.Answer) {
			s.Share++
		}
	}
	s.Share /= float64(len(items))
	return s, nil
}

// lies tells whether a snippet stands in the answer.
func lies(hit content.Hit, answer string) bool {
	s := plain(strings.Trim(hit.Snippet.Text, "… "))
	return s != "" && strings.Contains(plain(answer), s)
}

// plain is a text with its white space as it does not matter.
func plain(s string) string { return strings.Join(strings.Fields(s), " ") }
