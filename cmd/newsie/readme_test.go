package main_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The table of README's first five minutes does in the demo what it promises.
func TestReadmeIsTrueOfTheDemo(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(readme), "| type | and get |")
	if !ok {
		t.Fatal("README has no table of what to type")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	chat := install(t, "").serve("--demo", "--listen", "127.0.0.1:0").url() + "/chat/web/"
	follows := regexp.MustCompile(`^(follow |segui |关注 )`)
	followed := regexp.MustCompile(`You follow “|Changed\. “|Fatto\. «|Ora segui «|已关注“|已修改：“`)
	refused := regexp.MustCompile(`(?i)Nothing found|Non ho trovato|没有找到|no articles|no source|No article is|do not understand|Non capisco|没看懂|do not follow|none of|There is no|too often|too many|没有`)
	said := 0
	for row := range strings.Lines(table) {
		cells := strings.Split(row, " | ")
		// Each row is another reader's, who follows something and looks at a list, and
		// says too little to be taken for a program.
		reader, err := newBrowser(chat)
		if err != nil {
			t.Fatal(err)
		}
		for _, words := range []string{"follow commerce daily 8:00", "commercio elettronico"} {
			if _, err := reader.say(t.Context(), words); err != nil {
				t.Fatal(err)
			}
		}
		for _, quoted := range regexp.MustCompile("`[^`]+`").FindAllString(cells[0], -1) {
			words := strings.Trim(quoted, "`")
			answer, err := reader.say(t.Context(), words)
			if err != nil {
				t.Fatalf("%q: %v", words, err)
			}
			said++
			if follows.MatchString(words) && !followed.MatchString(answer.text) {
				t.Errorf("README's %q is answered with %q, which is no follow", words, answer.text)
			}
			if answer.text == "" || refused.MatchString(answer.text) {
				t.Errorf("README's %q is answered with %q", words, answer.text)
			}
		}
	}
	if said < 30 {
		t.Errorf("%d of README's words were said, want all", said)
	}
}
