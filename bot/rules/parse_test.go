package rules_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"newsie/bot/rules"
)

func options() rules.Options {
	return rules.Options{
		Channels: []string{"gzh", "web"},
		Command: func(text string) (known, first bool) {
			return text == "stop" || text == "latest" || strings.HasPrefix(text, "search "), text == "stop"
		},
	}
}

// TestProblemsAreToldWithTheirLines reads testdata/problems.yaml, in which a
// comment says what is wrong with the line it stands on.
func TestProblemsAreToldWithTheirLines(t *testing.T) {
	data, err := os.ReadFile("testdata/problems.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for i, line := range strings.Split(string(data), "\n") {
		if _, problem, ok := strings.Cut(line, "  # "); ok {
			for _, one := range strings.Split(problem, " | ") {
				want = append(want, fmt.Sprintf("line %d: %s", i+1, one))
			}
		}
	}
	_, err = rules.Parse(data, options())
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

const indented = "this line does not belong to what stands before it; look at how far it is indented"

func TestFilesThatAreNoRules(t *testing.T) {
	long := strings.Repeat("茶", 2001)
	many := func(n int, item string) string { return strings.Repeat(item, n) }
	for _, c := range []struct{ name, file, want string }{
		{"a text", "hello", "line 1: this is no list of rules"},
		{"broken", "rules:\n  - {keywords: [a\n", "line 2: did not find expected ',' or ']' to what begins here"},
		{"badly indented", "name: x\nchannels:\n  gzh:\n    kind: wechat\n   x: y\n", "line 5: did not find expected key: " + indented},
		{"badly indented in a rule", "rules:\n  - keywords: a\n    text: x\n   match: exact\n  - keywords: b\n", "line 4: did not find expected '-' indicator: " + indented},
		{"badly indented in a rule's group", "rules:\n\n  - keywords: a\n    text:\n       en: x\n      it: y\n", "line 6: did not find expected key: " + indented},
		{"no dash", "- keywords: a\n  text: x\nkeywords: b\n", "line 3: did not find expected '-' indicator: " + indented},
		{"many links", "- keywords: a\n  text: '" + many(11, "[a](https://example.org/)") + "'", "line 2: text: has 11 links, more than 10"},
		{"a tab", "rules:\n\t- x\n", "line 2: found character that cannot start any token"},
		{"not UTF-8", "rules:\n- {keywords: \xff\xfe}\n", "line 2: this is not UTF-8: save the file in that encoding"},
		{"two documents", "rules: []\n---\nrules: []\n", "line 2: a second document begins here; a file of rules is one"},
		{"too long", many(rules.MaxFile+1, "#"), "line 1: the file is longer than 1 MiB"},
		{"a long text", "- {keywords: a, text: " + long + "}", "line 1: text: has 2001 characters, more than 2000"},
		{"a long keyword", "- {text: x, keywords: " + long[:61*3] + "}", "line 1: keywords: \"茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶茶\"… is longer than 60 characters"},
		{"many keywords", "- {text: x, keywords: [" + many(101, "a,") + "]}", "line 1: keywords: these are 101, more than 100"},
		{"many rules", many(rules.MaxRules+1, "- {text: x, keywords: a}\n"), "line 10001: rules: these are 10001, more than 10000"},
	} {
		_, err := rules.Parse([]byte(c.file), options())
		var problems rules.Problems
		if !errors.As(err, &problems) || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	// One less of each is good.
	for name, file := range map[string]string{
		"links": "- keywords: a\n  text: '" + many(10, "[a](https://example.org/)") + "'",
		"text":  "- {keywords: a, text: " + long[3:] + "}", "keyword": "- {text: x, keywords: " + long[:60*3] + "}",
		"keywords": "- {text: x, keywords: [" + many(100, "a,") + "]}", "rules": many(rules.MaxRules, "- {text: x, keywords: a}\n"),
	} {
		if _, err := rules.Parse([]byte(file), options()); err != nil {
			t.Errorf("%s at the limit: %v", name, err)
		}
	}
}

func TestManyProblemsAreCutShort(t *testing.T) {
	_, err := rules.Parse([]byte(strings.Repeat("- {}\n", 500)), options())
	var problems rules.Problems
	if !errors.As(err, &problems) || len(problems) != 101 || !strings.Contains(problems[100].What, "maybe others") {
		t.Errorf("%d problems: %v", len(problems), problems[len(problems)-1])
	}
}

func TestWarnings(t *testing.T) {
	set, err := rules.Parse([]byte(`default: "{query} {nme}"
rules:
  - {keywords: 退订, command: stop}
  - {keywords: [stop, tea], text: no}
  - {keywords: [Tea], text: again}
  - {keywords: [tea], match: contains, text: other}
  - {keywords: [coffee], channels: [web], text: a}
  - {keywords: [coffee], text: b}
  - {keywords: long, text: `+strings.Repeat("茶", 601)+`}
`), options())
	if err != nil {
		t.Fatal(err)
	}
	want := []rules.Problem{
		{Line: 1, What: "default: {nme} stays as it is; only {name} and {query} are replaced"},
		{Line: 4, What: `keywords: no rule is asked about "stop": it always ends what a reader gets, or deletes the reader's data`},
		{Line: 5, What: `keywords: "Tea" is never reached here: the rule at line 4 has it, and comes first`},
		{Line: 9, What: "text: has 1803 bytes, and a message of WeChat at most 1800: its readers will not see the end"},
	}
	if diff := cmp.Diff(want, set.Warnings()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Aliases must not make a small file a large one.
func TestAliases(t *testing.T) {
	set := parse(t, "rules:\n  - {keywords: &k [a, b], text: &t hello}\n  - {keywords: *k, match: prefix, text: *t}\n")
	if got := answer(set, "by"); got != "hello" {
		t.Errorf("an alias gets %q", got)
	}
	_, err := rules.Parse([]byte("rules: &a\n  - *a\n  - {keywords: *a, text: *a}\n"), options())
	if err == nil {
		t.Error("a list that holds itself is no rule")
	}
}

func TestTheExamplesInTheDocumentsAreGood(t *testing.T) {
	for file, fence := range map[string]string{"../../docs/configuration.md": "```yml\n", "../../README.md": "```yaml\nwelcome:"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, after, ok := strings.Cut(string(data), fence)
		if !ok {
			t.Fatalf("%s has no example", file)
		}
		example, _, _ := strings.Cut(after, "\n```")
		o := options()
		o.Command = func(string) (bool, bool) { return true, false }
		_, start, _ := strings.Cut(fence, "\n")
		set, err := rules.Parse([]byte(start+example), o)
		if err != nil || set.Rules() < 2 || len(set.Warnings()) > 0 {
			t.Errorf("%s: %v, %d rules, %v", file, err, set.Rules(), set.Warnings())
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"testdata/problems.yaml", "testdata/good.yaml"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data), "合作 tea 2")
	}
	f.Add("- {keywords: [茶, \"a b\"], match: contains, text: x}", "喝 茶a b")
	f.Add("a: &a [*a, {<<: *a}]", "x")
	f.Fuzz(func(t *testing.T, file, said string) {
		set, err := rules.Parse([]byte(file), options())
		var problems rules.Problems
		switch {
		case err == nil:
		case !errors.As(err, &problems) || len(problems) == 0:
			t.Fatalf("an error that is no problem: %v", err)
		default:
			lines := strings.Count(file, "\n") + strings.Count(file, "\r") + strings.Count(file, "\u2028") + strings.Count(file, "\u2029") + strings.Count(file, "\u0085") + 2
			for i, p := range problems {
				if p.Line < 1 || p.Line > lines || p.What == "" || i > 0 && p.Line < problems[i-1].Line {
					t.Fatalf("problem %d of %d lines: %+v", i, lines, p)
				}
			}
			return
		}
		for _, channel := range []string{"gzh", "other"} {
			set.Quiet(channel, noon)
			for _, text := range []string{said, "x" + said, strings.ToUpper(said)} {
				found, ok := set.Match(rules.Message{Channel: channel, At: noon, Text: text})
				if !ok {
					continue
				}
				if s := found.Say("zh-Hant", said).Text; !utf8.ValidString(s) || s == "" && len(found.Articles) == 0 && found.Command == "" {
					t.Fatalf("%q says %q", text, s)
				}
			}
		}
	})
}
