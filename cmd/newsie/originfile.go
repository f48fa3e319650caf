package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"newsie/bot/origin"
	"newsie/content/source"
)

func originImport(p *program) *cobra.Command {
	var dryRun, skipBad, asJSON bool
	var encoding string
	c := &cobra.Command{
		Use: "import FILE.csv", Short: "Bring in a whole chain from a CSV file, or bring it up to date",
		Long: `Import reads a table of origins as a spreadsheet saves it (CSV, also with
semicolons or tabs, in UTF-8, UTF-16, GBK and other encodings); - is the standard
input. Its first line names the columns:

  name and parent, or path: "Shop 12" and "North", or "Chain/North/Shop 12"
  code                      one that is printed already; else newsie makes one
  notes, welcome, topic     texts
  article                   the number of one
  starts, ends              days, 2026-12-24, or times, 2026-12-24 18:00

The columns may be called in Chinese or Italian, too (名称, 上级; nome, genitore).
A parent's name means another line of the file before one that was there.

Lines may come in any order. One whose code or path is there already changes that
origin in the columns that the file has, so that a file can come in again after it
was edited; the same file changes nothing. Origins that the file leaves out stay.

All of it is kept or nothing: each line that is wrong is named, and a column that
there is none of. --skip-bad keeps the others, and does not read such a column.`,
		Example: "  newsie origin import chain.csv --dry-run\n  newsie origin export > chain.csv",
		Args:    one("which file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if encoding != "" && !source.Encoding(encoding) {
				return fmt.Errorf("--encoding %q is none; they are called like utf-8, gbk, big5 or windows-1252", encoding)
			}
			return p.with(cmd, func(in *installation) error {
				text, err := p.tableOf(args[0], cmp.Or(encoding, spreadsheets[in.config.Language]))
				if err != nil {
					return err
				}
				return p.importOrigins(cmd.Context(), in, text, origin.ImportOptions{DryRun: dryRun, SkipBad: skipBad}, asJSON)
			})
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "show what would change, keep nothing")
	c.Flags().BoolVar(&skipBad, "skip-bad", false, "keep the lines that are right when others are wrong")
	c.Flags().StringVar(&encoding, "encoding", "", "the file's, where newsie takes it for another: gbk, big5, windows-1252")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// spreadsheets are the encodings in which those of a publisher's language save files
// that are not Unicode, where other text is not taken for them easily.
var spreadsheets = map[string]string{"zh-Hans": "gb18030", "zh-Hant": "big5"}

// largestTable is how many bytes a file of origins may have.
const largestTable = 32 << 20

// tableOf is the text of a file.
func (p *program) tableOf(path, encoding string) (string, error) {
	in := p.stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, largestTable+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("read %s: %w", path, err)
	case len(data) > largestTable:
		return "", fmt.Errorf("%s has more than %d MB", path, largestTable>>20)
	}
	text, err := source.Decode(data, encoding)
	if errors.Is(err, source.ErrEncoding) {
		return "", fmt.Errorf("%s is in an encoding that newsie does not find out: --encoding says it (gbk, big5, windows-1252), or save it as CSV UTF-8", path)
	}
	if errors.Is(err, source.ErrBinary) && strings.HasPrefix(string(data), "PK") {
		return "", fmt.Errorf("%s is a spreadsheet of its own kind: save it as CSV UTF-8", path)
	}
	if err != nil && !errors.Is(err, source.ErrEmpty) {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return text, nil
}

// importedJSON is what became of a file, for programs.
type importedJSON struct {
	Added     int             `json:"added"`
	Updated   int             `json:"updated"`
	Unchanged int             `json:"unchanged"`
	Changes   []changeJSON    `json:"changes"`
	Wrong     []wrongLineJSON `json:"wrong"`
}

type changeJSON struct {
	Line   int      `json:"line"`
	Path   string   `json:"path"`
	Code   string   `json:"code"`
	New    bool     `json:"new"`
	Fields []string `json:"fields,omitempty"`
}

type wrongLineJSON struct {
	Line int    `json:"line"`
	What string `json:"what"`
}

func (p *program) importOrigins(ctx context.Context, in *installation, text string, options origin.ImportOptions, asJSON bool) error {
	show := newProgress(p.stderr)
	show.unit = "origins"
	options.Zone, options.Topic = in.zone(), topicOf
	options.Article = func(ctx context.Context, id int64) error {
		_, err := in.articleOf(ctx, fmt.Sprint(id))
		return err
	}
	options.Progress = func(done, total int) {
		if total >= 1000 {
			show.step(done, total, "")
		}
	}
	start := time.Now()
	done, err := in.book().Import(ctx, strings.NewReader(text), options)
	show.end()
	wrong := done.Bad
	if err != nil && !errors.As(err, &wrong) {
		return err
	}
	if asJSON {
		return errors.Join(p.printJSON(importedFor(done, wrong)), badLines(err, wrong))
	}
	for _, bad := range wrong {
		_, _ = fmt.Fprintln(p.stderr, bad)
	}
	if err != nil {
		_, _ = fmt.Fprintf(p.stderr, "Nothing is imported: %s wrong.\n", areWrong(len(wrong)))
		return errReported
	}
	p.printImported(done, options.DryRun, time.Since(start))
	return badLines(err, wrong)
}

// badLines ends the program with status 1 when lines were left out.
func badLines(err error, wrong origin.LineErrors) error {
	if err != nil || len(wrong) > 0 {
		return errReported
	}
	return nil
}

func areWrong(n int) string {
	if n == 1 {
		return "1 line is"
	}
	return fmt.Sprintf("%d lines are", n)
}

func importedFor(done origin.Imported, wrong origin.LineErrors) importedJSON {
	out := importedJSON{done.Added, done.Updated, done.Unchanged, []changeJSON{}, []wrongLineJSON{}}
	for _, c := range done.Changes {
		out.Changes = append(out.Changes, changeJSON{c.Line, c.Path, c.Code, len(c.Fields) == 0, c.Fields})
	}
	for _, bad := range wrong {
		out.Wrong = append(out.Wrong, wrongLineJSON{bad.Line, bad.What})
	}
	return out
}

func (p *program) printImported(done origin.Imported, dryRun bool, took time.Duration) {
	verb, few := "Imported", shown
	if dryRun {
		verb, few = "Would import", len(done.Changes)
	}
	for _, c := range done.Changes[:min(few, len(done.Changes))] {
		what := "new"
		if len(c.Fields) > 0 {
			what = "changed: " + strings.Join(c.Fields, ", ")
		}
		_, _ = fmt.Fprintf(p.stdout, "line %d: %s  (%s)\n", c.Line, c.Path, what)
	}
	if more := len(done.Changes) - few; more > 0 {
		_, _ = fmt.Fprintf(p.stdout, "… and %d more\n", more)
	}
	if len(done.Changes) == 0 && len(done.Bad) == 0 {
		_, _ = fmt.Fprintf(p.stdout, "Nothing changes: %s.\n", asTheyAre(done.Unchanged))
		return
	}
	_, _ = fmt.Fprintf(p.stdout, "%s %d new, %d changed, %d unchanged, %d wrong in %.1f s.\n", verb, done.Added, done.Updated, done.Unchanged, len(done.Bad), took.Seconds())
}

func asTheyAre(n int) string {
	switch n {
	case 0:
		return "the file has no origins"
	case 1:
		return "the one origin of the file is as the file says"
	}
	return fmt.Sprintf("all %d origins of the file are as the file says", n)
}

func originExport(p *program) *cobra.Command {
	return &cobra.Command{
		Use: "export [FILE.csv]", Short: "Write all origins as a CSV file that import reads",
		Long: `Export writes the origins, closed ones too, to a file that is not there yet, or
without a name to the standard output: as CSV in UTF-8 that spreadsheets open. A
cell that one would take for a formula stands behind a ', which import takes off.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("one file, not %q", args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, func(in *installation) error {
				if len(args) == 0 || slices.Contains(args, "-") {
					return in.book().Export(cmd.Context(), p.stdout, in.zone())
				}
				file, err := os.OpenFile(args[0], os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
				if errors.Is(err, os.ErrExist) {
					return fmt.Errorf("%s is there already: give another name", args[0])
				}
				if err != nil {
					return err
				}
				if err := errors.Join(in.book().Export(cmd.Context(), file, in.zone()), file.Close()); err != nil {
					return errors.Join(err, os.Remove(args[0]))
				}
				_, err = fmt.Fprintf(p.stdout, "The origins are in %s.\n", args[0])
				return err
			})
		},
	}
}
