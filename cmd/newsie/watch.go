package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"newsie/internal/problem"
)

// fileProblemsOf are the problems of an error that reading a file ended with, as the
// configuration's own mistakes are reported; key is the one that names the file.
func (c Config) fileProblemsOf(err error, key, path string) ConfigProblems {
	var wrong problem.Problems
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		var problems ConfigProblems
		for _, p := range wrong {
			problems = append(problems, ConfigProblem{fmt.Sprintf("%s:%d", path, p.Line), p.What})
		}
		return problems
	}
	k := &checker{lines: c.lines}
	k.add(key, "%v", err)
	return k.problems
}

// mostRead bounds what is read of a publisher's file: more than any may have.
const mostRead = 16 << 20

// readPublished reads a publisher's file.
func readPublished(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the file %s cannot be read: %w", path, cause(err))
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, mostRead))
	if err != nil {
		return nil, fmt.Errorf("the file %s cannot be read: %w", path, cause(err))
	}
	return data, nil
}

// A publishedFile is a publisher's file that newsie obeys while it serves.
type publishedFile struct {
	name string // what it holds, as the log calls it
	path string
	// parse reads what the file holds. What differs between two versions of it
	// that mean the same is not in sum. The error may be problem.Problems.
	parse func(data []byte) (reading, error)
	log   *slog.Logger

	last   [sha256.Size]byte // the sum of what is obeyed now
	seen   stamp             // of the last look
	loaded stamp             // of what was read last, for good or bad
	told   string            // the last complaint
}

// A reading is what was read of a publisher's file.
type reading struct {
	sum      [sha256.Size]byte
	apply    func()
	rules    int
	warnings []problem.Problem
}

// A stamp tells a file that was written from one that was not, most of the time.
type stamp struct {
	size     int64
	modified time.Time
}

// begin reads the file for the first time and obeys it.
func (f *publishedFile) begin() error {
	data, err := readPublished(f.path)
	if err != nil {
		return err
	}
	read, err := f.parse(data)
	if err != nil {
		return err
	}
	f.obey(read)
	return nil
}

func (f *publishedFile) obey(read reading) {
	f.last = read.sum
	read.apply()
	for _, w := range read.warnings {
		f.log.Warn("the "+f.name+" may not mean what they say", "at", fmt.Sprintf("%s:%d", f.path, w.Line), "warning", w.What)
	}
}

// watchEvery is how often a publisher's file is looked at.
const watchEvery = 2 * time.Second

// watch follows the file until ctx ends.
func (f *publishedFile) watch(ctx context.Context) error {
	every := time.NewTicker(watchEvery)
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
// editor may still be writing. What is wrong is told once, and what was good
// stays.
func (f *publishedFile) look() {
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
	data, err := readPublished(f.path)
	if err != nil {
		f.complain(err)
		return
	}
	read, err := f.parse(data)
	if err != nil {
		f.complain(err)
		return
	}
	f.told = ""
	if read.sum == f.last {
		return
	}
	f.obey(read)
	f.log.Info(f.name+" read again", "file", f.path, "rules", read.rules)
}

// complain logs what is wrong, unless it was the last thing that was.
func (f *publishedFile) complain(err error) {
	text := err.Error()
	if text == f.told {
		return
	}
	f.told = text
	var wrong problem.Problems
	if !errors.As(err, &wrong) {
		f.log.Error("the "+f.name+" cannot be read; those read before stay", "error", err)
		return
	}
	for _, p := range wrong {
		f.log.Error("the "+f.name+" have an error; those read before stay", "at", fmt.Sprintf("%s:%d", f.path, p.Line), "error", p.What)
	}
}
