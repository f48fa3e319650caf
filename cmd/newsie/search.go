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

	"newsie/bot"
	"newsie/content"
)

type searchOptions struct {
	text  string
	lang  string
	limit int
}

func (o searchOptions) values() url.Values {
	return url.Values{"text": {o.text}, "lang": {o.lang}, "limit": {strconv.Itoa(o.limit)}}
}

func searchOptionsFrom(v url.Values) searchOptions {
	limit, _ := strconv.Atoi(v.Get("limit"))
	return searchOptions{v.Get("text"), v.Get("lang"), limit}
}

// A searchReport is what `newsie search --json` prints.
type searchReport struct {
	Query     string      `json:"query"`
	Corrected string      `json:"corrected,omitempty"`
	Dropped   []string    `json:"dropped,omitempty"`
	Synonyms  []synonyms  `json:"synonyms,omitempty"` // what else was looked for
	Total     int         `json:"total"`
	TookMS    float64     `json:"took_ms"`
	Hits      []searchHit `json:"hits"`
}

// synonyms are what a word of the query also stood for.
type synonyms struct {
	Typed string   `json:"typed"`
	Also  []string `json:"also"`
}

type searchHit struct {
	ID        int64   `json:"id"`
	Title     string  `json:"title"`
	URL       string  `json:"url"`
	Lang      string  `json:"lang"`
	Published string  `json:"published"` // RFC 3339, "" when unknown
	Score     float64 `json:"score"`
	Snippet   string  `json:"snippet"`
	Also      []also  `json:"also,omitempty"` // where else the story is told

	marks []bot.Span
}

// also is another article with the same story.
type also struct {
	ID     int64  `json:"id"`
	Source string `json:"source"`
}

func searchCommand(p *program) *cobra.Command {
	var o searchOptions
	var asJSON bool
	c := &cobra.Command{
		Use:   "search WORDS...",
		Short: "Search the library as a reader would",
		Long: `Search answers as a chat does: the best articles for words of any language, with
the sentences that match. Operators narrow it, for readers in chats too:

  "green tea"            these words, in this order
  -coffee  -618          without this word
  lang:it  tag:sport     in this language, with this tag
  author:rossi  source:gazette
  before:2024  after:2023-06-30

What is no operator is looked for as words.`,
		Example: `  newsie search 微店
  newsie search '"commercio elettronico" lang:it after:2024'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.text = strings.Join(args, " ")
			if o.limit < 1 || o.limit > 1000 {
				return errors.New("--limit must be from 1 to 1000")
			}
			report, err := answerAnywhere(cmd.Context(), p, "/search", o.values(), func(in *installation, public string) (searchReport, error) {
				return search(cmd.Context(), in, public, o)
			})
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(report)
			}
			return printReport(p.stdout, report)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringVar(&o.lang, "lang", "", "the reader's language, preferred at equal merit (en, it, zh-Hans, …)")
	c.Flags().IntVar(&o.limit, "limit", 10, "how many results")
	return c
}

func search(ctx context.Context, in *installation, public string, o searchOptions) (searchReport, error) {
	results, cards, err := in.newBot(public, nil).Find(ctx, content.Query{Text: o.text, Lang: o.lang, Limit: o.limit})
	if err != nil {
		return searchReport{}, err
	}
	report := searchReport{
		Query: o.text, Corrected: results.Corrected, Dropped: results.Dropped, Total: results.Total,
		TookMS: float64(results.Took.Microseconds()) / 1000, Hits: []searchHit{},
	}
	for _, s := range results.Synonyms {
		report.Synonyms = append(report.Synonyms, synonyms{s.Typed, s.Also})
	}
	for i, hit := range results.Hits {
		found := searchHit{
			ID: hit.Article.ID, Title: hit.Article.Title, URL: cards[i].URL, Lang: hit.Article.Lang, Score: hit.Score,
			Snippet: cards[i].Snippet.Text, marks: cards[i].Snippet.Marks,
		}
		if !hit.Article.Published.IsZero() {
			found.Published = hit.Article.Published.Format(time.RFC3339)
		}
		for _, c := range hit.Article.Also {
			found.Also = append(found.Also, also{c.ID, c.Source})
		}
		report.Hits = append(report.Hits, found)
	}
	return report, nil
}

func printReport(w io.Writer, r searchReport) error {
	var b strings.Builder
	if r.Corrected != "" {
		fmt.Fprintf(&b, "Showing results for %q.\n", r.Corrected)
	}
	if len(r.Dropped) > 0 {
		fmt.Fprintf(&b, "Left out, nothing contains it: %s\n", strings.Join(r.Dropped, ", "))
	}
	for _, s := range r.Synonyms {
		fmt.Fprintf(&b, "Synonyms of %s: %s\n", s.Typed, strings.Join(s.Also, ", "))
	}
	for i, hit := range r.Hits {
		date, _, _ := strings.Cut(hit.Published, "T")
		fmt.Fprintf(&b, "%2d. %s\n    %s\n    %s\n", i+1, hit.Title, hit.Snippet, strings.Join(strings.Fields(hit.Lang+" "+date+" "+hit.URL), " · "))
		if len(hit.Also) > 0 {
			names := make([]string, len(hit.Also))
			for i, c := range hit.Also {
				names[i] = fmt.Sprintf("%s (%d)", c.Source, c.ID)
			}
			fmt.Fprintf(&b, "    also in %s\n", strings.Join(names, ", "))
		}
	}
	fmt.Fprintf(&b, "%d found in %.1f ms\n", r.Total, r.TookMS)
	_, err := io.WriteString(w, b.String())
	return err
}
