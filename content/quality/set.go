// Package quality measures how good the answers, snippets and summaries of
// newsie are, on sets of texts with what people judged right for them. It asks
// what a reader would ask and counts what the reader would see: nothing here
// knows how the index works.
package quality

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Set is a collection of texts with questions and the texts that answer them,
// in the layout of BEIR (Thakur et al., 2021): corpus.jsonl, queries.jsonl and
// qrels/test.tsv in one folder.
type Set struct {
	Name    string // of the folder
	Texts   []Text
	Queries []Query
	// Relevant tells for each query which texts answer it, and how well: 1 and
	// more. Queries without any are left out of Queries.
	Relevant map[string]map[string]int
}

// A Text is one line of corpus.jsonl.
type Text struct {
	ID       string `json:"_id"`
	Title    string `json:"title"`
	Text     string `json:"text"`
	Metadata struct {
		Lang string `json:"lang"`
	} `json:"metadata"`
}

// A Query is one line of queries.jsonl.
type Query struct {
	ID   string `json:"_id"`
	Text string `json:"text"`
}

// longest bounds a line of a set, in bytes.
const longest = 16 << 20

// ReadSet reads the set in a folder. Errors name the file and the line.
func ReadSet(dir string) (Set, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Set{}, err
	}
	s := Set{Name: filepath.Base(abs)}
	known := map[string]bool{}
	err = eachLine(filepath.Join(dir, "corpus.jsonl"), func(line []byte) error {
		var t Text
		if err := json.Unmarshal(line, &t); err != nil {
			return err
		}
		if t.ID == "" || known[t.ID] {
			return fmt.Errorf("_id %q is empty or used before", t.ID)
		}
		known[t.ID] = true
		s.Texts = append(s.Texts, t)
		return nil
	})
	if err != nil {
		return Set{}, err
	}
	if s.Relevant, err = readJudgements(filepath.Join(dir, "qrels", "test.tsv"), known); err != nil {
		return Set{}, err
	}
	err = eachLine(filepath.Join(dir, "queries.jsonl"), func(line []byte) error {
		var q Query
		if err := json.Unmarshal(line, &q); err != nil {
			return err
		}
		if q.ID == "" {
			return errors.New("_id is empty")
		}
		if len(s.Relevant[q.ID]) > 0 {
			s.Queries = append(s.Queries, q)
		}
		return nil
	})
	if err != nil {
		return Set{}, err
	}
	if len(s.Queries) == 0 {
		return Set{}, fmt.Errorf("%s: no query has a text that answers it", dir)
	}
	return s, nil
}

func readJudgements(path string, known map[string]bool) (map[string]map[string]int, error) {
	relevant := map[string]map[string]int{}
	first := true
	err := eachLine(path, func(line []byte) error {
		fields := strings.Split(string(line), "\t")
		if first {
			first = false
			if fields[0] == "query-id" {
				return nil
			}
		}
		if len(fields) != 3 {
			return errors.New("there must be three fields with tabs between: query-id, corpus-id, score")
		}
		score, err := strconv.Atoi(strings.TrimSpace(fields[2]))
		if err != nil {
			return fmt.Errorf("score %q is not a whole number", fields[2])
		}
		if score <= 0 {
			return nil // judged, and found not to answer
		}
		if !known[fields[1]] {
			return fmt.Errorf("corpus-id %q is not in corpus.jsonl", fields[1])
		}
		if relevant[fields[0]] == nil {
			relevant[fields[0]] = map[string]int{}
		}
		relevant[fields[0]][fields[1]] = score
		return nil
	})
	return relevant, err
}

// eachLine calls visit for the lines of a file that are not empty, and says in
// which line it failed.
func eachLine(path string, visit func([]byte) error) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := lines(f, visit); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// lines is eachLine for what is open already.
func lines(r io.Reader, visit func([]byte) error) error {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(make([]byte, 1<<16), longest)
	n := 0
	for scanner.Scan() {
		n++
		line := scanner.Bytes()
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if !utf8.Valid(line) {
			return fmt.Errorf("line %d: not UTF-8", n)
		}
		if err := visit(line); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	switch err := scanner.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("line %d: longer than %d MB", n+1, longest>>20)
	case err != nil:
		return fmt.Errorf("line %d: %w", n+1, err)
	}
	return nil
}
