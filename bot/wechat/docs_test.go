package wechat_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"newsie/internal/locale"
)

// told names the scenes for the page in docs.
var told = map[string]string{
	"welcome": "Following the account", "list": "A question, several articles", "more": "The next page", "card": "A question with one clear answer: a card",
	"article": "An article opened by its number", "corrected": "A typing error", "partly": "A word that no article has", "nothing": "Nothing found",
	"follow": "Following a topic", "following": "What one follows", "topics": "“Topics” in the menu", "help": "Help",
	"image": "A picture", "voice": "A voice message", "video": "A video", "location": "A place", "file": "A file, or anything else", "sticker": "A sticker",
	"link-ours": "A link to one of our articles", "link-other": "A link to another page", "link-unknown": "A link without a title",
	"digest": "A digest that waited, before an answer", "late-question": "A question whose answer takes too long", "late": "…and comes with the next one",
	"unfollow": "Ending a follow",
}

const docsIntro = `# What readers see in WeChat

Each kind of answer, as newsie gives it, in the four languages it speaks. A test makes this page from the bytes that are sent (` + "`go test ./bot/wechat -update`" + `) and a browser draws the pictures from them (` + "`NEWSIE_ARTIFACTS=$PWD/docs/images go test ./bot/wechat -run OnAPhone`" + `); the libraries behind it are made up. How an account is connected, and what it may do, is told in [WeChat Official Accounts](wechat.md).

In the texts below, what can be tapped stands in ‹ ›: a title leads to its page, a number shows the summary in the chat, anything else says its words for the reader. All of it works typed as well.
`

var languageNames = map[string]string{"zh-Hans": "简体中文", "zh-Hant": "繁體中文", "en": "English", "it": "Italiano"}

func TestDocsShowTheAnswers(t *testing.T) {
	var b strings.Builder
	b.WriteString(docsIntro)
	for _, lang := range []string{"zh-Hans", "zh-Hant", "en", "it"} {
		h := openHouse(t, lang)
		scenes := h.play()
		fmt.Fprintf(&b, "\n## %s\n\n![Chats in %s](images/wechat-%s.png)\n\n<details>\n<summary>All answers as text</summary>\n", languageNames[lang], languageNames[lang], lang)
		for _, s := range scenes {
			if told[s.name] == "" {
				t.Errorf("%s has no heading", s.name)
			}
			fmt.Fprintf(&b, "\n**%s**\n\n```text\n%s```\n", told[s.name], s)
		}
		b.WriteString("\n</details>\n")
		if _, err := os.Stat(filepath.Join("..", "..", "docs", "images", "wechat-"+lang+".png")); err != nil {
			t.Error(err)
		}
	}
	path := filepath.Join("..", "..", "docs", "wechat-answers.md")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("docs/wechat-answers.md is not what is sent (-want +got):\n%s", diff)
	}
	if n := len(locale.Languages()); n != len(languageNames) {
		t.Errorf("%d languages, %d on the page", n, len(languageNames))
	}
}

// String is a scene as its reader sees it.
func (s scene) String() string {
	var b strings.Builder
	if s.said != "" {
		b.WriteString("> " + s.said + "\n\n")
	}
	for _, n := range s.bubble.News {
		if n.PicURL != "" {
			b.WriteString("[picture]\n")
		}
		b.WriteString("‹" + n.Title + "›\n" + n.Description + "\n")
	}
	if s.bubble.Raw != "" {
		b.WriteString(anchorIn.ReplaceAllString(s.bubble.Raw, "‹$2›") + "\n")
	}
	if s.bubble.Raw == "" && len(s.bubble.News) == 0 {
		b.WriteString("(nothing yet)\n")
	}
	return b.String()
}
