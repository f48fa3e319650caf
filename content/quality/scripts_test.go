package quality_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"newsie/content/quality"
	"newsie/content/sentence"
)

// convert writes in traditional script what is given in simplified, word by
// word as people would, with opencc-js. That is not what the index folds by,
// which goes character by character.
const convert = `
const OpenCC = require('opencc-js')
const lines = JSON.parse(require('fs').readFileSync(0, 'utf8'))
const to = OpenCC.Converter({ from: 'cn', to: process.argv[1] })
process.stdout.write(JSON.stringify(lines.map((line) => to(line))))
`

// TestTraditionalQuestions asks the Chinese articles of the demo for pieces of
// their sentences, as they stand and in traditional script.
func TestTraditionalQuestions(t *testing.T) {
	modules := os.Getenv("NEWSIE_TEST_NPM")
	if modules == "" {
		t.Skip("NEWSIE_TEST_NPM is not a folder with opencc-js in its node_modules")
	}
	set := quality.Set{Name: "demo", Relevant: map[string]map[string]int{}}
	files, err := filepath.Glob("../../cmd/newsie/demo/articles/zh-Hans-*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("no articles: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, paragraph := range strings.Split(string(text), "\n\n")[1:] {
			id := fmt.Sprint(len(set.Texts))
			set.Texts = append(set.Texts, quality.Text{ID: id, Text: paragraph})
			for _, s := range sentence.Split("zh-Hans", paragraph) {
				piece := []rune(paragraph[s.Start:s.End])
				if len(piece) < 12 {
					continue
				}
				q := quality.Query{ID: fmt.Sprint("q", len(set.Queries)), Text: string(piece[2:10])}
				set.Queries = append(set.Queries, q)
				set.Relevant[q.ID] = map[string]int{id: 1}
			}
		}
	}
	if len(set.Queries) < 100 {
		t.Fatalf("only %d queries", len(set.Queries))
	}
	trial, err := quality.NewTrial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = trial.Close() }()
	if err := trial.Add(t.Context(), set, nil); err != nil {
		t.Fatal(err)
	}
	simplified, err := trial.Retrieve(t.Context(), set)
	if err != nil || simplified.MRR10 < .8 {
		t.Fatalf("MRR %f, %v", simplified.MRR10, err)
	}
	for _, region := range []string{"tw", "twp", "hk"} {
		converted := set
		converted.Queries = traditional(t, modules, region, set.Queries)
		r, err := trial.Retrieve(t.Context(), converted)
		if err != nil || r.MRR10 < simplified.MRR10-.01 {
			t.Errorf("%s: MRR %f, of simplified %f; %v", region, r.MRR10, simplified.MRR10, err)
		}
	}
}

func traditional(t *testing.T, modules, region string, queries []quality.Query) []quality.Query {
	t.Helper()
	var lines []string
	for _, q := range queries {
		lines = append(lines, q.Text)
	}
	in, err := json.Marshal(lines)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "-e", convert, region)
	cmd.Dir, cmd.Stdin, cmd.Stderr = modules, bytes.NewReader(in), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var converted []string
	if err := json.Unmarshal(out, &converted); err != nil || len(converted) != len(lines) {
		t.Fatalf("%d of %d lines, %v", len(converted), len(lines), err)
	}
	changed := 0
	list := make([]quality.Query, len(queries))
	for i, q := range queries {
		list[i] = quality.Query{ID: q.ID, Text: converted[i]}
		if converted[i] != q.Text {
			changed++
		}
	}
	if changed*2 < len(queries) {
		t.Fatalf("only %d of %d queries are written otherwise in %s", changed, len(queries), region)
	}
	return list
}
