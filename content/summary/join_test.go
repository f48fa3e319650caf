package summary_test

import (
	"strings"
	"testing"

	"newsie/content/summary"
)

// A closing quote ends Chinese sentences as it ends English ones; only the
// English want a space after it.
func TestSentencesAfterAClosingQuote(t *testing.T) {
	chinese := summary.Summarize("zh-Hans", "渡船停航", body("船主说：“新桥带走了几乎所有的乘客。”他打算把渡船上的那口钟留作纪念。"), "")
	if strings.Contains(chinese, " ") || !strings.Contains(chinese, "。”他") {
		t.Errorf("Chinese: %q", chinese)
	}
	english := summary.Summarize("en", "The ferry", body("The owner of the ferry said, “The bridge took my passengers.” He will keep the bell of the ferry."), "")
	if !strings.Contains(english, "passengers.” He") {
		t.Errorf("English: %q", english)
	}
}
