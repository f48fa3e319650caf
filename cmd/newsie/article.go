package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/text/language"

	"newsie/content"
)

func articleCommand(p *program) *cobra.Command {
	c := &cobra.Command{Use: "article", Short: "See and manage the articles that are in", Args: subcommand, RunE: showHelp}
	c.AddCommand(articleList(p), articleShow(p), articleEdit(p),
		articleState(p, "withdraw", "Take articles back: readers see them nowhere from now on", (*content.Library).Withdraw),
		articleState(p, "restore", "Publish withdrawn articles again", (*content.Library).Restore))
	return c
}

// with opens the store of an installation for a short command.
func (p *program) with(cmd *cobra.Command, do func(in *installation) error) error {
	return p.opened(cmd, p.openExisting, do)
}

// withAny is with for commands that are of use before newsie serves the first time.
func (p *program) withAny(cmd *cobra.Command, do func(in *installation) error) error {
	return p.opened(cmd, p.openDatabase, do)
}

func (p *program) opened(cmd *cobra.Command, open func(context.Context, Config) (*installation, error), do func(in *installation) error) error {
	config, err := p.config()
	if err != nil {
		return err
	}
	in, err := open(cmd.Context(), config)
	if err != nil {
		return err
	}
	return errors.Join(do(in), in.Close())
}

func articleList(p *program) *cobra.Command {
	f := content.Filter{Copies: true}
	var state string
	var limit, offset int
	var asJSON bool
	c := &cobra.Command{Use: "list", Short: "List articles, the newest first", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		f.State = content.State(state)
		if !slices.Contains([]content.State{content.Published, content.Waiting, content.Unready, content.Withdrawn, content.Gone}, f.State) {
			return fmt.Errorf("--state %q is none of published, waiting, draft, withdrawn or gone", state)
		}
		if err := checkLimit(limit); err != nil {
			return err
		}
		if offset < 0 {
			return fmt.Errorf("--offset %d is less than 0", offset)
		}
		return p.with(cmd, func(in *installation) error {
			list, err := in.store().Latest(cmd.Context(), f, limit, offset)
			if err != nil {
				return err
			}
			if asJSON {
				shown := make([]articleJSON, len(list))
				for i, a := range list {
					shown[i] = asArticleJSON(a)
				}
				return p.printJSON(shown)
			}
			for _, a := range list {
				date := ""
				if !a.Published.IsZero() {
					date = a.Published.Format(time.DateOnly)
				}
				_, _ = fmt.Fprintf(p.stdout, "%6d  %-10s  %-7s  %-12s  %s\n", a.ID, date, a.Lang, a.Source, a.Title)
			}
			return nil
		})
	}}
	c.Flags().StringVar(&state, "state", "published", "published, waiting, draft, withdrawn or gone (its file went away)")
	c.Flags().StringSliceVar(&f.Langs, "lang", nil, "only this language")
	c.Flags().StringSliceVar(&f.Tags, "tag", nil, "only with this tag")
	c.Flags().StringSliceVar(&f.Sources, "source", nil, "only from this source")
	c.Flags().IntVar(&limit, "limit", 50, "how many")
	c.Flags().IntVar(&offset, "offset", 0, "after how many")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func articleShow(p *program) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "show ID", Short: "Show one article whole", Args: one("which article, by its number; newsie article list shows them"), RunE: func(cmd *cobra.Command, args []string) error {
		id, err := articleID(args[0])
		if err != nil {
			return err
		}
		return p.with(cmd, func(in *installation) error {
			a, err := in.store().Article(cmd.Context(), id)
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(asArticleJSON(a))
			}
			_, err = fmt.Fprint(p.stdout, articleText(a))
			return err
		})
	}}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// An edit is what the flags of "article edit" say.
type edit struct {
	title, summary, lang, author, address, tags, published string

	date    time.Time // of published
	changed func(flag string) bool
}

func articleEdit(p *program) *cobra.Command {
	var e edit
	c := &cobra.Command{
		Use: "edit ID", Short: "Change what an article says of itself", Args: one("which article, by its number; newsie article list shows them"),
		Long: "Edit changes the fields given as flags. When the article's source changes, the source overwrites the edit.",
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := articleID(args[0])
			if err != nil {
				return err
			}
			e.changed = cmd.Flags().Changed
			if err := e.check(); err != nil {
				return err
			}
			return p.with(cmd, func(in *installation) error {
				a, err := in.store().Edit(cmd.Context(), id, e.apply)
				if err == nil {
					_, err = fmt.Fprintf(p.stdout, "Article %d is changed: %s\n", a.ID, a.Title)
					if a.State == content.Waiting && e.changed("date") {
						_, err = fmt.Fprintf(p.stdout, "Readers see it from %s.\n", a.Published.Format(time.DateOnly))
					}
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&e.title, "title", "", "title")
	c.Flags().StringVar(&e.summary, "summary", "", "summary")
	c.Flags().StringVar(&e.lang, "lang", "", "language, such as it or zh-Hans")
	c.Flags().StringVar(&e.author, "author", "", "author")
	c.Flags().StringVar(&e.address, "url", "", "canonical address")
	c.Flags().StringVar(&e.tags, "tags", "", "tags, separated by commas")
	c.Flags().StringVar(&e.published, "date", "", "day of publication, such as 2026-03-01")
	return c
}

// check tells what is wrong with the flags.
func (e *edit) check() (err error) {
	if !slices.ContainsFunc([]string{"title", "summary", "lang", "author", "url", "tags", "date"}, e.changed) {
		return errors.New("say what to change: --title, --summary, --lang, --author, --url, --tags or --date")
	}
	if e.published != "" {
		if e.date, err = time.Parse(time.DateOnly, e.published); err != nil {
			return fmt.Errorf("--date %q is no day such as 2026-03-01", e.published)
		}
	}
	if e.changed("title") && strings.TrimSpace(e.title) == "" {
		return errors.New("--title must not be empty")
	}
	if e.changed("lang") {
		if e.lang, err = languageTag(e.lang); err != nil {
			return err
		}
	}
	if u, err := url.Parse(e.address); e.address != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return fmt.Errorf("--url %q is no http or https address", e.address)
	}
	return nil
}

// apply changes an article's fields.
func (e *edit) apply(a *content.Article) {
	for _, field := range []struct {
		flag, value string
		to          *string
	}{{"title", e.title, &a.Title}, {"summary", e.summary, &a.Summary}, {"lang", e.lang, &a.Lang}, {"author", e.author, &a.Author}, {"url", e.address, &a.URL}} {
		if e.changed(field.flag) {
			*field.to = field.value
		}
	}
	if e.changed("tags") {
		a.Tags = splitList(e.tags)
	}
	if e.changed("date") {
		a.Published = e.date
		a.State = dated(a.State, e.date)
	}
}

// dated is the state of an article that has another date now.
func dated(state content.State, date time.Time) content.State {
	switch future := date.After(time.Now()); {
	case state == content.Published && future:
		return content.Waiting
	case state == content.Waiting && !future:
		return content.Published
	}
	return state
}

// languageTag is a language as articles have it: Chinese with its script,
// others without.
func languageTag(s string) (string, error) {
	tag, err := language.Parse(s)
	base, confidence := tag.Base()
	if err != nil || confidence == language.No || tag == language.Und {
		return "", fmt.Errorf("--lang %q is no language such as it or zh-Hans", s)
	}
	if base.String() != "zh" {
		return base.String(), nil
	}
	if script, _ := tag.Script(); script.String() == "Hant" {
		return "zh-Hant", nil
	}
	return "zh-Hans", nil
}

func articleState(p *program, use, short string, do func(l *content.Library, ctx context.Context, id int64) error) *cobra.Command {
	return &cobra.Command{Use: use + " ID...", Short: short, Args: cobra.MinimumNArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return p.with(cmd, func(in *installation) error {
			for _, arg := range args {
				id, err := articleID(arg)
				if err != nil {
					return err
				}
				if err := do(in.store(), cmd.Context(), id); err != nil {
					return err
				}
				_, _ = fmt.Fprintf(p.stdout, "Article %d: %s done.\n", id, use)
			}
			return nil
		})
	}}
}

func articleID(arg string) (int64, error) {
	id, err := strconv.ParseInt(arg, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no article number; newsie article list shows them", arg)
	}
	return id, nil
}

// checkLimit refuses what is no number of lines.
func checkLimit(limit int) error {
	if limit < 1 {
		return fmt.Errorf("--limit %d is less than 1", limit)
	}
	return nil
}

// number is a count with its noun.
func number(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

func splitList(s string) []string {
	var list []string
	for _, part := range strings.Split(s, ",") {
		if part = strings.TrimSpace(part); part != "" && !slices.Contains(list, part) {
			list = append(list, part)
		}
	}
	return list
}

// articleJSON is an article as scripts read it.
type articleJSON struct {
	ID          int64            `json:"id"`
	State       string           `json:"state"`
	Source      string           `json:"source"`
	Key         string           `json:"key"`
	URL         string           `json:"url"`
	Title       string           `json:"title"`
	Author      string           `json:"author"`
	Note        string           `json:"note"`
	Lang        string           `json:"lang"`
	Published   string           `json:"published"`
	Tags        []string         `json:"tags"`
	Cover       string           `json:"cover"`
	Summary     string           `json:"summary"`
	Previous    string           `json:"previous"`
	Next        string           `json:"next"`
	Recommended []content.Teaser `json:"recommended"`
	Body        []content.Block  `json:"body,omitempty"`
	Hash        string           `json:"hash"`
}

func asArticleJSON(a content.Article) articleJSON {
	shown := articleJSON{
		ID: a.ID, State: string(a.State), Source: a.Source, Key: a.Key, URL: a.URL, Title: a.Title, Author: a.Author, Note: a.Note,
		Lang: a.Lang, Tags: a.Tags, Cover: a.Cover, Summary: a.Summary, Previous: a.Previous, Next: a.Next,
		Recommended: a.Recommended, Body: a.Body, Hash: a.Hash,
	}
	if !a.Published.IsZero() {
		shown.Published = a.Published.Format(time.RFC3339)
	}
	return shown
}

func articleText(a content.Article) string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-12s %s\n", name, value)
		}
	}
	line("title", a.Title)
	line("id", strconv.FormatInt(a.ID, 10))
	line("state", string(a.State))
	line("source", a.Source)
	line("key", a.Key)
	line("url", a.URL)
	line("author", a.Author)
	line("note", a.Note)
	line("language", a.Lang)
	if !a.Published.IsZero() {
		line("published", a.Published.Format(time.DateOnly))
	}
	line("tags", strings.Join(a.Tags, ", "))
	line("cover", a.Cover)
	line("summary", a.Summary)
	line("previous", a.Previous)
	line("next", a.Next)
	for _, teaser := range a.Recommended {
		line("recommended", teaser.Title+" — "+teaser.Excerpt)
	}
	for _, block := range a.Body {
		switch block.Kind {
		case content.Heading:
			fmt.Fprintf(&b, "\n%s %s\n", strings.Repeat("#", max(block.Level, 2)), block.Text)
		case content.Item:
			fmt.Fprintf(&b, "- %s\n", block.Text)
		case content.Quote:
			fmt.Fprintf(&b, "\n> %s\n", block.Text)
		case content.Picture:
			fmt.Fprintf(&b, "\n[%s] %s\n", block.Text, block.URL)
		default:
			fmt.Fprintf(&b, "\n%s\n", block.Text)
		}
	}
	return b.String()
}

func (p *program) printJSON(v any) error {
	encoder := json.NewEncoder(p.stdout)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}
