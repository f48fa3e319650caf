// Package bottest is the conformance suite that every adapter passes: what a
// reader must be able to do and see, whatever the platform.
package bottest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"newsie/bot"
)

// Platform is a reader's side of a channel under test: what a reader can do
// and see, through the adapter's real inbound and outbound path.
type Platform interface {
	Say(t *testing.T, text string) Seen  // a reader types; what the reader sees as the answer
	Tap(t *testing.T, label string) Seen // presses what the last answer offers with a label that contains label
	Repeat(t *testing.T) Seen            // the platform delivers the last message once more
	Push(t *testing.T, r bot.Reply) Seen // bot.Sender sends r to that reader
}

// Seen is a message as it shows in the reader's app.
type Seen struct {
	Text    string   // without markup
	Links   []string // addresses that can be followed
	Buttons []string // labels that can be tapped
	Size    int      // in the platform's own unit
	Limit   int
	Nothing bool // the reader sees no new message
}

// Script is a Handler that answers as told and remembers what it was asked.
type Script struct {
	mu      sync.Mutex
	heard   []bot.Message
	Replies map[string]bot.Reply // by the message's text
}

// Handle is a bot.Handler.
func (s *Script) Handle(_ context.Context, m bot.Message) (bot.Reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, m)
	if m.Text == "!fail" {
		return bot.Reply{}, fmt.Errorf("the handler broke on purpose")
	}
	if r, ok := s.Replies[m.Text]; ok {
		return r, nil
	}
	return bot.Reply{}, nil
}

// Heard counts the messages with a text.
func (s *Script) Heard(text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, m := range s.heard {
		if m.Text == text {
			n++
		}
	}
	return n
}

// Last is the last message heard.
func (s *Script) Last() bot.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.heard) == 0 {
		return bot.Message{}
	}
	return s.heard[len(s.heard)-1]
}

// List is a reply with n cards, as a search gives.
func List(n int, title, snippet string) bot.Reply {
	r := bot.Reply{Lang: "en", Text: "Articles on commerce"}
	var cards []bot.Card
	for i := 1; i <= n; i++ {
		cards = append(cards, bot.Card{
			Number: i, Article: int64(4710 + i),
			Title:   fmt.Sprintf("%s %d", title, i),
			URL:     fmt.Sprintf("https://example.org/a/%d/commerce-%d", 4710+i, i),
			Snippet: bot.Snippet{Text: snippet},
			Source:  "Example", Date: "1 March 2026", Lang: "en",
			Open: fmt.Sprintf("/read %d", 4710+i),
		})
	}
	r.Groups = []bot.Group{{Cards: cards}}
	r.Actions = []bot.Action{{Label: "More", Text: "/more 93 2", Role: bot.PageOn}, {Label: "Follow commerce", Text: "/follow commerce"}}
	return r
}

// Conform runs the suite; start connects an adapter that answers with h.
func Conform(t *testing.T, start func(t *testing.T, h bot.Handler) Platform) {
	for _, behaviour := range []struct {
		name string
		test func(t *testing.T, script *Script, p Platform)
	}{
		{"a word gets its answer", wordGetsAnswer},
		{"text is shown as it is", textAsItIs},
		{"a button says what it stands for", buttonSpeaks},
		{"a repeated message is answered once", repeatAnsweredOnce},
		{"an answer fits, whole", answerFits},
		{"an article view and marks", articleAndMarks},
		{"words in a text lead away", wordsLead},
		{"where else a story is told", alsoTold},
		{"a tap leads where it is counted", tapCounted},
		{"an empty reply and a broken handler say nothing wrong", nothingWrong},
		{"an article is kept and passed on", articleKept},
		{"hours are chosen by a button", hoursChosen},
		{"a push arrives", pushArrives},
	} {
		t.Run(behaviour.name, func(t *testing.T) {
			script := &Script{Replies: replies()}
			behaviour.test(t, script, start(t, script.Handle))
		})
	}
}

// replies is what the bot under the suite knows.
func replies() map[string]bot.Reply {
	long := strings.Repeat("微信电商的故事还没有讲完，小店和大平台都在寻找读者。", 40)
	return map[string]bot.Reply{
		"hello":         {Lang: "en", Text: "Good morning & <b>welcome</b> \"friend\""},
		"commerce":      List(3, "Commerce on chat", "Shops inside a chat <app> & their codes."),
		"/more 93 2":    {Lang: "en", Text: "Page two", Replace: "93", Groups: []bot.Group{{Cards: []bot.Card{{Number: 4, Article: 9, Title: "Fourth", URL: "https://example.org/a/9/f", Open: "/read 9"}}}}},
		"电商":            List(5, "微信电商", long),
		"told twice":    told(List(2, "Flood", "The river rose.")),
		"told too much": told(List(5, "微信电商", long)),
		"long":          {Lang: "en", Text: strings.Repeat("A sentence of words. ", 1500)},
		"emoji":         {Lang: "en", Text: "family 👨‍👩‍👧‍👦, flag 🇮🇹, שלום, مرحبا"},
		"control":       {Lang: "en", Text: "a\x00b\x0bc\ufffe \xff done"},
		"only link":     {Lang: "en", Groups: []bot.Group{{Cards: []bot.Card{{Title: "Article <1>", URL: "https://example.org/a?x=1&y=2", Snippet: bot.Snippet{Text: "Summary."}}}}}},
		"marked":        {Lang: "en", Groups: []bot.Group{{Heading: "Related", Cards: []bot.Card{{Number: 1, Article: 1, Title: "T", URL: "https://example.org/1", Snippet: bot.Snippet{Text: "a 微店 b", Marks: []bot.Span{{Start: 2, End: 8}}}, Open: "/read 1"}}}}},
		"words that lead": {Lang: "en", Text: " Fill in our\x00 <form>\nor a page. ", Links: []bot.Link{
			{Start: 9, End: 20, URL: "https://example.org/form?a=1&b=2"}, {Start: 26, End: 30, URL: "https://example.org/page"}, {Start: 28, End: 99, URL: "https://example.org/nowhere"},
		}},
		"long, then a link": {Lang: "en", Text: strings.Repeat("A sentence of words. ", 1500) + "The end", Links: []bot.Link{{Start: 31500, End: 31507, URL: "https://example.org/end"}}},
		"second answer":     {Lang: "en", Text: "the second"},
		"counted":           counted(told(List(5, "微信电商", long))),
		"counted article":   counted(article("Save", "/save 4711 v")),
		"article":           article("Save", "/save 4711 v"),
		"/save 4711 v":      renewed(article("Remove from saved", "/unsave 4711 v")),
		"/unsave 4711 v":    renewed(article("Save", "/save 4711 v")),
		"quiet": {Lang: "en", Text: "Digests come with a sound at any hour.", Actions: []bot.Action{
			{Label: "22:00–8:00", Text: "/quiet 22:00-08:00"}, {Label: "Always with a sound", Text: "/quiet off"},
			// The longest that a button says: 64 bytes.
			{Label: "Page 2", Text: "/more 9223372036854775807 2 " + strings.Repeat("微", 12), Role: bot.PageOn},
		}},
		"/quiet 22:00-08:00": {Lang: "en", Text: "From 22:00 to 8:00 digests now come without a sound."},
		"/more 9223372036854775807 2 " + strings.Repeat("微", 12): {Lang: "en", Text: "The second page"},
	}
}

func wordGetsAnswer(t *testing.T, script *Script, p Platform) {
	seen := p.Say(t, "commerce")
	for _, want := range []string{"Commerce on chat 1", "Commerce on chat 3", "Shops inside a chat <app> & their codes."} {
		if !strings.Contains(seen.Text, want) {
			t.Errorf("the reader does not see %q in:\n%s", want, seen.Text)
		}
	}
	if !contains(seen.Links, "https://example.org/a/4711/commerce-1") {
		t.Errorf("links = %q", seen.Links)
	}
	if !containsPart(seen.Buttons, "More") || !containsPart(seen.Buttons, "Follow commerce") {
		t.Errorf("buttons = %q", seen.Buttons)
	}
	if m := script.Last(); m.Text != "commerce" || m.Kind != bot.Text || m.Chat.ID == "" || m.Chat.Channel == "" || m.ID == "" || m.At.IsZero() {
		t.Errorf("the message as the bot got it: %+v", m)
	}
}

func textAsItIs(t *testing.T, _ *Script, p Platform) {
	if seen := p.Say(t, "hello"); !strings.Contains(seen.Text, `Good morning & <b>welcome</b> "friend"`) {
		t.Errorf("seen: %q", seen.Text)
	}
	if seen := p.Say(t, "emoji"); !strings.Contains(seen.Text, "family 👨‍👩‍👧‍👦, flag 🇮🇹, שלום, مرحبا") {
		t.Errorf("seen: %q", seen.Text)
	}
}

func buttonSpeaks(t *testing.T, script *Script, p Platform) {
	p.Say(t, "commerce")
	if seen := p.Tap(t, "More"); !strings.Contains(seen.Text, "Fourth") {
		t.Errorf("seen after the tap: %q", seen.Text)
	}
	if script.Heard("/more 93 2") != 1 {
		t.Errorf("the bot heard %q", script.Last().Text)
	}
}

func repeatAnsweredOnce(t *testing.T, script *Script, p Platform) {
	p.Say(t, "commerce")
	p.Repeat(t)
	if n := script.Heard("commerce"); n != 1 {
		t.Errorf("the bot was asked %d times", n)
	}
}

func answerFits(t *testing.T, _ *Script, p Platform) {
	for _, text := range []string{"电商", "long", "control"} {
		seen := p.Say(t, text)
		if seen.Nothing || seen.Text == "" {
			t.Errorf("%s: nothing seen", text)
		}
		if seen.Limit > 0 && seen.Size > seen.Limit {
			t.Errorf("%s: %d of at most %d", text, seen.Size, seen.Limit)
		}
		if !utf8.ValidString(seen.Text) || strings.ContainsAny(seen.Text, "\x00\x0b\ufffd") {
			t.Errorf("%s: damaged text", text)
		}
		for _, link := range seen.Links {
			if strings.HasPrefix(link, "https://example.org/") && !strings.Contains(link, "commerce-") {
				t.Errorf("%s: a cut link %q", text, link)
			}
		}
	}
	if seen := p.Say(t, "电商"); !strings.Contains(seen.Text, "微信电商 1") {
		t.Errorf("the best hit is gone: %q", seen.Text)
	}
}

func articleAndMarks(t *testing.T, _ *Script, p Platform) {
	seen := p.Say(t, "only link")
	if !strings.Contains(seen.Text, "Article <1>") || !contains(seen.Links, "https://example.org/a?x=1&y=2") {
		t.Errorf("seen: %+v", seen)
	}
	if seen := p.Say(t, "marked"); !strings.Contains(seen.Text, "a 微店 b") || !strings.Contains(seen.Text, "Related") {
		t.Errorf("seen: %q", seen.Text)
	}
}

func wordsLead(t *testing.T, _ *Script, p Platform) {
	seen := p.Say(t, "words that lead")
	if !strings.Contains(seen.Text, "Fill in our <form>") || !strings.Contains(seen.Text, "or a page.") || strings.Count(seen.Text, "form") != 1 || strings.Count(seen.Text, "page") != 1 {
		t.Errorf("the words are not once in their place: %q", seen.Text)
	}
	if !contains(seen.Links, "https://example.org/form?a=1&b=2") || !contains(seen.Links, "https://example.org/page") || contains(seen.Links, "https://example.org/nowhere") {
		t.Errorf("links = %q", seen.Links)
	}
	if seen := p.Say(t, "long, then a link"); strings.Contains(seen.Text, "The end") != contains(seen.Links, "https://example.org/end") {
		t.Errorf("a link without its words, or the reverse: %q", seen.Links)
	}
}

// shareURL is where the button below an article that is shown leads.
const shareURL = "https://t.me/share/url?url=https%3A%2F%2Ft.me%2Fexample_bot%3Fstart%3Da4711&text=Tea%20%26%20%22%E8%8C%B6%22"

// article is an article that is shown, with what may be done with it.
func article(label, text string) bot.Reply {
	return bot.Reply{Lang: "en", Groups: []bot.Group{{Cards: []bot.Card{{
		Article: 4711, Title: "Tea & \"茶\"", URL: "https://example.org/a/4711/tea", Snippet: bot.Snippet{Text: "First the shrimps, then the tea."},
	}}}}, Actions: []bot.Action{
		{Label: "Read on", URL: "https://example.org/a/4711/tea"}, {Label: label, Text: text}, {Label: "Share", URL: shareURL},
		{Label: "Back to the list", Text: "/back 93"},
	}}
}

// renewed takes the place of the message whose button was pressed, where it can.
func renewed(r bot.Reply) bot.Reply {
	r.Replace = "a4711"
	return r
}

func articleKept(t *testing.T, script *Script, p Platform) {
	seen := p.Say(t, "article")
	if !contains(seen.Links, shareURL) || !contains(seen.Links, "https://example.org/a/4711/tea") {
		t.Errorf("links = %q", seen.Links)
	}
	if !containsPart(seen.Buttons, "Back to the list") {
		t.Errorf("buttons = %q", seen.Buttons)
	}
	seen = p.Tap(t, "Save")
	if !strings.Contains(seen.Text, "First the shrimps") || !containsPart(seen.Buttons, "Remove from saved") || containsPart(seen.Buttons, "Save") || !contains(seen.Links, shareURL) {
		t.Errorf("after saving: %+v", seen)
	}
	if seen = p.Tap(t, "Remove from saved"); !containsPart(seen.Buttons, "Save") || containsPart(seen.Buttons, "Remove") {
		t.Errorf("after removing: %+v", seen)
	}
	if script.Heard("/save 4711 v") != 1 || script.Heard("/unsave 4711 v") != 1 {
		t.Errorf("the bot heard last %q", script.Last().Text)
	}
}

func hoursChosen(t *testing.T, script *Script, p Platform) {
	p.Say(t, "quiet")
	if seen := p.Tap(t, "22:00–8:00"); !strings.Contains(seen.Text, "without a sound") || script.Heard("/quiet 22:00-08:00") != 1 {
		t.Errorf("seen: %q", seen.Text)
	}
	p.Say(t, "quiet")
	if seen := p.Tap(t, "Page 2"); !strings.Contains(seen.Text, "The second page") {
		t.Errorf("a button of 64 bytes: seen %q, heard %q", seen.Text, script.Last().Text)
	}
}

// told names other sources on each card.
func told(r bot.Reply) bot.Reply {
	for i := range r.Groups[0].Cards {
		r.Groups[0].Cards[i].Also = bot.Also{Label: "Also in: ", Comma: ", ", Places: []bot.Place{
			{Name: "Gazette <b>", URL: "https://example.org/a/4811/commerce-gazette"}, {Name: "The Courier"}, {Name: "+2"},
		}}
	}
	return r
}

func alsoTold(t *testing.T, _ *Script, p Platform) {
	seen := p.Say(t, "told twice")
	if n := strings.Count(seen.Text, "Also in: Gazette <b>, The Courier, +2"); n != 2 {
		t.Errorf("the other sources are named %d times in:\n%s", n, seen.Text)
	}
	if !contains(seen.Links, "https://example.org/a/4811/commerce-gazette") {
		t.Errorf("links = %q", seen.Links)
	}
	seen = p.Say(t, "told too much")
	if seen.Limit > 0 && seen.Size > seen.Limit || !strings.Contains(seen.Text, "微信电商 1") {
		t.Errorf("%d of at most %d:\n%s", seen.Size, seen.Limit, seen.Text)
	}
}

// counted has everything that leads to an article count who opens it.
func counted(r bot.Reply) bot.Reply {
	for i := range r.Groups[0].Cards {
		card := &r.Groups[0].Cards[i]
		card.Counted = countedURL(card.Article)
		for k := range card.Also.Places {
			if place := &card.Also.Places[k]; place.URL != "" {
				place.Counted = countedURL(4811)
			}
		}
	}
	for i, a := range r.Actions {
		if a.URL != "" && a.URL != shareURL {
			r.Actions[i].Article, r.Actions[i].Counted = 4711, countedURL(4711)
		}
	}
	return r
}

func countedURL(article int64) string {
	return fmt.Sprintf("https://news.example.org/r/AFRGejuoeYkCHBrYkdADOfKI-%d", article)
}

func tapCounted(t *testing.T, _ *Script, p Platform) {
	seen := p.Say(t, "counted")
	if seen.Limit > 0 && seen.Size > seen.Limit || !strings.Contains(seen.Text, "微信电商 1") || !contains(seen.Links, countedURL(4711)) {
		t.Errorf("%d of at most %d, links %q:\n%s", seen.Size, seen.Limit, seen.Links, seen.Text)
	}
	both := seen
	seen = p.Say(t, "counted article")
	if !contains(seen.Links, countedURL(4711)) || !contains(seen.Links, shareURL) || !strings.Contains(seen.Text, "First the shrimps") {
		t.Errorf("seen: %+v", seen)
	}
	for _, link := range append(both.Links, seen.Links...) {
		if strings.HasPrefix(link, "https://example.org/") {
			t.Errorf("a tap leads past the count to %q", link)
		}
	}
	if strings.Contains(both.Text+seen.Text, "/r/") {
		t.Errorf("an address that counts is shown:\n%s\n%s", both.Text, seen.Text)
	}
	seen = p.Push(t, counted(List(2, "Digest", "New today.")))
	if !contains(seen.Links, countedURL(4712)) || contains(seen.Links, "https://example.org/a/4712/commerce-2") {
		t.Errorf("links of a digest: %q", seen.Links)
	}
}

func nothingWrong(t *testing.T, _ *Script, p Platform) {
	for _, text := range []string{"!fail", "nobody answers this"} {
		if seen := p.Say(t, text); strings.Contains(seen.Text, "purpose") {
			t.Errorf("%s: the reader sees internals: %q", text, seen.Text)
		}
	}
	if seen := p.Say(t, "second answer"); !strings.Contains(seen.Text, "the second") {
		t.Errorf("after a failure: %q", seen.Text)
	}
}

func pushArrives(t *testing.T, _ *Script, p Platform) {
	p.Say(t, "commerce")
	seen := p.Push(t, List(2, "Digest", "New today."))
	if !strings.Contains(seen.Text, "Digest 2") || !contains(seen.Links, "https://example.org/a/4712/commerce-2") {
		t.Errorf("seen: %+v", seen)
	}
}

func contains(list []string, want string) bool {
	for _, s := range list {
		if s == want {
			return true
		}
	}
	return false
}

func containsPart(list []string, want string) bool {
	for _, s := range list {
		if strings.Contains(s, want) {
			return true
		}
	}
	return false
}
