package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"newsie/content/quality"
)

type evalOptions struct {
	sets, snippets, summaries []string // folders, files, files

	mixed, misspell, asJSON bool
	seed                    uint64
}

func evalCommand(p *program) *cobra.Command {
	var o evalOptions
	c := &cobra.Command{
		Use:   "eval DIR...",
		Short: "Measure how well questions are answered",
		Long: `Eval brings a set of texts into a temporary library, asks its questions as
readers would, and prints how well they were answered. A set is a folder in the
layout of BEIR: corpus.jsonl (_id, title, text, metadata.lang), queries.jsonl
(_id, text) and qrels/test.tsv (query-id, corpus-id, score). Make one of your
own archive to see what a change of the synonyms does.

With --snippets it asks each question of a JSONL file (query, title, text,
answer) of its text, and prints how often the sentences shown lie in the
answer. With --summaries it compares the summary of each text of a JSONL file
(text, summary) with the one given, beside the text's first sentences.

Nothing of your own library is read or changed.`,
		Example: `  newsie eval sets/shop sets/news
  newsie eval --mixed --json sets/*
  newsie eval --typos 1 sets/shop
  newsie eval --snippets questions.jsonl`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.misspell = cmd.Flags().Changed("typos")
			if err := o.arrange(args); err != nil {
				return err
			}
			return p.eval(cmd.Context(), o)
		},
	}
	flags := c.Flags()
	flags.BoolVar(&o.asJSON, "json", false, "print JSON: a list with an object for each set")
	flags.BoolVar(&o.mixed, "mixed", false, "all sets in one library, each asked its own questions")
	flags.Uint64Var(&o.seed, "typos", 0, "also ask the two rarest words of each question, misspelt by this `SEED`")
	flags.StringArrayVar(&o.snippets, "snippets", nil, "measure snippets with this `FILE.jsonl`")
	flags.StringArrayVar(&o.summaries, "summaries", nil, "measure summaries with this `FILE.jsonl`")
	return c
}

// arrange puts the arguments where they belong. What a shell makes of
// "--snippets *.jsonl" is one file for the flag and arguments for the rest.
func (o *evalOptions) arrange(args []string) error {
	switch {
	case len(o.snippets) > 0 && len(o.summaries) > 0:
		return errors.New("--snippets and --summaries are for separate runs")
	case len(o.snippets) > 0:
		o.snippets = append(o.snippets, args...)
	case len(o.summaries) > 0:
		o.summaries = append(o.summaries, args...)
	case len(args) == 0:
		return errors.New("say what to measure with: a DIR with corpus.jsonl, queries.jsonl and qrels/test.tsv, or --snippets or --summaries FILE.jsonl")
	default:
		o.sets = args
		return nil
	}
	if o.mixed || o.misspell {
		return errors.New("--mixed and --typos are for sets of questions, without --snippets and --summaries")
	}
	return nil
}

func (p *program) eval(ctx context.Context, o evalOptions) error {
	switch {
	case len(o.summaries) > 0:
		return p.evalSummaries(o)
	case len(o.snippets) > 0:
		return p.evalSnippets(ctx, o)
	}
	sets := make([]quality.Set, len(o.sets))
	for i, dir := range o.sets {
		var err error
		if sets[i], err = quality.ReadSet(dir); err != nil {
			return err
		}
	}
	groups := [][]quality.Set{sets}
	if !o.mixed {
		groups = nil
		for _, set := range sets {
			groups = append(groups, []quality.Set{set})
		}
	}
	var reports []quality.Retrieval
	for _, group := range groups {
		some, err := p.evalSets(ctx, group, o)
		if err != nil {
			return err
		}
		reports = append(reports, some...)
	}
	if o.asJSON {
		return p.printJSON(reports)
	}
	rows := [][]string{{"set", "texts", "queries", "nDCG@10", "MRR@10", "Success@5", "recall@100", "p50 ms", "p99 ms", "index MB"}}
	for _, r := range reports {
		rows = append(rows, []string{r.Set, fmt.Sprint(r.Texts), fmt.Sprint(r.Queries), thousandths(r.NDCG10), thousandths(r.MRR10),
			thousandths(r.Success5), thousandths(r.Recall100), fmt.Sprintf("%.1f", r.P50), fmt.Sprintf("%.1f", r.P99), fmt.Sprintf("%.1f", r.IndexMB)})
	}
	p.printTable(rows)
	if o.misspell {
		rows = [][]string{{"set", "queries", "two words", "one typo", "repaired", "share of the loss"}}
		for _, r := range reports {
			t := r.Typos
			if t == nil {
				continue // of a script that is not typed letter by letter
			}
			rows = append(rows, []string{r.Set, fmt.Sprint(t.Queries), thousandths(t.Clean), thousandths(t.Typo), thousandths(t.Repaired), share(t)})
		}
		_, _ = fmt.Fprintln(p.stdout)
		p.printTable(rows)
	}
	return nil
}

// share is how much of the loss was won back, if there was one.
func share(t *quality.Typos) string {
	if t.Clean <= t.Typo {
		return "–"
	}
	return fmt.Sprintf("%.1f%%", 100*t.Share)
}

// evalSets measures sets that share one library.
func (p *program) evalSets(ctx context.Context, sets []quality.Set, o evalOptions) (reports []quality.Retrieval, err error) {
	trial, err := quality.NewTrial(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, trial.Close()) }()
	for _, set := range sets {
		show := newProgress(p.stderr)
		err := trial.Add(ctx, set, func(done, total int) { show.step(done, total, set.Name) })
		show.end()
		if err != nil {
			return nil, err
		}
	}
	for _, set := range sets {
		r, err := trial.Retrieve(ctx, set)
		if err != nil {
			return nil, err
		}
		if o.misspell {
			typos, err := trial.Misspell(ctx, set, o.seed)
			switch {
			case errors.Is(err, quality.ErrNoWords):
			case err != nil:
				return nil, err
			default:
				r.Typos = &typos
			}
		}
		reports = append(reports, r)
	}
	return reports, nil
}

func (p *program) evalSnippets(ctx context.Context, o evalOptions) (err error) {
	trial, err := quality.NewTrial(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, trial.Close()) }()
	reports := []quality.Snippets{}
	rows := [][]string{{"set", "queries", "skipped", "in the answer"}}
	for _, path := range o.snippets {
		s, err := trial.ShowSnippets(ctx, path)
		if err != nil {
			return err
		}
		reports = append(reports, s)
		rows = append(rows, []string{s.Set, fmt.Sprint(s.Queries), fmt.Sprint(s.Skipped), thousandths(s.Share)})
	}
	if o.asJSON {
		return p.printJSON(reports)
	}
	p.printTable(rows)
	return nil
}

func (p *program) evalSummaries(o evalOptions) error {
	var reports []quality.SummaryReport
	for _, path := range o.summaries {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		report, err := quality.Summaries(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		report.Set = strings.TrimSuffix(filepath.Base(path), ".jsonl")
		reports = append(reports, report)
	}
	if o.asJSON {
		return p.printJSON(reports)
	}
	rows := [][]string{{"set", "texts", "", "ROUGE-1", "ROUGE-2", "ROUGE-L", "length"}}
	for _, r := range reports {
		set, items := r.Set, fmt.Sprint(r.Items)
		for _, c := range []struct {
			name  string
			score quality.SummaryScore
		}{{"summary", r.Ours}, {"lead-1", r.Lead1}, {"lead-3", r.Lead3}, {"lead", r.Lead}} {
			rows = append(rows, []string{set, items, c.name, thousandths(c.score.One), thousandths(c.score.Two), thousandths(c.score.L), fmt.Sprintf("%.1f", c.score.Length)})
			set, items = "", ""
		}
	}
	p.printTable(rows)
	return nil
}

func thousandths(x float64) string { return fmt.Sprintf("%.3f", x) }

// printTable writes rows, the first of them the head, as a Markdown table whose
// columns stand under each other.
func (p *program) printTable(rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for n, row := range rows {
		for i, cell := range row {
			_, _ = fmt.Fprintf(p.stdout, "| %-*s ", widths[i], cell)
		}
		_, _ = fmt.Fprintln(p.stdout, "|")
		if n == 0 {
			for _, w := range widths {
				_, _ = fmt.Fprintf(p.stdout, "| %s ", strings.Repeat("-", w))
			}
			_, _ = fmt.Fprintln(p.stdout, "|")
		}
	}
}
