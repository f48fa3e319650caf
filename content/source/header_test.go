package source_test

import (
	"errors"
	"strings"
	"testing"

	"newsie/content/source"
)

func TestWhatNamesAndHeadersSay(t *testing.T) {
	body := "\nThe water comes from a samovar at the end of the carriage. Nobody sleeps before the second glass.\n"
	for name, c := range map[string]struct {
		file, text string
		want       string // title, date, slug, author, tags, draft
		warning    string
		refused    error
	}{
		"a Jekyll name":              {"_posts/2019-07-14-night-train.md", "---\ntitle: Tea\n---\n" + body, "Tea|2019-07-14|night-train|||false", "", nil},
		"front matter before a name": {"2019-07-14-night-train.md", "---\ntitle: Tea\ndate: 2020-01-02\nslug: tea\n---\n" + body, "Tea|2020-01-02|tea|||false", "", nil},
		"a folder of drafts":         {"site/_drafts/tea.md", "---\ntitle: Tea\n---\n" + body, "Tea|0001-01-01||||true", "", nil},
		"a date nobody can read":     {"tea.md", "---\ntitle: Tea\ndate: next Tuesday\n---\n" + body, "Tea|0001-01-01||||false", `tea.md: the date "next Tuesday"`, nil},
		"front matter never closed":  {"tea.md", "---\ntitle: Tea\ndate: 2020-01-02\n" + body, "", "", source.ErrMalformed},
		"a rule opens the text":      {"tea.md", "---\nNote: it is late.\n" + body, "Note: it is late|0001-01-01||||false", "", nil},
		"front matter and no body":   {"tea.md", "---\ntitle: Tea\ndate: 2020-01-02\n---\n", "", "", source.ErrNoBody},
		"front matter and a summary": {"tea.md", "---\ntitle: Tea\nsummary: All about tea.\n---\n", "Tea|0001-01-01||||false", "", nil},
		"header lines of a text":     {"tea.txt", "Title: Tea\nDate: 2020-01-02\nAuthor: Ada Nord\nTags: travel, tea\n" + body, "Tea|2020-01-02||Ada Nord|travel,tea|false", "", nil},
		"Chinese header lines":       {"tea.txt", "标题：夜车上的茶\n日期：2020年1月2日\n作者：陈\n\n列车员十点送茶来。热水来自车厢尽头的茶炊。", "夜车上的茶|2020-01-02||陈||false", "", nil},
		"a header's date":            {"tea.txt", "Title: Tea\nDate: soon\n" + body, "Tea|0001-01-01||||false", `the date "soon"`, nil},
		"a first line with a colon":  {"tea.txt", "Author: a short history\n" + body, "Author: a short history|0001-01-01||||false", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := source.Parse(source.Text{Name: c.file, Key: "k", Source: "s", Data: []byte(c.text)})
			if !errors.Is(err, c.refused) {
				t.Fatalf("%v, want %v", err, c.refused)
			}
			if c.refused != nil {
				return
			}
			d := p.Drafts[0]
			draft := "false"
			if d.Unfinished {
				draft = "true"
			}
			got := strings.Join([]string{d.Title, d.Published.Format("2006-01-02"), d.Slug, d.Author, strings.Join(d.Tags, ","), draft}, "|")
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if warned := strings.Join(p.Warnings, "\n"); (warned == "") != (c.warning == "") || !strings.Contains(warned, c.warning) {
				t.Errorf("warnings %q, want %q", warned, c.warning)
			}
		})
	}
}
