package wechat_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/png"
	"net/http"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// A desk is an account that sends to all, with the articles and the ledger
// behind it.
type desk struct {
	*stage
	articles []content.Article
	pictures map[string][]byte
	asked    []string // addresses of pictures
	waiting  bool     // the ledger waits for results
	results  []string
	told     []string
}

func newDesk(t testing.TB, db *database.DB, options ...option) *desk {
	t.Helper()
	d := &desk{pictures: map[string][]byte{}, waiting: true}
	d.stage = startOn(t, db, echo, append([]option{verified, func(_ *wechattest.Account, c *wechat.Config) {
		c.Mass = wechat.Mass{On: true}
		c.Articles = func(_ context.Context, ids []int64) ([]content.Article, error) {
			var list []content.Article
			for _, id := range ids {
				for _, a := range d.articles {
					if a.ID == id {
						list = append(list, a)
					}
				}
			}
			return list, nil
		}
		c.Picture = func(_ context.Context, address string) ([]byte, error) {
			d.asked = append(d.asked, address)
			if data := d.pictures[address]; data != nil {
				return data, nil
			}
			return nil, errors.New("no such picture")
		}
		c.Result = func(_ context.Context, id string, sent bool, note string) (bool, error) {
			if d.waiting {
				d.results = append(d.results, fmt.Sprintf("%v: %s", sent, note))
			}
			return d.waiting, nil
		}
		c.Notify = func(_ context.Context, key, text string) { d.told = append(d.told, text) }
	}}, options...)...)
	return d
}

func monthly(a *wechattest.Account, c *wechat.Config) {
	a.Service, c.Account = true, wechat.Service
}

// write adds articles and gives the digest of all there are.
func (d *desk) write(list ...content.Article) bot.Reply {
	for _, a := range list {
		if a.ID == 0 {
			a.ID = int64(len(d.articles) + 1)
		}
		if a.Title == "" {
			a.Title = fmt.Sprintf("Article %d", a.ID)
		}
		if a.Body == nil {
			a.Body = []content.Block{{Kind: content.Paragraph, Text: "A paragraph."}}
		}
		a.Hash = fmt.Sprint("hash ", a.ID)
		d.articles = append(d.articles, a)
	}
	r := bot.Reply{Lang: "zh-Hans", Groups: []bot.Group{{}}}
	for _, a := range d.articles {
		r.Groups[0].Cards = append(r.Groups[0].Cards, bot.Card{Article: a.ID, Title: a.Title, URL: fmt.Sprintf("https://news.example/a/%d", a.ID)})
	}
	return r
}

func (d *desk) mass(key string, r bot.Reply, audience ...string) (bot.Receipt, error) {
	to := bot.Everybody
	if len(audience) > 0 {
		to = audience[0]
	}
	return d.channel.Send(context.Background(), bot.Outgoing{Key: key, To: bot.ChatID{Channel: "wx", ID: to}, Reply: r})
}

func (d *desk) mustMass(t testing.TB, key string, r bot.Reply) bot.Receipt {
	t.Helper()
	receipt, err := d.mass(key, r)
	if err != nil {
		t.Fatal(err)
	}
	if receipt.Way != "mass" || !receipt.Pending || receipt.ProviderID == "" {
		t.Fatalf("receipt %+v", receipt)
	}
	return receipt
}

// sheet is an article of the last draft that was sent.
func (d *desk) sheet(t testing.TB, i int) wechattest.Article {
	t.Helper()
	masses := d.Masses()
	if len(masses) == 0 {
		t.Fatal("nothing was sent")
	}
	list := masses[len(masses)-1].Draft.Articles
	if i >= len(list) {
		t.Fatalf("%d articles were sent", len(list))
	}
	return list[i]
}

// rows counts the channel's settings that begin so.
func (d *desk) rows(t testing.TB, prefix string) int {
	t.Helper()
	values, err := d.config.Settings.List(t.Context(), "wechat/wx/"+prefix)
	if err != nil {
		t.Fatal(err)
	}
	return len(values)
}

func picture(t testing.TB, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAMassSendReachesEverybody(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		d := newDesk(t, db)
		readers := []*wechattest.Reader{d.Reader("reader-1"), d.Reader("reader-2"), d.Reader("reader-3")}
		for _, r := range readers[:2] {
			r.Subscribe()
		}
		d.pictures["/media/cover.png"] = picture(t, 40, 40)
		r := d.write(content.Article{Title: "微店开张", Author: "王小明", Cover: "/media/cover.png", Summary: "摘要。"}, content.Article{})
		receipt := d.mustMass(t, "newsie-key-1", r)
		masses := d.Masses()
		if len(masses) != 1 || masses[0].ClientID != "newsie-key-1" || masses[0].Readers != 2 || fmt.Sprint(masses[0].ID) != receipt.ProviderID {
			t.Fatalf("%+v, receipt %+v", masses, receipt)
		}
		first := d.sheet(t, 0)
		if first.Title != "微店开张" || first.Author != "王小明" || first.SourceURL != "https://news.example/a/1" || first.Digest != "" {
			t.Errorf("%+v", first)
		}
		thumb, ok := d.Material(first.Thumb)
		if !ok || thumb.Format != "jpeg" || thumb.Width != 900 || thumb.Height != 500 {
			t.Errorf("the cover is %+v", thumb)
		}
		if plain, ok := d.Material(d.sheet(t, 1).Thumb); !ok || plain.ID == thumb.ID {
			t.Errorf("an article without a picture has the cover %+v", plain)
		}
		if err := d.FinishMass(wechattest.MassSuccess); err != nil {
			t.Fatal(err)
		}
		for i, reader := range readers {
			var news []wechattest.News
			for _, b := range reader.Phone() {
				news = append(news, b.News...)
			}
			if want := map[int]int{0: 2, 1: 2, 2: 0}[i]; len(news) != want {
				t.Errorf("reader %d sees %d articles, want %d", i+1, len(news), want)
			}
		}
		if want := "true: 2 readers: sent to 2, filtered out 2, failed 0"; len(d.results) != 1 || d.results[0] != want {
			t.Errorf("results %q, want %q", d.results, want)
		}
		if err := d.channel.FollowUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := d.rows(t, "mass/"); n != 0 || len(d.Drafts()) != 0 {
			t.Errorf("%d rows and %d drafts are left", n, len(d.Drafts()))
		}
		// The next day's uses the covers that are there.
		d.clock.Advance(24 * time.Hour)
		uploads := d.Calls(wechattest.MaterialAdd)
		d.mustMass(t, "newsie-key-2", r)
		if n := d.Calls(wechattest.MaterialAdd); n != uploads {
			t.Errorf("%d covers were uploaded again", n-uploads)
		}
	})
}

func TestAMassSendToATag(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t))
	d.Reader("reader-1").Subscribe()
	r := d.write(content.Article{})
	if _, err := d.mass("key-1", r, "*2"); err != nil {
		t.Fatal(err)
	}
	if m := d.Masses(); len(m) != 1 || m[0].Tag != 2 {
		t.Errorf("%+v", m)
	}
	d.clock.Advance(24 * time.Hour)
	_, err := d.mass("key-2", r, "*999")
	if kind(err) != "given up" || !strings.Contains(err.Error(), "45159") {
		t.Errorf("an unknown tag: %v", err)
	}
	for _, audience := range []string{"*x", "*-1", "*0", "*2 "} {
		if _, err := d.mass("key-3", r, audience); kind(err) != "given up" {
			t.Errorf("%q: %v", audience, err)
		}
	}
	// What was refused did not use up the day.
	d.mustMass(t, "key-4", r)
}

func TestWhoMayNotSendToAll(t *testing.T) {
	for name, change := range map[string]option{
		"not configured": func(_ *wechattest.Account, c *wechat.Config) { c.Mass.On = false },
		"not verified":   func(_ *wechattest.Account, c *wechat.Config) { c.Account = wechat.Unverified },
		"refused":        func(a *wechattest.Account, _ *wechat.Config) { a.Verified = false },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, databasetest.SQLite(t), change)
			_, err := d.mass("key", d.write(content.Article{}))
			if kind(err) != "given up" {
				t.Errorf("%v", err)
			}
			if len(d.told) != 1 {
				t.Errorf("the publisher was told %q", d.told)
			}
			if name != "refused" && d.Calls(wechattest.StableToken) != 0 {
				t.Error("the platform was asked")
			}
		})
	}
}

func TestLimitsOfADraft(t *testing.T) {
	long := strings.Repeat("长", 33)
	family := "👨‍👩‍👧‍👦"
	for name, test := range map[string]struct {
		article content.Article
		check   func(a wechattest.Article) error
	}{
		"just long enough": {content.Article{Title: long[:32*3], Author: long[:16*3]}, func(a wechattest.Article) error {
			if a.Title != long[:32*3] || a.Author != long[:16*3] {
				return fmt.Errorf("title %q, author %q", a.Title, a.Author)
			}
			return nil
		}},
		"one over": {content.Article{Title: long, Author: long[:17*3], Summary: strings.Repeat("摘", 129)}, func(a wechattest.Article) error {
			if a.Title != long[:31*3]+"…" || a.Author != long[:15*3]+"…" || a.Digest != strings.Repeat("摘", 127)+"…" {
				return fmt.Errorf("title %q, author %q, digest %q", a.Title, a.Author, a.Digest)
			}
			return nil
		}},
		"emoji are not cut": {content.Article{Title: strings.Repeat(family, 9)}, func(a wechattest.Article) error {
			if a.Title != strings.Repeat(family, 2)+"…" {
				return fmt.Errorf("title %q", a.Title)
			}
			return nil
		}},
		"words are not cut": {content.Article{Title: "How the telegraph conquered the world of commerce"}, func(a wechattest.Article) error {
			if a.Title != "How the telegraph conquered the…" {
				return fmt.Errorf("title %q", a.Title)
			}
			return nil
		}},
		"no title": {content.Article{Title: " \u0007 ", Summary: "What it is about."}, func(a wechattest.Article) error {
			if a.Title != "What it is about." {
				return fmt.Errorf("title %q", a.Title)
			}
			return nil
		}},
		"no title, no summary": {content.Article{Title: " ", Body: []content.Block{{Kind: content.Paragraph, Text: "The text itself."}}}, func(a wechattest.Article) error {
			if a.Title != "The text itself." {
				return fmt.Errorf("title %q", a.Title)
			}
			return nil
		}},
		"nothing at all": {content.Article{Title: " ", Body: []content.Block{{Kind: content.Picture, URL: "/media/none.png"}}}, func(a wechattest.Article) error {
			if a.Title != "wx" {
				return fmt.Errorf("title %q", a.Title)
			}
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, databasetest.SQLite(t))
			d.mustMass(t, "key", d.write(test.article))
			if err := test.check(d.sheet(t, 0)); err != nil {
				t.Error(err)
			}
		})
	}
	d := newDesk(t, databasetest.SQLite(t))
	d.mustMass(t, "key", d.write(make([]content.Article, 12)...))
	if n := len(d.Masses()[0].Draft.Articles); n != 8 {
		t.Errorf("%d articles, want 8", n)
	}
	d = newDesk(t, databasetest.SQLite(t), func(_ *wechattest.Account, c *wechat.Config) { c.Mass.Articles = 3 })
	d.mustMass(t, "key", d.write(make([]content.Article, 12)...))
	if n := len(d.Masses()[0].Draft.Articles); n != 3 {
		t.Errorf("%d articles, want 3", n)
	}
}

func TestNothingIsLeftToSend(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t))
	r := d.write(content.Article{}, content.Article{})
	d.articles = nil // withdrawn meanwhile
	if _, err := d.mass("key", r); kind(err) != "given up" {
		t.Errorf("%v", err)
	}
	if len(d.Masses())+len(d.Drafts()) != 0 {
		t.Error("something was sent")
	}
}

func TestPicturesOfAMassSend(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t))
	block := func(address string) content.Block {
		return content.Block{Kind: content.Picture, URL: address, Text: "<a picture>"}
	}
	d.pictures["/media/one.png"] = picture(t, 10, 10)
	d.pictures["https://elsewhere.example/two.png"] = picture(t, 20, 10)
	d.pictures["/media/bad.png"] = []byte("no picture at all")
	r := d.write(content.Article{Cover: "/media/bad.png", Body: []content.Block{
		block("/media/one.png"), {Kind: content.Paragraph, Text: "between"}, block("https://elsewhere.example/two.png"),
		block("/media/bad.png"), block("/media/gone.png"), block("/media/one.png"),
	}})
	d.mustMass(t, "key", r)
	got := d.sheet(t, 0)
	if n := strings.Count(got.Content, "<img "); n != 3 {
		t.Errorf("%d pictures, want 3: %s", n, got.Content)
	}
	if strings.Contains(got.Content, "elsewhere.example") || len(got.Lost) != 0 {
		t.Errorf("foreign pictures: %s (%v)", got.Content, got.Lost)
	}
	if n := d.Calls(wechattest.ImageUpload); n != 2 {
		t.Errorf("%d uploads, want 2", n)
	}
	d.clock.Advance(24 * time.Hour)
	d.mustMass(t, "key-2", r)
	if n := d.Calls(wechattest.ImageUpload); n != 2 {
		t.Errorf("%d uploads after the second, want 2", n)
	}
}

func TestOnlySoManyPictures(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t))
	var list []content.Article
	for i := range 3 {
		a := content.Article{}
		for j := range 9 {
			address := fmt.Sprintf("/media/%d-%d.png", i, j)
			d.pictures[address] = picture(t, i+1, j+1)
			a.Body = append(a.Body, content.Block{Kind: content.Picture, URL: address})
		}
		list = append(list, a)
	}
	d.mustMass(t, "key", d.write(list...))
	if n := d.Calls(wechattest.ImageUpload); n != 20 {
		t.Errorf("%d uploads, want 20", n)
	}
}

// A picture that the platform takes only smaller, or as another kind.
func TestPicturesAreMadeToFit(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t))
	noise := image.NewNRGBA(image.Rect(0, 0, 1400, 900))
	for i := range noise.Pix {
		noise.Pix[i] = byte(i * i >> 3)
	}
	var large, small bytes.Buffer
	if err := png.Encode(&large, noise); err != nil {
		t.Fatal(err)
	}
	if err := gif.Encode(&small, noise.SubImage(image.Rect(0, 0, 20, 20)), nil); err != nil {
		t.Fatal(err)
	}
	if large.Len() < 1<<20 {
		large.Write(make([]byte, 1<<20)) // what follows a picture is not read
	}
	d.pictures["/media/large.png"], d.pictures["/media/small.gif"] = large.Bytes(), small.Bytes()
	d.mustMass(t, "key", d.write(content.Article{Body: []content.Block{{Kind: content.Picture, URL: "/media/large.png"}, {Kind: content.Picture, URL: "/media/small.gif"}}}))
	bodies := 0
	for _, m := range d.Materials() {
		if m.Type == "body" {
			bodies++
			if m.Format != "jpeg" || m.Width > 1080 {
				t.Errorf("%+v", m)
			}
		}
	}
	if bodies != 2 {
		t.Errorf("%d pictures", bodies)
	}
}

// Trouble with pictures delays a mass send a little, and never ends it.
func TestTheSendGoesOnWithoutPictures(t *testing.T) {
	for name, break_ := range map[string]func(d *desk){
		"refused":    func(d *desk) { d.Fail(wechattest.ImageUpload, 40009) },
		"no more":    func(d *desk) { d.Fail(wechattest.ImageUpload, 45009) },
		"5xx":        func(d *desk) { d.FailStatus(wechattest.ImageUpload, http.StatusBadGateway) },
		"busy":       func(d *desk) { d.Fail(wechattest.ImageUpload, -1, -1, -1, -1, -1, -1, -1) },
		"cover":      func(d *desk) { d.Fail(wechattest.MaterialAdd, 40009) },
		"cover busy": func(d *desk) { d.Fail(wechattest.MaterialAdd, -1, -1, -1, -1) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, databasetest.SQLite(t))
			d.pictures["/media/one.png"] = picture(t, 10, 10)
			r := d.write(content.Article{Cover: "/media/one.png", Body: []content.Block{
				{Kind: content.Picture, URL: "/media/one.png"}, {Kind: content.Paragraph, Text: "words"},
			}})
			break_(d)
			var err error
			for range 6 {
				if _, err = d.mass("key", r); kind(err) != "wait" {
					break
				}
				d.clock.Advance(time.Minute)
			}
			if err != nil || len(d.Masses()) != 1 || !strings.Contains(d.sheet(t, 0).Content, "words") {
				t.Errorf("%v, %d sent", err, len(d.Masses()))
			}
		})
	}
}

func TestACoverThatWasDeletedOnThePlatform(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t))
	d.pictures["/media/one.png"] = picture(t, 10, 10)
	r := d.write(content.Article{Cover: "/media/one.png"})
	d.Fail(wechattest.DraftAdd, 40007)
	d.mustMass(t, "key", r)
	if n := d.Calls(wechattest.MaterialAdd); n != 2 {
		t.Errorf("%d covers uploaded, want 2", n)
	}
	d.clock.Advance(24 * time.Hour)
	d.Fail(wechattest.DraftAdd, 40007, 40007)
	if _, err := d.mass("key-2", r); kind(err) != "given up" {
		t.Errorf("for ever: %v", err)
	}
}

func TestTheChannelsOwnCover(t *testing.T) {
	own := picture(t, 90, 50)
	d := newDesk(t, databasetest.SQLite(t), func(_ *wechattest.Account, c *wechat.Config) { c.Mass.Cover = own })
	d.mustMass(t, "key", d.write(content.Article{}, content.Article{Cover: "https://elsewhere.example/gone.png"}))
	if a, b := d.sheet(t, 0).Thumb, d.sheet(t, 1).Thumb; a != b || d.Calls(wechattest.MaterialAdd) != 1 {
		t.Errorf("covers %s and %s, %d uploads", a, b, d.Calls(wechattest.MaterialAdd))
	}
}
