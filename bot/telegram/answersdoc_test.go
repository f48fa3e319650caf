package telegram_test

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
	"welcome": "Opening the bot", "list": "A question, several articles", "next page": "The next page, in the same message", "previous page": "…and back",
	"one clear answer": "The title of an article", "article with a cover": "An article with a cover", "another": "Another title", "article without a cover": "An article without a cover",
	"corrected": "A typing error", "partly": "A word that no article has", "nothing": "Nothing found",
	"follow": "Following a topic", "follow another": "Following another", "following": "What one follows", "help": "Help",
	"digest as HTML": "What is new right now, where the server has no rich messages", "digest of several topics": "A digest of several topics, where it has", "digest": "A digest of one topic",
	"too old": "A button of a list that is forgotten",
	"save":    "Saving an article", "saved": "What one has saved", "share": "Sharing an article",
}

const docsIntro = `# What readers see in Telegram

Each kind of answer, as newsie gives it, in the four languages it speaks. A test makes this page from the bytes that are sent (` + "`go test ./bot/telegram -update`" + `) and a browser draws the pictures from them (` + "`NEWSIE_ARTIFACTS=$PWD/docs/images go test ./bot/telegram -run OnAPhone`" + `); the libraries behind it are made up. How a bot is connected, and what it may do, is told in [Telegram](telegram.md).

In the texts below, what leads to a page stands in ‹ ›, buttons in [ ]; ↗ opens a page, any other button says its words for the reader. All of it works typed as well, and buttons of old messages keep working.

How an answer becomes a message:

- A list is one message: number, title, where it is from, and up to two lines around the words that were asked for. The page of the best hit is previewed small. Another page of the list takes the place of the one before.
- An article comes as its cover with everything else as the caption. Where the cover does not load, or a caption (1,024 units) has no room for what belongs into it, it is a text with a large preview of its page.
- A digest of several topics is a rich message with a heading for each topic, three entries each and the others folded away, where the server has rich messages (Bot API 10.1); elsewhere, and for one topic, it is a text with bold headings.
- What is too long loses whole things, in this order: where else a story is told, the ends of snippets, the ends of titles, the last entries with their buttons. A link, a character or an emoji is never cut.
`

var languageNames = map[string]string{"zh-Hans": "简体中文", "zh-Hant": "繁體中文", "en": "English", "it": "Italiano"}

func TestDocsShowTheAnswers(t *testing.T) {
	var b strings.Builder
	b.WriteString(docsIntro)
	for _, lang := range []string{"en", "zh-Hans", "zh-Hant", "it"} {
		h := openHouse(t, lang)
		fmt.Fprintf(&b, "\n## %s\n\n![Chats in %s](images/telegram-%s.png)\n\n<details>\n<summary>All answers as text</summary>\n", languageNames[lang], languageNames[lang], lang)
		for _, s := range h.play() {
			if told[s.name] == "" {
				t.Errorf("%s has no heading", s.name)
			}
			fmt.Fprintf(&b, "\n**%s**\n\n```text\n", told[s.name])
			if did := s.did(); did != "" {
				b.WriteString(did + "\n")
			}
			for i, m := range s.shown {
				if i > 0 {
					b.WriteString("\n")
				}
				b.WriteString(screen(m))
			}
			b.WriteString("```\n")
		}
		b.WriteString("\n</details>\n")
		if _, err := os.Stat(filepath.Join("..", "..", "docs", "images", "telegram-"+lang+".png")); err != nil {
			t.Error(err)
		}
	}
	path := filepath.Join("..", "..", "docs", "telegram-answers.md")
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
		t.Errorf("docs/telegram-answers.md is not what is sent (-want +got):\n%s", diff)
	}
	if n := len(locale.Languages()); n != len(languageNames) {
		t.Errorf("%d languages, %d on the page", n, len(languageNames))
	}
}
