package corpus

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"newsie/content/language"
	"newsie/content/sentence"
)

// Variable names the environment variable that holds the folder for Read.
const Variable = "BENCH_DATA"

// Open returns the library that the environment asks for: made up, or composed
// from the sets in the folder that Variable names.
func Open() (*Library, error) {
	if dir := os.Getenv(Variable); dir != "" {
		return Read(dir)
	}
	return New(), nil
}

// Read returns a library whose articles are put together from the sentences of
// the sets below dir, DIR/*/corpus.jsonl in the BEIR layout: lines of JSON with
// "text" and perhaps "metadata": {"lang"}. Each language is as frequent as its
// share of the sentences.
func Read(dir string) (*Library, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "corpus.jsonl"))
	if err != nil {
		return nil, err
	}
	if own := filepath.Join(dir, "corpus.jsonl"); len(files) == 0 {
		files = []string{own}
	}
	l := &Library{sentences: map[string][]string{}}
	for _, name := range files {
		if err := l.readFile(name); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
	}
	// As many turns as a language has hundreds of sentences, each at least one.
	for lang, list := range l.sentences {
		for range 1 + len(list)/100 {
			l.langs = append(l.langs, lang)
		}
	}
	slices.Sort(l.langs)
	if len(l.langs) == 0 {
		return nil, errors.New("no sentences in the sets of " + dir)
	}
	return l, nil
}

func (l *Library) readFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var d struct {
			Text     string
			Metadata struct{ Lang string }
		}
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			return err
		}
		lang := d.Metadata.Lang
		if lang == "" || lang == "zh" {
			lang = language.Detect(d.Text)
		}
		for _, s := range sentence.Split(lang, d.Text) {
			// Every sentence with a letter, as titles are made of them too.
			if text := strings.TrimSpace(d.Text[s.Start:s.End]); len(text) > 3 {
				l.sentences[lang] = append(l.sentences[lang], text)
			}
		}
	}
	return lines.Err()
}
