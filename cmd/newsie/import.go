package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"newsie/content"
	"newsie/content/ingest"
)

func importCommand(p *program) *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use:   "import PATH|URL...",
		Short: "Bring in articles from files, folders, feeds and pages",
		Long: `Import reads files and folders (text dumps, Markdown, HTML, RSS, Atom and JSON
feeds) and http(s) addresses. What came in before and did not change is left
alone. Files that cannot be read are named with the reason, the rest is still
imported, and the exit status is 1.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("say what to import: PATH or URL, one or more")
			}
			for _, arg := range args {
				if scheme, _, found := strings.Cut(arg, "://"); found && scheme != "http" && scheme != "https" {
					return fmt.Errorf("%s: only http and https addresses, files and folders can be imported", arg)
				}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			config, err := p.config()
			if err != nil {
				return err
			}
			return p.importAll(cmd.Context(), config, args, dryRun)
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "show what would be imported, keep nothing")
	return c
}

func (p *program) importAll(ctx context.Context, config Config, paths []string, dryRun bool) (err error) {
	if dryRun && config.Database == "" {
		if _, err := os.Stat(config.databaseAddress()); errors.Is(err, fs.ErrNotExist) {
			if config.Data, err = os.MkdirTemp("", "newsie-dry-run-"); err != nil {
				return err
			}
			defer func() { err = errors.Join(err, os.RemoveAll(config.Data)) }()
		}
	}
	in, err := p.openDatabase(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	start := time.Now()
	show := newProgress(p.stderr)
	result, err := in.ingester().Import(ctx, paths, ingest.Options{DryRun: dryRun, Progress: show.step})
	show.end()
	for _, warning := range result.Warnings {
		_, _ = fmt.Fprintln(p.stderr, "warning:", warning)
	}
	for _, refusal := range result.Refused {
		_, _ = fmt.Fprintf(p.stderr, "refused: %s: %s\n", refusal.Path, refusal.Reason)
	}
	for i, duplicate := range result.Duplicates {
		if i == shown {
			_, _ = fmt.Fprintf(p.stderr, "warning: … and %d more duplicates\n", len(result.Duplicates)-i)
			break
		}
		_, _ = fmt.Fprintf(p.stderr, "warning: left out: %s: %s\n", duplicate.Path, duplicate.Reason)
	}
	if err != nil {
		return err
	}
	verb := "Imported"
	if dryRun {
		verb = "Would import"
		for _, a := range result.Articles {
			_, _ = fmt.Fprintf(p.stdout, "%-9s %-9s %-8s %s  (%s)\n", a.Change, a.State, a.Lang, a.Title, a.Path)
		}
	} else if err := in.index(ctx, p.stderr); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(p.stdout, "%s %d new, %d updated, %d unchanged, %d refused in %.1f s.\n",
		verb, result.Added, result.Updated, result.Unchanged, len(result.Refused), time.Since(start).Seconds())
	p.afterwards(result)
	if len(result.Refused) > 0 {
		return errReported
	}
	return nil
}

// shown is how many of a long list are named.
const shown = 10

// afterwards says what else the publisher should know of an import.
func (p *program) afterwards(result ingest.Result) {
	if n := result.Moved; n > 0 {
		_, _ = fmt.Fprintf(p.stdout, "%s moved to another file name.\n", number(n, "article"))
	}
	if n := len(result.Duplicates); n > 0 {
		_, _ = fmt.Fprintf(p.stdout, "%s of articles that are in already.\n", number(n, "duplicate"))
	}
	if len(result.Missing) == 0 {
		return
	}
	ids := make([]string, len(result.Missing))
	for i, a := range result.Missing {
		ids[i] = strconv.FormatInt(a.ID, 10)
	}
	few := strings.Join(ids[:min(shown, len(ids))], " ")
	if len(ids) > shown {
		few += " …"
	}
	_, _ = fmt.Fprintf(p.stdout, "%s of these folders without a file any more; readers still see them. To take them back: newsie article withdraw %s\n",
		number(len(ids), "article"), few)
}

// index brings the index up to what was imported, unless a serving process
// does so already.
func (in *installation) index(ctx context.Context, stderr io.Writer) error {
	err := in.openLibrary()
	if errors.Is(err, errInUse) {
		in.awaitIndex(ctx)
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := in.library.Follow(ctx); err != nil && ctx.Err() == nil {
		_, _ = fmt.Fprintln(stderr, "warning: the articles are kept, but the index is not up to date yet:", err)
	}
	return nil
}

// awaitIndex waits a while until readers of the serving process find what was
// imported.
func (in *installation) awaitIndex(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		var lag int64
		if ok, err := ask(ctx, in.config.Data, "/lag", nil, &lag); !ok || err != nil || lag == 0 {
			return // it will follow by itself in any case
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// progress is a bar on a terminal, and nothing elsewhere.
type progress struct {
	w   io.Writer
	tty bool
	bar *progressbar.ProgressBar

	what, unit string // "importing", "files"
}

func newProgress(w io.Writer) *progress {
	f, ok := w.(*os.File)
	if !ok {
		return &progress{}
	}
	info, err := f.Stat()
	return &progress{w: w, tty: err == nil && info.Mode()&os.ModeCharDevice != 0, what: "importing", unit: "files"}
}

func (s *progress) step(done, total int, _ string) {
	if !s.tty || total < 2 {
		return
	}
	if s.bar == nil {
		s.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(s.w), progressbar.OptionShowCount(),
			progressbar.OptionShowIts(), progressbar.OptionSetItsString(s.unit), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(), progressbar.OptionSetDescription(s.what))
	}
	s.bar.ChangeMax(total)
	_ = s.bar.Set(done)
}

func (s *progress) end() {
	if s.bar != nil {
		_ = s.bar.Finish()
	}
}

var _ ingest.Library = (*content.Library)(nil)
