package main_test

import (
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// below says which packages each package stands on. What a package may import
// is everything reachable from it here: imports only point down.
var below = map[string][]string{
	"cmd/newsie":           {"internal/web", "internal/web/console", "scheduler", "bot/telegram", "bot/wechat", "bot/webchat", "content/ingest", "content/quality"},
	"internal/web":         {"scheduler"},
	"internal/web/console": {"bot"},
	"scheduler":            {"bot"},
	"bot":                  {"bot/rules", "bot/origin", "scheduler/timetable", "content"},
	"bot/origin":           {},
	"bot/rules":            {"content/language"},
	"bot/telegram":         {"bot"},
	"bot/wechat":           {"bot"},
	"bot/webchat":          {"bot"},
	"content/quality":      {"content/ingest"},
	"content/ingest":       {"content/source", "content/summary"},
	"content/source":       {"content/extract"},
	"content/extract":      {"content"},
	"content/summary":      {"content", "content/sentence"},
	"content":              {"content/index", "content/story"},
	"content/story":        {"content/language"},
	"content/index":        {"content/sentence"},
	"content/sentence":     {"content/language"},
	"content/language":     {},
	"scheduler/timetable":  {},
	"internal/database":    {},
	"internal/locale":      {},
	"internal/problem":     {},
	"internal/remote":      {},
}

// leaves may be imported by all.
var leaves = []string{"internal/database", "internal/label", "internal/locale", "internal/problem", "internal/remote", "internal/thumbnail"}

// forTests are packages that only tests and each other import.
var forTests = []string{
	"bot/bottest", "bot/telegram/telegramtest", "bot/wechat/wechattest", "internal/browsertest", "internal/corpus", "internal/database/databasetest",
}

func TestImportsPointDown(t *testing.T) {
	packages := importsOf(t, filepath.Join("..", ".."))
	for name, imports := range packages {
		_, placed := below[name]
		if !placed && !slices.Contains(forTests, name) {
			if len(imports) > 0 { // a tool beside the house knows nothing of it
				t.Errorf("package %s has no place in the picture: give it one in this test", name)
			}
			continue
		}
		allowed := reachable(name)
		for _, imported := range imports {
			switch {
			case imported == "cmd/newsie":
				t.Errorf("%s imports the program", name)
			case slices.Contains(forTests, imported):
				if placed {
					t.Errorf("%s imports %s, which is for tests", name, imported)
				}
			case placed && !allowed[imported]:
				t.Errorf("%s imports %s, which does not stand below it", name, imported)
			}
		}
	}
	for name := range below {
		if packages[name] == nil {
			t.Errorf("the picture shows %s, which does not exist", name)
		}
	}
}

func TestThePictureHasNoCycle(t *testing.T) {
	for name := range below {
		if reachable(name)[name] && !slices.Contains(leaves, name) {
			t.Errorf("%s stands on itself", name)
		}
	}
}

func reachable(name string) map[string]bool {
	seen := map[string]bool{}
	next := append(slices.Clone(leaves), below[name]...)
	for len(next) > 0 {
		p := next[0]
		next = next[1:]
		if !seen[p] {
			seen[p] = true
			next = append(next, below[p]...)
		}
	}
	return seen
}

// importsOf lists, for each package below root, which packages of this module
// its files import, those of its tests left out.
func importsOf(t *testing.T, root string) map[string][]string {
	t.Helper()
	packages := map[string][]string{}
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name := entry.Name(); name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") && file != root {
				return filepath.SkipDir
			}
			return nil
		}
		if path.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		if match, err := build.Default.MatchFile(filepath.Dir(file), entry.Name()); err != nil || !match {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		name := filepath.ToSlash(dir)
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		if packages[name] == nil {
			packages[name] = []string{}
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if inside, ok := strings.CutPrefix(imported, "newsie/"); ok && !slices.Contains(packages[name], inside) {
				packages[name] = append(packages[name], inside)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return packages
}
