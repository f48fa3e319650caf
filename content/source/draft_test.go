package source_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/content"
	"newsie/content/source"
)

var update = flag.Bool("update", false, "write the golden files")

// Every file of testdata/dumps and testdata/files has beside it, in
// testdata/drafts, what must come out of it.
func TestDraftsOfFiles(t *testing.T) {
	for _, pattern := range []string{"testdata/dumps/*", "testdata/files/*"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %v, %d files", pattern, err, len(paths))
		}
		for _, path := range paths {
			t.Run(filepath.Base(path), func(t *testing.T) {
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				p, err := source.Parse(source.Text{Name: path, Key: "KEY", Source: "SOURCE", Data: data})
				if err != nil {
					t.Fatal(err)
				}
				got := string(p.Kind) + "\n"
				for _, d := range p.Drafts {
					got += "\n" + render(d)
				}
				golden := filepath.Join("testdata/drafts", filepath.Base(path)+".golden")
				if *update {
					if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("draft of %s (-want +got):\n%s", path, diff)
				}
			})
		}
	}
}

// render writes a draft so that a person can check it.
func render(d content.Draft) string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	line("key", d.Key)
	line("title", d.Title)
	line("url", d.URL)
	line("slug", d.Slug)
	line("author", d.Author)
	line("note", d.Note)
	line("lang", d.Lang)
	if !d.Published.IsZero() {
		line("published", d.Published.Format(time.RFC3339))
	}
	line("tags", strings.Join(d.Tags, " / "))
	line("cover", d.Cover)
	line("summary", d.Summary)
	line("previous", d.Previous)
	line("next", d.Next)
	for _, r := range d.Recommended {
		line("recommended", r.Title+" // "+r.Excerpt)
	}
	if d.Unfinished {
		line("unfinished", "true")
	}
	for _, block := range d.Body {
		fmt.Fprintf(&b, "%s%s %s", block.Kind, strings.Repeat("+", block.Level), block.Text)
		if block.URL != "" {
			fmt.Fprintf(&b, " <%s>", block.URL)
		}
		for _, m := range block.Marks {
			fmt.Fprintf(&b, " {%s %q %s}", m.Style, block.Text[m.Start:m.End], m.URL)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
