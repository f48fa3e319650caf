package bot_test

import (
	"cmp"
	"fmt"
	"testing"
	"time"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// The platform's language breaks ties: characters alone do not make a Japanese
// reader Chinese, nor a reader in Taiwan a mainlander.
func TestRepliesSpeakTheReadersLanguage(t *testing.T) {
	db, c := databasetest.SQLite(t), newClock()
	b := newBot(t, db, c)
	for i, test := range []struct{ platform, text, want string }{
		{"zh-TW", "台灣", "zh-Hant"}, {"zh-TW", "群組", "zh-Hant"}, {"zh-TW", "茶", "zh-Hant"}, {"zh-CN", "茶", "zh-Hans"}, {"zh-CN", "電商", "zh-Hant"},
		{"ja", "茶", "en"}, {"ja", "風呂", "en"}, {"ja", "最新", "en"}, {"ko", "茶", "en"}, {"en", "茶", "zh-Hans"}, {"en", "微店怎么开", "zh-Hans"},
		{"it", "commerce", "it"}, {"en", "follow 电商", "en"}, {"en", "关注 commerce", "zh-Hans"}, {"", "perché la bicicletta", "it"}, {"de", "knees", "en"},
	} {
		chat := bot.ChatID{Channel: "web", ID: fmt.Sprint(i)}
		if r := tell(t, b, bot.Message{Kind: bot.Text, Chat: chat, Text: test.text, Lang: test.platform}); r.Lang != test.want {
			t.Errorf("%s typing %q is answered in %s, want %s", test.platform, test.text, r.Lang, test.want)
		}
	}
}

// A tap, a number and a bare command show no language: the conversation does.
func TestAConversationKeepsItsLanguage(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := newClock()
		b := newBot(t, db, c)
		chat, group := bot.ChatID{Channel: "web", ID: "7"}, bot.ChatID{Channel: "web", ID: "-100"}
		for _, test := range []struct {
			name     string
			from     string
			chat     bot.ChatID
			kind     bot.Kind
			text     string
			platform string
			want     string
			after    time.Duration
		}{
			{name: "the phone is the first guess", chat: chat, kind: bot.Tap, text: "/latest", platform: "zh-hant", want: "zh-Hant"},
			{name: "of two languages that newsie does not speak", chat: chat, kind: bot.Tap, text: "/latest", platform: "pt-br", want: "en"},
			{name: "words are the second", chat: chat, kind: bot.Text, text: "微店", platform: "en", want: "zh-Hans"},
			{name: "a tap goes on in them", chat: chat, kind: bot.Tap, text: "/latest", platform: "en", want: "zh-Hans"},
			{name: "a number too", chat: chat, kind: bot.Text, text: "1", platform: "en", want: "zh-Hans"},
			{name: "a command too", chat: chat, kind: bot.Text, text: "/help", platform: "en", want: "zh-Hans"},
			{name: "what /search is given is words", chat: chat, kind: bot.Text, text: "/search 電商", platform: "en", want: "zh-Hant"},
			{name: "other words change it", chat: chat, kind: bot.Text, text: "latest", platform: "en", want: "en"},
			{name: "tomorrow is another day", chat: chat, kind: bot.Tap, text: "/latest", platform: "en", want: "en", after: 25 * time.Hour},
			{from: "7", name: "in a group the words of the asker", chat: group, kind: bot.Text, text: "/search 微店", platform: "it", want: "zh-Hans"},
			{name: "of somebody else the phone", chat: group, kind: bot.Text, text: "/latest", platform: "it", want: "it"},
			{name: "who taps reads on by their phone", chat: group, kind: bot.Tap, text: "/read 1", platform: "it", want: "it"},
			{name: "a choice is the last word", chat: chat, kind: bot.Tap, text: "/lang it", platform: "en", want: "it"},
			{name: "against words, too", chat: chat, kind: bot.Text, text: "微店", platform: "zh-hans", want: "it"},
		} {
			c.at = c.at.Add(test.after)
			r := tell(t, b, bot.Message{Kind: test.kind, Chat: test.chat, Text: test.text, Lang: test.platform, Public: test.chat == group, From: cmp.Or(test.from, "8")})
			if r.Lang != test.want {
				t.Errorf("%s: %s in %q is answered in %s, want %s", test.name, test.text, test.platform, r.Lang, test.want)
			}
		}
		// Whoever turns a page in a group, it is the list's.
		var id int64
		if err := db.Reader().NewRaw("SELECT id FROM lists WHERE chat = '-100' AND kind = 'search'").Scan(t.Context(), &id); err != nil {
			t.Fatal(err)
		}
		more := fmt.Sprintf("/more %d 1", id)
		if r := tell(t, b, bot.Message{Kind: bot.Tap, Chat: group, Text: more, Lang: "it", Public: true, From: "8"}); r.Lang != "zh-Hans" {
			t.Errorf("the page is turned in %s", r.Lang)
		}
	})
}
