package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// What newsie tells the publisher to configure must be what the configuration
// calls it.
func TestAdviceNamesKeysThatExist(t *testing.T) {
	example, err := os.ReadFile("newsie.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, match := range regexp.MustCompile(`([a-z_]+):`).FindAllStringSubmatch(string(example), -1) {
		known[match[1]] = true
	}
	// Words of the platforms' own, and of newsie's for Telegram's calls.
	foreign := map[string]bool{"access_token": true, "retry_after": true, "migrate_to_chat_id": true, "secret_token": true, "media_id": true}
	named := regexp.MustCompile(`\b[a-z]+(?:_[a-z]+)+\b|\b(?:into|needs|configure|leave out|check) ([a-z]+)(?:: |$|\b,)`)
	seen := 0
	for _, folder := range []string{"wechat", "telegram"} {
		files, err := filepath.Glob("../../bot/" + folder + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatal(err, "no files")
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			set := token.NewFileSet()
			parsed, err := parser.ParseFile(set, file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				literal, ok := n.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					return true
				}
				text, err := strconv.Unquote(literal.Value)
				if err != nil || !strings.Contains(text, " ") || regexp.MustCompile(`\b(SELECT|UPDATE|DELETE|INSERT|WHERE|channel = \?|name = \?)`).MatchString(text) {
					return true
				}
				for _, match := range named.FindAllStringSubmatch(text, -1) {
					word := match[0]
					if match[1] != "" {
						word = match[1]
					}
					if foreign[word] {
						continue
					}
					if seen++; !known[word] {
						t.Errorf("%s: %q names %q, which is no key of the configuration", set.Position(literal.Pos()), text, word)
					}
				}
				return true
			})
		}
	}
	if seen < 10 {
		t.Errorf("only %d keys were found in advice", seen)
	}
}
