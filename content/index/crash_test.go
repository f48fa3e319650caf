package index_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"newsie/content/index"
)

// crashDir names the folder that a child process of TestKill writes to.
const crashDir = "NEWSIE_TEST_CRASH_DIR"

// TestMain lets the test binary be its own child.
func TestMain(m *testing.M) {
	if os.Getenv("BENCH_CHILD") != "" {
		os.Exit(index.BenchChild())
	}
	if dir := os.Getenv(crashDir); dir != "" {
		if err := writeForever(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// writeForever adds article n at position n and removes one in three, and says
// so when Update returns, until it is killed.
func writeForever(dir string) error {
	x, err := index.Open(dir, quiet)
	if err != nil {
		return err
	}
	for n := x.Seq() + 1; ; n++ {
		docs := []index.Doc{{ID: n, Lang: "en", Title: fmt.Sprint("Lemons number", n), Body: "They are yellow."}}
		if n%3 == 0 {
			docs = append(docs, index.Doc{ID: n - 1, Deleted: true})
		}
		if err := x.Update(n, docs); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// TestKill kills a process while it writes, several times, and expects all that
// it was told was stored, and nothing half done.
func TestKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "index")
	for round, updates := range []int64{1, 7, 20, 33} {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), crashDir+"="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		child.Stderr = os.Stderr
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		var told int64
		lines := bufio.NewScanner(out)
		for n := int64(0); n < updates && lines.Scan(); n++ {
			if told, err = strconv.ParseInt(lines.Text(), 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait()

		x := openDir(t, dir)
		seq := x.Seq()
		if x.Rebuilt() || seq < told {
			t.Errorf("round %d: position %d, was told %d, rebuilt %v", round, seq, told, x.Rebuilt())
		}
		if want := seq - seq/3; int64(x.Count()) != want {
			t.Errorf("round %d: %d articles at position %d, want %d", round, x.Count(), seq, want)
		}
		if r := search(t, x, index.Query{Text: "lemons", Limit: 1}); int64(r.Total) != seq-seq/3 {
			t.Errorf("round %d: %d found of %d", round, r.Total, x.Count())
		}
		closeIndex(t, x)
	}
}
