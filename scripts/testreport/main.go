// Command testreport reads the output of go test -json and prints a line for
// each package, what failing tests said, and how many tests ran. With -skipped
// it appends to a file why tests were skipped, a line for each reason. Its
// exit status is 1 when anything failed, or when nothing ran.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

// An event is a line of go test -json; see go doc test2json.
type event struct {
	Action      string
	Package     string
	ImportPath  string // of build-output
	Test        string
	Elapsed     float64
	Output      string
	FailedBuild string
}

// A report is what the events amount to.
type report struct {
	w       io.Writer
	output  map[[2]string]*strings.Builder // by package and test, until the test ends
	build   map[string]*strings.Builder
	ran     int
	failed  int
	broken  bool           // a package failed
	skipped map[string]int // by reason
}

func main() {
	path := flag.String("skipped", "", "file that gets the reasons for skipped tests")
	flag.Parse()
	r := &report{w: os.Stdout, output: map[[2]string]*strings.Builder{}, build: map[string]*strings.Builder{}, skipped: map[string]int{}}
	err := r.read(os.Stdin)
	if err == nil && *path != "" {
		err = r.writeSkipped(*path)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(1)
	}
	fmt.Printf("%d tests ran, %d failed, %d were skipped.\n", r.ran, r.failed, r.skips())
	if r.broken || r.ran == 0 {
		os.Exit(1)
	}
}

func (r *report) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			var e event
			if json.Unmarshal([]byte(line), &e) == nil && e.Action != "" {
				r.add(e)
			} else { // go itself speaks, not a test
				_, _ = io.WriteString(r.w, line)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the events: %w", err)
		}
	}
}

func (r *report) add(e event) {
	at := [2]string{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		write(r.build, e.ImportPath, e.Output)
	case "output":
		write(r.output, at, e.Output)
	case "pass", "fail", "skip":
		said := ""
		if b := r.output[at]; b != nil {
			said = b.String()
			delete(r.output, at)
		}
		if e.Test == "" {
			r.endPackage(e, said)
		} else {
			r.endTest(e, said)
		}
	}
}

func write[K comparable](to map[K]*strings.Builder, key K, text string) {
	if to[key] == nil {
		to[key] = &strings.Builder{}
	}
	to[key].WriteString(text)
}

func (r *report) endTest(e event, said string) {
	r.ran++
	switch e.Action {
	case "fail":
		r.failed++
		fmt.Fprintf(r.w, "--- %s.%s\n%s", e.Package, e.Test, said)
	case "skip":
		r.ran--
		r.skipped[reason(said)]++
	}
}

func (r *report) endPackage(e event, said string) {
	switch e.Action {
	case "pass":
		fmt.Fprintf(r.w, "ok    %-40s %6.1f s\n", e.Package, e.Elapsed)
	case "fail":
		r.broken = true
		if b := r.build[e.FailedBuild]; b != nil {
			said = b.String() + said
		}
		// A test that crashed or ran out of time never ended.
		for at, b := range r.output {
			if at[0] == e.Package {
				said += b.String()
				delete(r.output, at)
			}
		}
		fmt.Fprintf(r.w, "FAIL  %-40s %6.1f s\n%s", e.Package, e.Elapsed, said)
	}
}

var (
	frame = regexp.MustCompile(`^(=== |--- SKIP)`)
	place = regexp.MustCompile(`^\S+_?\w*\.go:\d+: ?`)
)

// reason is what a skipped test said, without where it said it.
func reason(said string) string {
	var words []string
	for line := range strings.Lines(said) {
		line = place.ReplaceAllString(strings.TrimSpace(line), "")
		if line != "" && !frame.MatchString(line) {
			words = append(words, line)
		}
	}
	if len(words) == 0 {
		return "no reason given"
	}
	return strings.Join(words, " ")
}

func (r *report) skips() (n int) {
	for _, count := range r.skipped {
		n += count
	}
	return n
}

func (r *report) writeSkipped(path string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	var reasons []string
	for reason, n := range r.skipped {
		reasons = append(reasons, fmt.Sprintf("%d skipped: %s\n", n, reason))
	}
	slices.Sort(reasons)
	if _, err := io.WriteString(f, strings.Join(reasons, "")); err != nil {
		return err
	}
	return f.Close()
}
