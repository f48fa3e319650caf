package main_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"strings"
	"testing"
	"time"

	"newsie/bot/wechat/wechattest"
)

const massConfig = `
name: The Lantern
listen: %[1]s
public_url: https://news.example.org
channels:
  all: {kind: wechat, language: zh-Hans, languages: [en], zone: UTC, account: subscription, first_digest: archive, %[2]s,
    mass: {schedule: "%[4]s", articles: 2, cover: cover.png}}
  seen: {kind: wechat, zone: UTC, account: subscription, first_digest: archive, %[3]s,
    mass: {schedule: "%[4]s", topic: commerce, preview: publisher-1}}
`

// An account's digest goes to all its followers when its time comes, once; where
// the publisher wants to see it first, it goes nowhere when it is cancelled then.
func TestAMassSendGoesOutAtItsTime(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		all, seen := wechattest.New(t, wechattest.Account{Verified: true}, nil), wechattest.New(t, wechattest.Account{Verified: true}, nil)
		all.Auto()
		address := freeAddress(t)
		account := func(s *wechattest.Server) string {
			return fmt.Sprintf("app_id: %q, app_secret: %q, token: %q, aes_key: %q, api_url: %q", s.AppID, s.Secret, s.Token, s.AESKey, s.URL)
		}
		slot := time.Now().UTC().Add(-10 * time.Minute)
		in.write("newsie.yaml", fmt.Sprintf(massConfig, address, account(all), account(seen), slot.Format("4 15 * * *")))
		all.ConnectURL("http://" + address + "/hooks/wechat/all")
		seen.ConnectURL("http://" + address + "/hooks/wechat/seen")
		var drawn bytes.Buffer
		if err := png.Encode(&drawn, image.NewNRGBA(image.Rect(0, 0, 64, 48))); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"cover.png", "library/stall.png"} {
			in.write(name, "")
			if err := os.WriteFile(in.path(name), drawn.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		in.write("library/market.md", "---\ntitle: The Saturday market takes phones\ndate: 2026-01-10\ntags: [commerce]\n---\nAt six the square fills with stalls. The fishmonger has hung a code on his scale, and half of his customers pay with the phone.\n\n![A stall](stall.png)\n\nCash is still welcome in this market of commerce.\n")
		in.write("library/tea.md", "---\ntitle: Tea on the night train\ndate: 2026-02-01\n---\nThe attendant brings tea at ten in a glass with a metal holder. The water comes from a samovar at the end of the carriage.\n")
		in.write("library/mercato.md", "---\ntitle: Il mercato del sabato\ndate: 2026-02-02\n---\nAlle sei la piazza si riempie di bancarelle. Il pescivendolo ha appeso un codice alla bilancia e metà dei clienti paga con il telefono.\n")
		in.must("import", "library")

		server := in.serve()
		readers := []*wechattest.Reader{all.Reader("reader-1"), all.Reader("reader-2")}
		for _, r := range readers {
			r.Subscribe()
		}
		publisher := seen.Reader("publisher-1")
		publisher.Subscribe()
		// Today's time has come: as if newsie had been down ten minutes ago.
		db := in.open()
		if _, err := db.ExecContext(t.Context(), "UPDATE follows SET next_due_at = ?", slot.Truncate(time.Minute).UnixMilli()); err != nil {
			t.Fatal(err)
		}

		var sent []delivery
		in.until("the mass send and its report", func() bool {
			return in.deliveries("all", "sent") == 1
		})
		in.read(&sent, "digest", "deliveries", "--json", "--channel", "all", "--state", "sent")
		if len(sent) != 1 {
			t.Fatalf("sent are %+v", sent)
		}
		all.Wait()
		for i, r := range readers {
			news := newsOn(r, "mass")
			if want := []string{"Tea on the night train", "The Saturday market takes phones"}; fmt.Sprint(news) != fmt.Sprint(want) {
				t.Errorf("reader %d sees %q, want %q", i+1, news, want)
			}
		}
		if d := sent[0]; d.Way != "mass" || d.Error != "" || d.Chat != "*" || !strings.HasPrefix(d.Note, "by mass send: 2 readers: sent to 2") {
			t.Errorf("the ledger says %+v", d)
		}
		if sent[0].ProviderID == "" {
			t.Error("the ledger has no number of WeChat's")
		}
		if out := in.must("digest", "deliveries", "--state", "sent"); !strings.Contains(out, "by mass send: 2 readers: sent to 2") {
			t.Errorf("it is listed as %q", out)
		}
		// What failed has an error instead of a note.
		if _, err := db.ExecContext(t.Context(), "UPDATE deliveries SET state = 'failed' WHERE id = ?", sent[0].ID); err != nil {
			t.Fatal(err)
		}
		var failed []delivery
		in.read(&failed, "digest", "deliveries", "--json", "--state", "failed")
		if len(failed) != 1 || failed[0].Note != "" || !strings.HasPrefix(failed[0].Error, "2 readers") {
			t.Errorf("what failed is told as %+v", failed)
		}
		if _, err := db.ExecContext(t.Context(), "UPDATE deliveries SET state = 'sent' WHERE id = ?", sent[0].ID); err != nil {
			t.Fatal(err)
		}
		checkMass(t, all)

		var planned []delivery
		in.until("the preview", func() bool {
			if len(newsOn(publisher, "preview")) != 1 || in.deliveries("seen", "planned") != 1 {
				return false
			}
			in.read(&planned, "digest", "deliveries", "--json", "--channel", "seen", "--state", "planned")
			return len(planned) == 1 && planned[0].Note != ""
		})
		if note := planned[0].Note; !strings.HasPrefix(note, "its preview was shown; it goes to everybody at ") || !strings.Contains(note, fmt.Sprintf("newsie digest cancel %d ", planned[0].ID)) {
			t.Errorf("the note is %q", note)
		}
		if out := in.must("digest", "cancel", fmt.Sprint(planned[0].ID)); !strings.Contains(out, "is cancelled") {
			t.Errorf("cancel says %q", out)
		}
		if _, stderr, err := in.run("digest", "cancel", fmt.Sprint(sent[0].ID)); err == nil || !strings.Contains(stderr, "it is sent") {
			t.Errorf("what was sent can be cancelled: %v %s", err, stderr)
		}
		if n := in.deliveries("seen", "cancelled"); n != 1 {
			t.Errorf("%d deliveries are cancelled", n)
		}

		// What an administrator has still to confirm is told as such.
		if _, err := db.ExecContext(t.Context(), "UPDATE deliveries SET state = 'accepted', error = '' WHERE id = ?", planned[0].ID); err != nil {
			t.Fatal(err)
		}
		if out := in.must("digest", "deliveries", "--state", "accepted"); !strings.Contains(out, "waits for WeChat (an administrator may have to confirm it in WeChat within 30 minutes)") {
			t.Errorf("what waits for WeChat is listed as %q", out)
		}
		if _, stderr, err := in.run("digest", "cancel", fmt.Sprint(planned[0].ID)); err == nil || !strings.Contains(stderr, "an administrator can refuse it") {
			t.Errorf("%v %s", err, stderr)
		}

		// A restart sends nothing again.
		server.kill()
		in.serve()
		in.until("a plan after the restart", func() bool {
			return count(t, db, "SELECT COUNT(*) FROM follows WHERE next_due_at > ?", time.Now().UnixMilli()) == 2
		})
		if len(all.Masses()) != 1 || len(seen.Masses()) != 0 {
			t.Errorf("%d and %d mass sends, want 1 and none", len(all.Masses()), len(seen.Masses()))
		}
	})
}

// A delivery is what newsie deliveries --json says of one.
type delivery struct {
	ID         int64  `json:"id"`
	Chat       string `json:"chat"`
	Way        string `json:"way"`
	ProviderID string `json:"provider_id"`
	Error      string `json:"error"`
	Note       string `json:"note"`
}

// newsOn lists the articles that a reader got in one way.
func newsOn(r *wechattest.Reader, kind string) []string {
	var titles []string
	for _, b := range r.Phone() {
		for _, n := range b.News {
			if b.Kind == kind {
				titles = append(titles, n.Title)
			}
		}
	}
	return titles
}

func checkMass(t *testing.T, platform *wechattest.Server) {
	t.Helper()
	masses := platform.Masses()
	if len(masses) != 1 || len(masses[0].Draft.Articles) != 2 {
		t.Fatalf("%+v", masses)
	}
	market := masses[0].Draft.Articles[1]
	if !strings.HasPrefix(market.SourceURL, "https://news.example.org/a/") || !strings.Contains(market.Content, "http://mmbiz.qpic.cn/") ||
		!strings.Contains(market.Content, "The fishmonger") {
		t.Errorf("%+v", market)
	}
	for _, a := range masses[0].Draft.Articles {
		if m, ok := platform.Material(a.Thumb); !ok || m.Width != 900 || m.Height != 500 {
			t.Errorf("the cover of %s is %+v", a.Title, m)
		}
	}
}
