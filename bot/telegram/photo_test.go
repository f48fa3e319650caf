package telegram_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/telegram"
	"newsie/bot/telegram/telegramtest"
	"newsie/internal/database/databasetest"
)

// A gallery is where the fake server fetches pictures, whatever their address:
// those with "broken" in it are none.
type gallery struct {
	mu    sync.Mutex
	asks  []string
	heals bool // what was broken is there again
}

func (g *gallery) RoundTrip(r *http.Request) (*http.Response, error) {
	g.mu.Lock()
	g.asks = append(g.asks, r.URL.String())
	heals := g.heals
	g.mu.Unlock()
	w := httptest.NewRecorder()
	switch {
	case strings.Contains(r.URL.Path, "broken") && !heals:
		http.NotFound(w, r)
	case strings.Contains(r.URL.Path, "page"):
		w.Header().Set("Content-Type", "text/html")
	case strings.Contains(r.URL.Path, "strip"):
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(telegramtest.PNG(2100, 100))
	default:
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(telegramtest.PNG(900, 500))
	}
	return w.Result(), nil
}

func (g *gallery) heal() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.heals = true
}

func (g *gallery) asked() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asks
}

// shown is the view of one article.
func shown(cover string) bot.Reply {
	return bot.Reply{Lang: "it", Groups: []bot.Group{
		{Cards: []bot.Card{{Article: 7, Title: "La farinata", URL: "https://example.org/a/7/farinata", Source: "Cucina", Date: "1 marzo 2026", Cover: cover,
			Snippet: bot.Snippet{Text: "Acqua, ceci, olio. Il forno fa il resto."}}}},
		{Heading: "Da leggere ancora", Cards: []bot.Card{{Number: 1, Article: 8, Title: "Il forno a legna", URL: "https://example.org/a/8/forno", Open: "/read 8"}}},
	}, Actions: []bot.Action{{Label: "Continua a leggere", URL: "https://example.org/a/7/farinata"}, {Label: "Salva", Text: "/save 7"}}}
}

// A studio is a channel whose server can fetch pictures.
type studio struct {
	*telegramtest.Server
	t       *testing.T
	channel *telegram.Channel
	gallery *gallery
	now     *calendar
	counted map[string]int
	log     *journal
	setup   setup
}

func openStudio(t *testing.T) *studio {
	s := &studio{t: t, gallery: &gallery{}, now: &calendar{at: time.Unix(1_800_000_000, 0)}, counted: map[string]int{}}
	s.Server = telegramtest.Start(t, telegramtest.Options{Pictures: s.gallery})
	s.Chat(1)
	db := databasetest.SQLite(t)
	s.setup = setup{db: db, config: func(c *telegram.Config) {
		c.Now, c.PublicURL = s.now.Now, lantern
		c.Settings = bot.NewSettings(db, s.now.Now)
		c.Count = func(e string) { s.counted[e]++ }
	}}
	s.channel, _, _, s.log = build(t, s.Server, echo, s.setup)
	return s
}

func (s *studio) send(r bot.Reply) telegramtest.Message {
	s.t.Helper()
	if _, err := s.channel.Send(patient(s.t), bot.Outgoing{To: to("1"), Reply: r}); err != nil {
		s.t.Fatalf("%v\n%s", err, s.log)
	}
	answers := s.Chat(1).Answers()
	return answers[len(answers)-1]
}

func TestAnArticleHasItsCover(t *testing.T) {
	s := openStudio(t)
	m := s.send(shown("https://pictures.example/farinata.jpg"))
	if m.Photo == nil || m.Photo.URL != "https://pictures.example/farinata.jpg" {
		t.Fatalf("it has no cover: %+v", m)
	}
	want := "La farinata\nCucina · 1 marzo 2026\n\nAcqua, ceci, olio. Il forno fa il resto.\n\nDa leggere ancora\n1. Il forno a legna"
	if m.Caption != want {
		t.Errorf("caption:\n%s", m.Caption)
	}
	if got := strings.Join(m.Labels(), "|"); got != "Continua a leggere|1. Il forno a legna|Salva" || len(m.Buttons[0]) != 1 {
		t.Errorf("buttons %s", got)
	}
}

func TestACoverIsFetchedOnce(t *testing.T) {
	s := openStudio(t)
	first := s.send(shown("https://pictures.example/a.jpg"))
	again, _, _, _ := build(t, s.Server, echo, s.setup) // another process
	if _, err := again.Send(patient(t), bot.Outgoing{To: to("1"), Reply: shown("https://pictures.example/a.jpg")}); err != nil {
		t.Fatal(err)
	}
	if n := len(s.gallery.asked()); n != 1 {
		t.Errorf("fetched %d times: %v", n, s.gallery.asked())
	}
	calls := s.Calls("sendPhoto")
	if got := calls[1].Params["photo"]; got != first.Photo.FileID() {
		t.Errorf("the second time it was named %s", got)
	}
	s.now.Advance(31 * 24 * time.Hour)
	s.send(shown("https://pictures.example/a.jpg"))
	if n := len(s.gallery.asked()); n != 2 {
		t.Errorf("fetched %d times after a month", n)
	}
}

// The name of a picture is good for one bot alone; it is forgotten when the
// server does not know it.
func TestANameThatTheServerForgotIsReplaced(t *testing.T) {
	s := openStudio(t)
	s.send(shown("https://pictures.example/a.jpg"))
	other := openStudio(t)
	other.channel, _, _, _ = build(t, other.Server, echo, s.setup)
	if m := other.send(shown("https://pictures.example/a.jpg")); m.Photo == nil || m.Photo.URL == "" {
		t.Errorf("%+v", m)
	}
	var codes []int
	for _, c := range other.Calls("sendPhoto") {
		codes = append(codes, c.Code)
	}
	if len(codes) != 2 || codes[0] != 400 || codes[1] != 200 || other.counted["photo_refused"] != 0 {
		t.Errorf("codes %v, counted %v", codes, other.counted)
	}
}

// A host that was away for a moment does not cost its articles their covers for
// a day; one that stays away is asked less and less.
func TestACoverThatCannotBeFetchedIsTriedAgainLessAndLess(t *testing.T) {
	const cover = "https://pictures.example/broken.jpg"
	s := openStudio(t)
	tries := 0
	at := func(after time.Duration, tried bool, what string) {
		t.Helper()
		s.now.Advance(after)
		s.send(shown(cover))
		if tried {
			tries++
		}
		if n := len(s.Calls("sendPhoto")); n != tries || s.counted["photo_refused"] != tries {
			t.Fatalf("%s: tried %d times in all, want %d; counted %v", what, n, tries, s.counted)
		}
	}
	at(0, true, "at first")
	for i, pause := range []time.Duration{10 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 24 * time.Hour} {
		what := fmt.Sprintf("after failure %d", i+1)
		at(pause-time.Second, false, what)
		at(2*time.Second, true, what)
	}
	s.gallery.heal()
	s.now.Advance(25 * time.Hour)
	if m := s.send(shown(cover)); m.Photo == nil {
		t.Errorf("a cover that is there again is left out: %+v", m)
	}
	if m := s.send(shown(cover)); m.Photo == nil || len(s.Calls("sendPhoto")) != tries+2 {
		t.Errorf("a cover that once failed is left out: %+v", m)
	}
}

func TestACoverThatIsRefusedIsLeftOutForADay(t *testing.T) {
	for _, cover := range []string{"https://pictures.example/page", "https://pictures.example/strip.png"} {
		s := openStudio(t)
		for range 3 {
			m := s.send(shown(cover))
			if m.Photo != nil || !strings.HasPrefix(m.Text, "La farinata\n") || m.Preview != (telegramtest.Preview{URL: "https://example.org/a/7/farinata", Large: true, Above: true}) {
				t.Errorf("%s: %+v", cover, m)
			}
		}
		if n := len(s.Calls("sendPhoto")); n != 1 || s.counted["photo_refused"] != 1 {
			t.Errorf("%s: tried %d times, counted %v", cover, n, s.counted)
		}
		s.now.Advance(25 * time.Hour)
		s.send(shown(cover))
		if n := len(s.Calls("sendPhoto")); n != 2 {
			t.Errorf("%s: tried %d times on the next day", cover, n)
		}
	}
}

func TestCoversThatNobodyCanReachAreNotTried(t *testing.T) {
	s := openStudio(t)
	for _, cover := range []string{
		"", "http://localhost:8080/media/x.png", "http://127.0.0.1/x.png", "http://[::1]/x.png", "http://10.1.2.3/x.png", "http://192.168.0.9:8080/x.png",
		"http://[fd00::1]/x.png", "http://169.254.1.1/x.png", "http://nas.local/x.png", "http://news.internal./x.png", "ftp://pictures.example/x.png", "data:image/png;base64,xx",
	} {
		if m := s.send(shown(cover)); m.Photo != nil || m.Text == "" {
			t.Errorf("%q: %+v", cover, m)
		}
	}
	if calls := s.Calls("sendPhoto"); len(calls) != 0 {
		t.Errorf("tried %v", calls)
	}
}

// Our own pictures are asked for in a size that the server takes.
func TestOurOwnCoversAreOfASizeThatIsTaken(t *testing.T) {
	s := openStudio(t)
	s.send(shown(lantern + "/media/abc.png"))
	if got := s.gallery.asked(); len(got) != 1 || got[0] != lantern+"/media/abc.png?cover=900x500" {
		t.Errorf("asked for %v", got)
	}
}

func TestCaptionsAreCountedAsTheServerDoes(t *testing.T) {
	s := openStudio(t)
	frame := len([]rune("La farinata\nCucina · 1 marzo 2026\n\n\n\nDa leggere ancora\n1. Il forno a legna"))
	long := func(letter string, n int) bot.Reply {
		r := shown("https://pictures.example/a.jpg")
		r.Groups[0].Cards[0].Snippet.Text = strings.Repeat(letter, n)
		return r
	}
	for _, test := range []struct {
		name  string
		reply bot.Reply
		units int
		whole bool
	}{
		{"1,024", long("x", 1024-frame), 1024, true},
		{"1,025", long("x", 1025-frame), 1024, false},
		{"1,024 of Chinese", long("微", 1024-frame), 1024, true},
		{"1,025 of Chinese", long("微", 1025-frame), 1024, false},
		{"1,024 of &", long("&", 1024-frame), 1024, true},
		{"emoji of two units", long("😀", (1024-frame)/2), 1024, true},
		{"families", long("👨‍👩‍👧‍👦", 200), 1024, false},
		{"flags", long("🇮🇹", 400), 1024, false},
		{"marks", long("e\u0301\u0302", 500), 1024, false},
		{"Hebrew", long("שלום לכולם. ", 120), 1024, false},
	} {
		m := s.send(test.reply)
		if m.Photo == nil || m.Units() > 1024 || m.Units() < 700 || len(m.Entities) > 100 {
			t.Errorf("%s: %d units, %d entities, photo %v", test.name, m.Units(), len(m.Entities), m.Photo)
		}
		whole := strings.Contains(m.Caption, test.reply.Groups[0].Cards[0].Snippet.Text)
		if whole != test.whole || !strings.HasSuffix(m.Caption, "1. Il forno a legna") {
			t.Errorf("%s: whole %v: %s", test.name, whole, m.Caption)
		}
	}
}

// What a caption has no room for, beside a fair part of the summary, makes the
// article a text with a large preview.
func TestRelatedArticlesAreNotGivenUpForACover(t *testing.T) {
	s := openStudio(t)
	r := shown("https://pictures.example/a.jpg")
	r.Groups[0].Cards[0].Snippet.Text = strings.TrimSpace(strings.Repeat("Some words. ", 50))
	for len(r.Groups[1].Cards) < 5 {
		c := r.Groups[1].Cards[0]
		c.Number = len(r.Groups[1].Cards) + 1
		c.Title = strings.Repeat("A long title ", 13)
		r.Groups[1].Cards = append(r.Groups[1].Cards, c)
	}
	m := s.send(r)
	if m.Photo != nil || !strings.Contains(m.Text, "\n5. A long") || !strings.Contains(m.Text, r.Groups[0].Cards[0].Snippet.Text) || !m.Preview.Large {
		t.Errorf("%+v", m)
	}
	if len(s.gallery.asked()) != 0 {
		t.Error("the cover was fetched for nothing")
	}
}

func TestACaptionThatIsRefusedGoesPlain(t *testing.T) {
	s := openStudio(t)
	s.Fail("sendPhoto", telegramtest.RefuseEntities)
	m := s.send(shown("https://pictures.example/a.jpg"))
	if m.Photo == nil || !m.Plain || !strings.Contains(m.Caption, "Il forno fa il resto.") || s.counted["html_refused"] != 1 {
		t.Errorf("%+v, counted %v", m, s.counted)
	}
}

// A call whose end is unknown is not followed by another way.
func TestACoverOfUnknownFateIsNotSentAgain(t *testing.T) {
	for _, fault := range []telegramtest.Fault{telegramtest.ResetAfter, telegramtest.ServerError, telegramtest.BadGateway, telegramtest.ResetBefore} {
		s := openStudio(t)
		s.Fail("sendPhoto", fault)
		_, err := s.channel.Send(patient(t), bot.Outgoing{To: to("1"), Reply: shown("https://pictures.example/a.jpg")})
		if !errors.Is(err, bot.ErrUnknown) || len(s.Calls("sendMessage")) != 0 || len(s.Calls("sendPhoto")) > 1 {
			t.Errorf("%s: %v, then %v", fault, err, s.Calls(""))
		}
	}
	s := openStudio(t)
	s.Fail("sendPhoto", telegramtest.TooMany)
	var retry *bot.RetryError
	if _, err := s.channel.Send(patient(t), bot.Outgoing{To: to("1"), Reply: shown("https://pictures.example/a.jpg")}); !errors.As(err, &retry) || len(s.Calls("sendMessage")) != 0 {
		t.Errorf("429: %v", err)
	}
}

// An answer that replaces a picture is one again, or comes anew.
func TestAPictureIsReplacedByAPicture(t *testing.T) {
	gallery := &gallery{}
	saved := shown("https://pictures.example/a.jpg")
	saved.Actions[1].Label, saved.Replace = "Salvato", "7"
	list := bot.Reply{Lang: "it", Text: "Elenco", Replace: "7"}
	r := start(t, func(_ context.Context, m bot.Message) (bot.Reply, error) {
		switch m.Text {
		case "/save 7":
			return saved, nil
		case "/read 8":
			return list, nil
		}
		return shown("https://pictures.example/a.jpg"), nil
	}, setup{server: telegramtest.Options{Pictures: gallery}})
	chat := r.Chat(1)
	chat.Say("farinata")
	r.wait(t, chat, 1)
	if _, err := chat.Tap("Salva"); err != nil {
		t.Fatal(err)
	}
	got := r.until(t, chat, func(all []telegramtest.Message) bool { return all[0].Edits == 1 })
	if len(got) != 1 || got[0].Photo == nil || got[0].Labels()[2] != "Salvato" {
		t.Fatalf("%+v\n%s", got, r.log)
	}
	if _, err := chat.Tap("Salvato"); err != nil { // says the same once more
		t.Fatal(err)
	}
	if err := r.Until(patient(t), func() bool { return len(r.Calls("editMessageMedia")) == 2 }); err != nil {
		t.Fatal(err)
	}
	if _, err := chat.Tap("1."); err != nil {
		t.Fatal(err)
	}
	got = r.wait(t, chat, 2)
	if len(got) != 2 || got[0].Photo == nil || got[0].Edits != 1 || got[1].Text != "Elenco" {
		t.Errorf("%+v\n%s", got, r.log)
	}
	if n := len(gallery.asked()); n != 1 {
		t.Errorf("the cover was fetched %d times", n)
	}
	if calls := r.Calls("editMessageText"); len(calls) != 0 {
		t.Errorf("tried to make a text of a picture: %v", calls)
	}
}

// The answer to a question that the reader changed: the old one was a picture.
func TestAnAnswerToAnEditReplacesWhatItCan(t *testing.T) {
	r := start(t, func(_ context.Context, m bot.Message) (bot.Reply, error) {
		if m.Text == "cover" {
			return shown("https://pictures.example/a.jpg"), nil
		}
		return bot.Reply{Lang: "it", Text: m.Text}, nil
	}, setup{server: telegramtest.Options{Pictures: &gallery{}}})
	chat := r.Chat(1)
	question := chat.Say("cover")
	r.wait(t, chat, 1)
	r.quiet(t)
	chat.Edit(question, "words")
	got := r.wait(t, chat, 2)
	if len(got) != 2 || got[0].Photo == nil || got[1].Text != "words" {
		t.Errorf("%+v\n%s", got, r.log)
	}
	r.quiet(t)
	chat.Edit(question, "other words")
	got = r.until(t, chat, func(all []telegramtest.Message) bool { return len(all) > 2 || all[1].Edits > 0 })
	if len(got) != 2 || got[1].Text != "other words" {
		t.Errorf("%+v\n%s", got, r.log)
	}
}

// until waits until the bot's messages are as wanted.
func (r *rig) until(t *testing.T, c *telegramtest.Chat, wanted func([]telegramtest.Message) bool) []telegramtest.Message {
	t.Helper()
	messages, err := c.WaitFor(patient(t), wanted)
	if err != nil {
		t.Fatalf("%v\n%s", err, r.log)
	}
	return messages
}

func TestPostsCarryNoButtonsOfOneReader(t *testing.T) {
	s := openStudio(t)
	news := s.Channel(-200, "the_news")
	r := shown("https://pictures.example/a.jpg")
	for _, id := range []string{"*@the_news", "*-200"} {
		if _, err := s.channel.Send(patient(t), bot.Outgoing{To: to(id), Reply: r}); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
	}
	posts := news.Answers()
	if len(posts) != 2 {
		t.Fatalf("%d posts", len(posts))
	}
	for _, m := range posts {
		if got := strings.Join(m.Labels(), "|"); got != "Continua a leggere" || m.Photo == nil {
			t.Errorf("buttons %s of %+v", got, m)
		}
	}
}
