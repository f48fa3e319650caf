package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"newsie/content/index"
)

// resolveSynonyms makes a file that the configuration names lie beside it,
// wherever newsie is started from. What a variable names lies where it is
// started, as any path on the command line.
func (c *Config) resolveSynonyms(config string, lines lineIndex) {
	if c.Synonyms != "" && !filepath.IsAbs(c.Synonyms) && strings.HasPrefix(lines["synonyms"], config+":") {
		c.Synonyms = filepath.Join(filepath.Dir(config), c.Synonyms)
	}
}

// synonymProblems reports what is wrong with the file of synonyms, as the
// configuration's own mistakes are reported.
func (c Config) synonymProblems() ConfigProblems {
	if c.Synonyms == "" {
		return nil
	}
	_, err := readSynonyms(c.Synonyms)
	return c.synonymProblemsOf(err)
}

func (c Config) synonymProblemsOf(err error) ConfigProblems {
	var wrong index.SynonymProblems
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		var problems ConfigProblems
		for _, p := range wrong {
			problems = append(problems, ConfigProblem{fmt.Sprintf("%s:%d", c.Synonyms, p.Line), p.What})
		}
		return problems
	}
	k := &checker{lines: c.lines}
	k.add("synonyms", "%v", err)
	return k.problems
}

// A reading is what was read of a file of synonyms.
type reading struct {
	rules *index.Synonyms // nil with an error
	sum   [sha256.Size]byte
}

// mostRead bounds what is read: a little more than rules may be.
const mostRead = 16 << 20

// readSynonyms reads a file of synonyms. The error holds SynonymProblems, or
// says why it cannot be read.
func readSynonyms(path string) (reading, error) {
	file, err := os.Open(path)
	if err != nil {
		return reading{}, fmt.Errorf("the file %s cannot be read: %w", path, cause(err))
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, mostRead))
	if err != nil {
		return reading{}, fmt.Errorf("the file %s cannot be read: %w", path, cause(err))
	}
	rules, err := index.ParseSynonyms(bytes.NewReader(data))
	return reading{rules, sha256.Sum256(data)}, err
}

// loadSynonyms gives the library the configured synonyms, or says everything
// that is wrong with their file.
func (in *installation) loadSynonyms() error {
	if in.config.Synonyms == "" {
		return nil
	}
	read, err := readSynonyms(in.config.Synonyms)
	if err != nil {
		return in.config.synonymProblemsOf(err)
	}
	in.library.SetSynonyms(read.rules)
	in.synonyms = read
	return nil
}

// synonymsEvery is how often the file of synonyms is looked at.
const synonymsEvery = 2 * time.Second

// A synonymFile is the publisher's file while newsie serves.
type synonymFile struct {
	path  string
	apply func(*index.Synonyms)
	log   *slog.Logger

	last   reading
	seen   stamp  // of the last look
	loaded stamp  // of what was read last, for good or bad
	told   string // the last complaint
}

// A stamp tells a file that was written from one that was not, most of the time.
type stamp struct {
	size     int64
	modified time.Time
}

// watchSynonyms follows the configured file until ctx ends.
func (s *server) watchSynonyms(ctx context.Context) error {
	if s.config.Synonyms == "" {
		return nil
	}
	f := &synonymFile{path: s.config.Synonyms, apply: s.library.SetSynonyms, log: s.log, last: s.synonyms}
	every := time.NewTicker(synonymsEvery)
	defer every.Stop()
	for {
		f.look()
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
	}
}

// look reads the file when it has changed and rests since the last look: an
// editor may still be writing. What is wrong is told once, and the rules that
// were good stay.
func (f *synonymFile) look() {
	info, err := os.Stat(f.path)
	if err != nil {
		f.complain(fmt.Errorf("the file %s cannot be read: %w", f.path, cause(err)))
		f.seen, f.loaded = stamp{}, stamp{}
		return
	}
	now := stamp{info.Size(), info.ModTime()}
	rests := now == f.seen
	f.seen = now
	if now == f.loaded || !rests {
		return
	}
	f.loaded = now
	read, err := readSynonyms(f.path)
	if err != nil {
		f.complain(err)
		return
	}
	f.told = ""
	if read.sum == f.last.sum {
		return
	}
	f.last = read
	f.apply(read.rules)
	f.log.Info("synonyms read again", "file", f.path, "rules", read.rules.Rules())
}

// complain logs what is wrong, unless it was the last thing that was.
func (f *synonymFile) complain(err error) {
	text := err.Error()
	if text == f.told {
		return
	}
	f.told = text
	var wrong index.SynonymProblems
	if !errors.As(err, &wrong) {
		f.log.Error("the synonyms cannot be read; those read before stay", "error", err)
		return
	}
	for _, p := range wrong {
		f.log.Error("the synonyms have an error; those read before stay", "at", fmt.Sprintf("%s:%d", f.path, p.Line), "error", p.What)
	}
}
