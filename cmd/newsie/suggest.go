package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"newsie/content"
)

type suggestOptions struct {
	prefix string
	lang   string
	limit  int
}

func (o suggestOptions) values() url.Values {
	return url.Values{"prefix": {o.prefix}, "lang": {o.lang}, "limit": {strconv.Itoa(o.limit)}}
}

func suggestOptionsFrom(v url.Values) suggestOptions {
	limit, _ := strconv.Atoi(v.Get("limit"))
	return suggestOptions{v.Get("prefix"), v.Get("lang"), limit}
}

// A suggestReport is what `newsie suggest --json` prints.
type suggestReport struct {
	Prefix      string       `json:"prefix"`
	TookMS      float64      `json:"took_ms"`
	Suggestions []suggestion `json:"suggestions"`
}

type suggestion struct {
	Kind     string `json:"kind"` // tag, article
	Text     string `json:"text"`
	ID       int64  `json:"id,omitempty"`       // of an article
	Articles int    `json:"articles,omitempty"` // of a tag
}

func suggestCommand(p *program) *cobra.Command {
	var o suggestOptions
	var asJSON bool
	c := &cobra.Command{
		Use:   "suggest PREFIX...",
		Short: "Show the tags and titles offered to a reader who has typed so far",
		Long: `Suggest shows what the chat in the browser offers while a reader types: tags and
titles that begin so or have a word that does, Chinese ones also by their pinyin
(weid) and its initials (wd).`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.prefix = strings.Join(args, " ")
			if o.limit < 1 || o.limit > 50 {
				return errors.New("--limit must be from 1 to 50")
			}
			report, err := answerAnywhere(cmd.Context(), p, "/suggest", o.values(), func(in *installation, _ string) (suggestReport, error) {
				return suggest(cmd.Context(), in.library, o)
			})
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(report)
			}
			return printSuggestions(p.stdout, report)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringVar(&o.lang, "lang", "", "the reader's language, whose articles come first (en, it, zh-Hans, …)")
	c.Flags().IntVar(&o.limit, "limit", 8, "how many suggestions")
	return c
}

func suggest(ctx context.Context, library *content.Library, o suggestOptions) (suggestReport, error) {
	began := time.Now()
	list, err := library.Suggest(ctx, o.prefix, o.lang, noFilter, o.limit)
	if err != nil {
		return suggestReport{}, err
	}
	report := suggestReport{Prefix: o.prefix, TookMS: float64(time.Since(began).Microseconds()) / 1000, Suggestions: []suggestion{}}
	for _, s := range list {
		kind := "article"
		if s.Article == 0 {
			kind = "tag"
		}
		report.Suggestions = append(report.Suggestions, suggestion{Kind: kind, Text: s.Text, ID: s.Article, Articles: s.Articles})
	}
	return report, nil
}

func printSuggestions(w io.Writer, r suggestReport) error {
	var b strings.Builder
	for _, s := range r.Suggestions {
		if s.Kind == "tag" {
			fmt.Fprintf(&b, "%s (tag, %s)\n", s.Text, plural(s.Articles, "article"))
		} else {
			fmt.Fprintf(&b, "%s (%d)\n", s.Text, s.ID)
		}
	}
	fmt.Fprintf(&b, "%s in %.1f ms\n", plural(len(r.Suggestions), "suggestion"), r.TookMS)
	_, err := io.WriteString(w, b.String())
	return err
}
