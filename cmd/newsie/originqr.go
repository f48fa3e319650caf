package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"newsie/bot/origin"
	"newsie/internal/label"
)

// A qrOrder is what newsie origin qr is told.
type qrOrder struct {
	channel, format, article, out, font string
	sheet, temporary, noName, force     bool
	size                                float64
	grid, paper, marks                  string
	margin                              float64
}

const (
	usualPixels = 1000
	usualMM     = 60
)

func originQR(p *program) *cobra.Command {
	var o qrOrder
	c := &cobra.Command{
		Use: "qr NAME", Short: "Print the QR code of an origin, or a sheet of labels for it and all below it",
		Long: `Qr makes a picture of an origin's QR code, with its name beneath, ready for
print. NAME is a path ("Chain/North/Shop 12"), a code, or a name that only one
origin has.

With --channel the code opens that channel: the code that WeChat makes for the
account (verified service accounts), the Telegram bot, the chat in the browser.
Without it, and where there are several channels, it leads to a page that opens
the app that the reader has. A WeChat account that may make no codes gets that
page too.

With --sheet, a PDF has labels for the origin and all below it, in order. The
codes that WeChat made are kept: a sheet that was interrupted goes on where it
stopped, and printing again makes no new ones.`,
		Example: `  newsie origin qr "Chain/North/Shop 12"
  newsie origin qr "Shop 12" --channel telegram --format svg
  newsie origin qr Chain --sheet --grid 3x8 --margin 0 --marks none
  newsie origin qr Newsletter --article 3 --out - > code.png`,
		Args: one("which origin, by its path, code or name; newsie origin list shows them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.complete(cmd); err != nil {
				return err
			}
			return p.with(cmd, func(in *installation) error { return p.printCodes(cmd.Context(), in, args[0], o) })
		},
	}
	f := c.Flags()
	f.StringVar(&o.channel, "channel", "", "the channel that the code opens (default: the only one, else a page that knows all)")
	f.StringVar(&o.format, "format", "", "png, svg or pdf (default: as --out ends, else png; pdf for a sheet)")
	f.BoolVar(&o.sheet, "sheet", false, "labels for the origin and all below it, on pages of a PDF")
	f.StringVar(&o.article, "article", "", "the article, by its number or address, that is shown to who comes")
	f.StringVar(&o.out, "out", "", "the file; - is standard output (default: named after the origin)")
	f.Float64Var(&o.size, "size", 0, "how wide: in pixels for png (default 1000), in mm for svg and pdf (default 60)")
	f.StringVar(&o.font, "font", "", "a font file (TTF, OTF, TTC) for names (default: those of this machine)")
	f.BoolVar(&o.noName, "no-name", false, "print the code without name and note")
	f.BoolVar(&o.temporary, "temporary", false, "a WeChat code that lives 30 days, of which there may be any number")
	f.BoolVar(&o.force, "force", false, "overwrite the file")
	f.StringVar(&o.grid, "grid", "3x4", "labels on a page of a sheet: columns x rows")
	f.StringVar(&o.paper, "paper", "a4", "a4 or letter")
	f.StringVar(&o.marks, "marks", "ticks", "where to cut: ticks in the margin, lines around labels, none")
	f.Float64Var(&o.margin, "margin", 8, "the margin of a page, in mm")
	return c
}

// complete fills in what follows from the rest, and refuses what contradicts.
func (o *qrOrder) complete(cmd *cobra.Command) error {
	ending := strings.ToLower(strings.TrimPrefix(filepath.Ext(o.out), "."))
	if o.out == "-" {
		ending = ""
	}
	o.format = strings.ToLower(o.format)
	if o.format == "" {
		switch {
		case ending == "png" || ending == "svg" || ending == "pdf":
			o.format = ending
		case o.sheet:
			o.format = "pdf"
		default:
			o.format = "png"
		}
	}
	switch {
	case o.format != "png" && o.format != "svg" && o.format != "pdf":
		return fmt.Errorf("--format is png, svg or pdf, not %q", o.format)
	case o.sheet && o.format != "pdf":
		return fmt.Errorf("a sheet is a PDF, not %s", strings.ToUpper(o.format))
	case o.sheet && cmd.Flags().Changed("size"):
		return errors.New("labels of a sheet are as large as --grid makes them, not --size")
	case o.out == "-" && o.force:
		return errors.New("--force is for files, not for standard output")
	}
	for _, flag := range []string{"grid", "paper", "marks", "margin"} {
		if !o.sheet && cmd.Flags().Changed(flag) {
			return fmt.Errorf("--%s is for a --sheet", flag)
		}
	}
	if _, err := o.layout(""); err != nil {
		return err
	}
	if o.size == 0 {
		o.size = usualMM
		if o.format == "png" {
			o.size = usualPixels
		}
	}
	return nil
}

// layout is how a sheet looks.
func (o *qrOrder) layout(title string) (label.Sheet, error) {
	s := label.Sheet{Margin: o.margin, Marks: label.Marks(o.marks), Title: title}
	if o.margin == 0 {
		s.Margin = -1
	}
	if o.margin < 0 {
		return s, fmt.Errorf("--margin %g: a page has no less than no margin", o.margin)
	}
	columns, rows, ok := strings.Cut(strings.ToLower(o.grid), "x")
	var err, more error
	s.Columns, err = strconv.Atoi(columns)
	s.Rows, more = strconv.Atoi(rows)
	if !ok || err != nil || more != nil || s.Columns < 1 || s.Rows < 1 {
		return s, fmt.Errorf("--grid is columns x rows, such as 3x8, not %q", o.grid)
	}
	if s.Paper, ok = label.Papers()[strings.ToLower(o.paper)]; !ok {
		return s, fmt.Errorf("--paper is a4 or letter, not %q", o.paper)
	}
	return s, s.Check()
}

// printCodes finds what is to be printed, and prints it.
func (p *program) printCodes(ctx context.Context, in *installation, address string, o qrOrder) error {
	tree, err := origin.NewBook(in.db, time.Now).Tree(ctx)
	if err != nil {
		return err
	}
	top, err := tree.Find(address)
	if errors.Is(err, origin.ErrNoOrigin) {
		return fmt.Errorf("there is no origin %q; newsie origin list shows them", address)
	}
	if err != nil {
		return err
	}
	w := origin.Wanted{Channel: o.channel, Temporary: o.temporary}
	title := ""
	if o.article != "" {
		a, err := in.articleOf(ctx, o.article)
		if err != nil {
			return err
		}
		w.Article, title = a.ID, a.Title
	}
	job := &qrJob{in: in, tree: tree, order: o, wanted: w, title: tree.Path(top.ID), note: title, progress: newProgress(p.stderr)}
	target := o.out
	if target == "" {
		target = fileName(tree.Path(top.ID), o)
	}
	if err := free(target, o.force); err != nil { // before codes are made for it
		return err
	}
	list := []origin.Origin{top}
	if o.sheet {
		list = job.open(tree.Below(top.ID))
		if len(list) == 0 {
			return fmt.Errorf("%s and all below it are closed", tree.Path(top.ID))
		}
	}
	var b bytes.Buffer
	if err := job.print(ctx, &b, list); err != nil {
		return err
	}
	out := p.stdout
	if target == "-" {
		if _, err := p.stdout.Write(b.Bytes()); err != nil {
			return err
		}
		out = p.stderr
	} else if err := save(target, b.Bytes(), o.force); err != nil {
		return err
	}
	_, err = fmt.Fprint(out, job.summary(target))
	return err
}

// A qrJob is one run of newsie origin qr.
type qrJob struct {
	in       *installation
	tree     origin.Tree
	order    qrOrder
	wanted   origin.Wanted
	title    string // of a sheet
	note     string // beneath each name; "": where the origin stands
	progress *progress

	sayings []origin.Saying
	closed  int // of a sheet: left out
}

// open leaves out who nobody can come by any more.
func (j *qrJob) open(list []origin.Origin) (kept []origin.Origin) {
	now := time.Now()
	for _, o := range list {
		if !o.Ends.IsZero() && !o.Ends.After(now) {
			j.closed++
			continue
		}
		kept = append(kept, o)
	}
	return kept
}

// together is how many codes WeChat is asked for at once.
const together = 4

func (j *qrJob) print(ctx context.Context, w io.Writer, list []origin.Origin) error {
	lang := j.in.config.Language
	printer, err := label.New(label.Options{Font: j.order.font, Lang: lang})
	if err != nil {
		return err
	}
	cs, done := j.in.offline()
	defer done()
	if err := cs.connect(); err != nil {
		return err
	}
	labels := make([]label.Label, len(list))
	for i, o := range list {
		if !j.order.noName {
			labels[i].Name, labels[i].Note = o.Name, j.noteOf(o)
		}
	}
	if err := missing(printer.Check(labels)); err != nil { // before a platform makes codes for it
		return err
	}
	if err := j.ask(ctx, cs, list); err != nil {
		return err
	}
	for i, s := range j.sayings {
		labels[i].Code, labels[i].Typed = s.Text, s.Typed
	}
	return missing(j.draw(w, printer, labels))
}

// missing says what to do about a character that no font has.
func missing(err error) error {
	var character *label.MissingError
	if !errors.As(err, &character) {
		return err
	}
	return fmt.Errorf("%w\n  → install a font that has it (%s), name one with --font FILE, or print without names with --no-name", err, fontFor(character.Missing))
}

func (j *qrJob) draw(w io.Writer, printer *label.Printer, labels []label.Label) error {
	switch {
	case j.order.sheet:
		sheet, err := j.order.layout(j.title)
		if err != nil {
			return err
		}
		return printer.Sheet(w, labels, sheet)
	case j.order.format == "svg":
		return printer.SVG(w, labels[0], j.order.size)
	case j.order.format == "pdf":
		return printer.PDF(w, labels[0], j.order.size)
	}
	return printer.PNG(w, labels[0], int(j.order.size))
}

// noteOf is the line beneath an origin's name.
func (j *qrJob) noteOf(o origin.Origin) string {
	if j.note != "" {
		return j.note
	}
	return above(j.tree, o)
}

// above is where an origin stands: "Chain › North".
func above(tree origin.Tree, o origin.Origin) string {
	var names []string
	for up, ok := tree.ByID(o.Parent); ok; up, ok = tree.ByID(up.Parent) {
		names = append([]string{up.Name}, names...)
	}
	return strings.Join(names, " › ")
}

// ask finds out what the codes say, several at a time, since WeChat may have to
// make each. What it made is kept, so that whoever asks again goes on.
func (j *qrJob) ask(ctx context.Context, cs *channels, list []origin.Origin) error {
	j.sayings = make([]origin.Saying, len(list))
	j.progress.what, j.progress.unit = "codes", "codes"
	defer j.progress.end()
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(together)
	var mu sync.Mutex
	count := 0
	for i, o := range list {
		group.Go(func() error {
			if err := within.Err(); err != nil {
				return err
			}
			w := j.wanted
			w.Origin = o
			s, err := cs.says(within, w)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			count++
			j.sayings[i] = s
			j.progress.step(count, len(list), "")
			return nil
		})
	}
	err := group.Wait()
	if err != nil && count > 0 {
		return fmt.Errorf("%w\n  → %d of %d codes are ready and kept: the same command goes on from there", err, count, len(list))
	}
	return err
}

// summary says what was made, and what it opens.
func (j *qrJob) summary(target string) string {
	var b strings.Builder
	first := j.sayings[0]
	if target == "-" {
		target = "to standard output"
	}
	switch {
	case !j.order.sheet:
		fmt.Fprintf(&b, "Wrote %s: the code opens %s", target, first.Opens)
		if first.Channel != "" {
			fmt.Fprintf(&b, " (%s)", first.Text)
		}
	case first.Channel == "":
		fmt.Fprintf(&b, "Wrote %s with %s: each code leads to the reader's app by a page of its own, such as %s", target, plural(len(j.sayings), "label"), first.Text)
	default:
		fmt.Fprintf(&b, "Wrote %s with %s: the codes open %s", target, plural(len(j.sayings), "label"), first.Opens)
	}
	soonest := time.Time{}
	for _, s := range j.sayings {
		if !s.Until.IsZero() && (soonest.IsZero() || s.Until.Before(soonest)) {
			soonest = s.Until
		}
	}
	if !soonest.IsZero() {
		fmt.Fprintf(&b, ", until %s", said(soonest))
	}
	b.WriteString(".\n")
	if first.Note != "" {
		fmt.Fprintln(&b, first.Note+".")
	}
	if j.closed > 0 {
		fmt.Fprintf(&b, "Left out, since they are closed: %s.\n", plural(j.closed, "origin"))
	}
	return b.String()
}

// fileName is that of an origin's path.
func fileName(path string, o qrOrder) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r), strings.ContainsRune(`/\:*?"<>|`, r):
			return '-'
		case unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, path)
	for len(name) > 120 {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	name = strings.Trim(name, "-.")
	if name == "" {
		name = "origin"
	}
	if o.sheet {
		name += "-labels"
	}
	return name + "." + o.format
}

func errThere(path string) error {
	return fmt.Errorf("%s is there already: --force overwrites it, --out writes another", path)
}

// free refuses a file that is there.
func free(path string, force bool) error {
	if path == "-" || force {
		return nil
	}
	if _, err := os.Lstat(path); err == nil {
		return errThere(path)
	}
	return nil
}

func save(path string, data []byte, force bool) error {
	if force {
		return os.WriteFile(path, data, 0o644)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return errThere(path)
	}
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Close())
}

// fontFor names a package with a font for a character.
func fontFor(missing string) string {
	for _, r := range missing {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo):
			return "on Debian and Ubuntu: fonts-noto-cjk"
		case unicode.IsLetter(r), unicode.IsMark(r), unicode.IsDigit(r):
			return "on Debian and Ubuntu: fonts-noto-core"
		case unicode.IsSymbol(r), unicode.Is(unicode.Variation_Selector, r):
			return "with outlines; those of coloured pictures have none; on Debian and Ubuntu: fonts-symbola"
		}
	}
	return "on Debian and Ubuntu: fonts-noto-core"
}
