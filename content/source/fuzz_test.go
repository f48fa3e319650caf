package source_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"newsie/content"
	"newsie/content/source"
)

// seed gives a fuzz target the files that the other tests use.
func seed(f *testing.F, patterns ...string) {
	f.Helper()
	for _, pattern := range patterns {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
}

// check holds what every draft promises.
func check(t *testing.T, name string, data []byte) {
	p, err := source.Parse(source.Text{Name: name, Key: "k", Source: "s", Data: data})
	if err != nil {
		if strings.Contains(err.Error(), "gave up") {
			t.Error(err)
		}
		return
	}
	for _, d := range p.Drafts {
		if d.Title == "" || d.Key == "" || d.Source != "s" {
			t.Errorf("draft without title, key or source: %+v", d)
		}
		for _, s := range []string{d.Title, d.Note, d.Summary, content.BodyText(d.Body)} {
			if !utf8.ValidString(s) {
				t.Errorf("not UTF-8: %q", s)
			}
		}
		for _, b := range d.Body {
			checkBlock(t, b)
		}
	}
}

func checkBlock(t *testing.T, b content.Block) {
	if b.Text == "" && b.Kind != content.Picture {
		t.Errorf("empty block %+v", b)
	}
	var open []content.Mark
	for i, m := range b.Marks {
		if m.Start < 0 || m.End > len(b.Text) || m.Start >= m.End || i > 0 && m.Start < b.Marks[i-1].Start {
			t.Fatalf("mark %+v of %q", m, b.Text)
		}
		if !utf8.ValidString(b.Text[m.Start:m.End]) {
			t.Errorf("mark %+v cuts a character of %q", m, b.Text)
		}
		for len(open) > 0 && open[len(open)-1].End <= m.Start {
			open = open[:len(open)-1]
		}
		if len(open) > 0 && m.End > open[len(open)-1].End {
			t.Errorf("marks cross in %q: %+v", b.Text, b.Marks)
		}
		open = append(open, m)
	}
}

func FuzzDump(f *testing.F) {
	seed(f, "testdata/dumps/*")
	f.Fuzz(func(t *testing.T, data []byte) { check(t, "a.txt", data) })
}

func FuzzMarkdown(f *testing.F) {
	seed(f, "testdata/files/*.md")
	f.Fuzz(func(t *testing.T, data []byte) { check(t, "a.md", data) })
}

func FuzzPage(f *testing.F) {
	seed(f, "testdata/files/*.html")
	f.Fuzz(func(t *testing.T, data []byte) { check(t, "a.html", data) })
}

func FuzzFeed(f *testing.F) {
	seed(f, "testdata/files/feed.*")
	f.Fuzz(func(t *testing.T, data []byte) { check(t, "a.xml", data) })
}

func FuzzEncoding(f *testing.F) {
	seed(f, "testdata/dumps/zh-full.txt")
	for _, s := range []string{chinese, koreanT, russianT, french, "\xff\xfea\x00", "\xc4\xe3\xba\xc3", "\x82\xb1\x82\xf1", "\x1b$B"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		check(t, "a.txt", data)
	})
}
