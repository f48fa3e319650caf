package telegramtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"newsie/bot/telegram/telegramtest"
)

func richHTML(html string) string {
	b, _ := json.Marshal(map[string]string{"html": html})
	return string(b)
}

func TestRichMessagesTheServerRefuses(t *testing.T) {
	pictures := gallery(t)
	list := func(n int) string { return "<ul>" + strings.Repeat("<li>x</li>", n) + "</ul>" }
	row := func(n int) string { return "<table><tr>" + strings.Repeat("<td>x</td>", n) + "</tr></table>" }
	deep := func(n int) string {
		return strings.Repeat("<blockquote>", n) + "x" + strings.Repeat("</blockquote>", n)
	}
	images := func(n int) string { return strings.Repeat(`<img src="`+pictures+`ok.png">`, n) }
	const unparsable = "can't parse rich message: "
	for _, test := range []struct{ name, html, want string }{
		{"a text", "x &lt; y", ""},
		{"nothing", " ", "rich message must be non-empty"},
		{"32,768 characters", "<p>" + strings.Repeat("&amp;", 32768) + "</p>", ""},
		{"32,769 characters", "<p>" + strings.Repeat("x", 32769) + "</p>", "rich message is too long"},
		{"16,385 emoji", "<p>" + strings.Repeat("😀", 16385) + "</p>", "rich message is too long"},
		{"500 blocks", strings.Repeat("<p>x</p>", 500), ""},
		{"501 blocks", strings.Repeat("<p>x</p>", 501), "rich message has too many blocks"},
		{"249 list items and their paragraphs", list(249), ""},
		{"250 list items and their paragraphs", list(250), "rich message has too many blocks"},
		{"499 table rows", "<table>" + strings.Repeat("<tr><td>x</td></tr>", 499) + "</table>", ""},
		{"500 table rows", "<table>" + strings.Repeat("<tr><td>x</td></tr>", 500) + "</table>", "rich message has too many blocks"},
		{"16 levels", deep(15), ""},
		{"17 levels", deep(16), unparsable + "the nesting is deeper"},
		{"50 pictures", images(50), ""},
		{"51 pictures", images(51), "rich message has too many media"},
		{"20 columns", row(20), ""},
		{"21 columns", row(21), unparsable + "a table has more"},
		{"21 columns by their width", `<table><tr><td colspan="2">x</td>` + strings.Repeat("<td>x</td>", 19) + "</tr></table>", unparsable + "a table has more"},
		{"an unknown tag", "<p>x</p><div>x</div>", unparsable + `Unsupported start tag "div" at byte offset 8`},
		{"an unknown attribute", `<p class="x">x</p>`, unparsable + `Unsupported attribute "class"`},
		{"an open tag", "<p>x", unparsable + `Can't find end tag corresponding to start tag "p"`},
		{"crossing tags", "<p><b>x</p></b>", unparsable + "Unmatched end tag at byte offset 7"},
		{"an end too many", "x</p>", unparsable + "Unexpected end tag at byte offset 1"},
		{"half a tag", "<p", unparsable + "Unclosed start tag at byte offset 0"},
		{"a bare ampersand", "<p>x & y</p>", unparsable + "Character '&' must be escaped at byte offset 5"},
		{"a bare >", "<p>x > y</p>", unparsable + "Character '>' must be escaped at byte offset 5"},
		{"an entity of the web", "<p>x&nbsp;y</p>", unparsable + "Character '&' must be escaped"},
		{"a paragraph in a paragraph", "<p><p>x</p></p>", unparsable + `Tag "p" can't stand in "p"`},
		{"an item without list", "<li>x</li>", unparsable + `Tag "li" can't stand in "message"`},
		{"text in a list", "<ul>x</ul>", unparsable + `Tag "text" can't stand in "ul"`},
		{"a summary behind the rest", "<details>x<summary>y</summary></details>", unparsable + `Tag "summary" can't stand in "details"`},
		{"a list in a heading", "<h1><ul><li>x</li></ul></h1>", unparsable + `Tag "ul" can't stand in "h1"`},
		{"a picture that is not there", `<img src="` + pictures + `none.png">`, "failed to get HTTP URL content"},
		{"a page for a picture", `<img src="` + pictures + `page">`, "wrong type of the web page content"},
		{"a picture without address", `<img src="x">`, unparsable + `the picture "x" has no HTTP URL`},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := telegramtest.Start(t, telegramtest.Options{Rich: true, PrivatePictures: true})
			reader := s.Chat(1)
			a := call(t, s, "sendRichMessage", "chat_id", "1", "rich_message", richHTML(test.html))
			if a.OK != (test.want == "") || !strings.HasPrefix(a.Description, "Bad Request: "+test.want) && !a.OK {
				t.Errorf("answer = %q, want %q", a.Description, test.want)
			}
			if n := len(reader.Answers()); (n == 1) != a.OK {
				t.Errorf("%d messages arrived", n)
			}
		})
	}
}

func TestRichMessagesNeedAServerThatHasThem(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	s.Chat(1)
	if a := call(t, s, "sendRichMessage", "chat_id", "1", "rich_message", richHTML("x")); a.Code != 404 || a.Description != "Not Found" {
		t.Errorf("answer = %d %q", a.Code, a.Description)
	}
	call(t, s, "sendMessage", "chat_id", "1", "text", "x")
	if a := call(t, s, "editMessageText", "chat_id", "1", "message_id", "1", "rich_message", richHTML("y")); a.Description != "Bad Request: message text is empty" {
		t.Errorf("an edit: %q", a.Description)
	}
}

func TestRichParametersTheServerRefuses(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{Rich: true})
	s.Chat(1)
	for _, test := range []struct{ rich, want string }{
		{"", "Bad Request: rich message is empty"},
		{"x", "Bad Request: can't parse rich message JSON object"},
		{`{"html":"x","markdown":"x"}`, "Bad Request: can't parse rich message: exactly one of"},
		{`{"is_rtl":true}`, "Bad Request: can't parse rich message: exactly one of"},
		{`{"htm":"x"}`, "Bad Request: can't parse rich message JSON object"},
	} {
		if a := call(t, s, "sendRichMessage", "chat_id", "1", "rich_message", test.rich); !strings.HasPrefix(a.Description, test.want) {
			t.Errorf("%s: %q, want %q", test.rich, a.Description, test.want)
		}
	}
}

func TestRichMessagesAsReadersSeeThem(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{Rich: true, PrivatePictures: true})
	reader := s.Chat(1)
	pictures := gallery(t)
	html := `<h1>Your <b>digest</b></h1>
<p>Two   articles<br>on <a href="https://example.org/?a=1&amp;b=2">tea</a></p>
<ol start="3"><li>One</li><li>Two<ul><li>inner</li></ul></li></ol><hr>
<details><summary>More</summary><p>hidden</p></details>
<blockquote>said</blockquote>
<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>
<figure><img src="` + pictures + `ok.png"><figcaption>a picture</figcaption></figure>
<footer>end</footer>`
	a := call(t, s, "sendRichMessage", "chat_id", "1", "rich_message", richHTML(html), "reply_markup", keys(`{"text":"Next","callback_data":"/next"}`))
	if !a.OK {
		t.Fatal(a.Description)
	}
	var sent struct {
		ID   int64 `json:"message_id"`
		Rich struct {
			Blocks []struct {
				Type string          `json:"type"`
				Text json.RawMessage `json:"text"`
			} `json:"blocks"`
		} `json:"rich_message"`
	}
	if err := json.Unmarshal(a.Result, &sent); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, b := range sent.Rich.Blocks {
		kinds = append(kinds, b.Type)
	}
	if want := "[heading paragraph list divider details blockquote table photo caption footer]"; fmt.Sprint(kinds) != want {
		t.Errorf("blocks = %v, want %s", kinds, want)
	}
	if want := `["Your ",{"text":"digest","type":"bold"}]`; len(sent.Rich.Blocks) == 0 || string(sent.Rich.Blocks[0].Text) != want {
		t.Errorf("heading = %s", a.Result)
	}
	var got bytes.Buffer
	reader.Print(&got)
	want := `── bot #1
# Your digest
Two articles
on tea
3. One
4. Two
   • inner
────
▸ More
  hidden
> said
| a | b |
| 1 | 2 |
▣ 640×480 ` + pictures + `ok.png
a picture
end
  → https://example.org/?a=1&b=2
 [Next]
`
	if got.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", got.String(), want)
	}

	edit := func(params ...string) string {
		return call(t, s, "editMessageText", append([]string{"chat_id", "1", "message_id", fmt.Sprint(sent.ID)}, params...)...).Description
	}
	next := keys(`{"text":"Next","callback_data":"/next"}`)
	for _, test := range []struct {
		params []string
		want   string
	}{
		{[]string{"rich_message", richHTML(html), "reply_markup", next}, "Bad Request: message is not modified"},
		{[]string{"rich_message", richHTML("<p>new</p>"), "text", "x"}, "Bad Request: exactly one of"},
		{[]string{"rich_message", richHTML("<p>new"), "reply_markup", next}, "Bad Request: can't parse rich message"},
		{[]string{"rich_message", richHTML("<p>new</p>"), "reply_markup", next}, ""},
	} {
		if got := edit(test.params...); !strings.HasPrefix(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%.60v: %q, want %q", test.params, got, test.want)
		}
	}
	if m := reader.Answers()[0]; m.Rich.String() != "new" || m.Edits != 1 {
		t.Errorf("after the edit: %q, %d edits", m.Rich, m.Edits)
	}
	if got := edit("text", "plain"); got != "" {
		t.Errorf("back to text: %q", got)
	}
	if m := reader.Answers()[0]; m.Rich != nil || m.Text != "plain" {
		t.Errorf("back to text: %+v", m)
	}
}
