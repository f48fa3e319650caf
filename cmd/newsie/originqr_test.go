package main_test

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"newsie/bot/origin"
	"newsie/bot/telegram/telegramtest"
	"newsie/bot/wechat/wechattest"
)

// saysPNG is what the code of a picture says to an independent reader.
func saysPNG(t *testing.T, data []byte) string {
	t.Helper()
	drawn, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	// The code ends at the white above the words.
	bounds, end, begun := drawn.Bounds(), 0, false
	for ; end < bounds.Dy(); end++ {
		ink := false
		for x := range bounds.Dx() {
			r, _, _, _ := drawn.At(x, end).RGBA()
			ink = ink || r < 0x8000
		}
		if begun && !ink {
			break
		}
		begun = begun || ink
	}
	code := image.NewGray(image.Rect(0, 0, bounds.Dx(), end+4))
	draw.Draw(code, code.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(code, image.Rect(0, 0, bounds.Dx(), end), drawn, image.Point{}, draw.Src)
	bitmap, err := gozxing.NewBinaryBitmapFromImage(code)
	if err != nil {
		t.Fatal(err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		t.Fatalf("no code is read: %v", err)
	}
	return result.GetText()
}

const qrConfig = `
name: The Lantern
public_url: https://news.example.org
channels:
  service: {kind: wechat, account: service, %s}
  small: {kind: wechat, %s}
  bot: {kind: telegram, token: "%s", api_url: "%s"}
  chat: {kind: webchat}
`

func account(s *wechattest.Server) string {
	return fmt.Sprintf("app_id: %q, app_secret: %q, token: %q, aes_key: %q, api_url: %q", s.AppID, s.Secret, s.Token, s.AESKey, s.URL)
}

// chain adds a chain of shops and returns the code of each by its path.
func (in *installation) chain(t *testing.T, shops int) map[string]origin.Origin {
	t.Helper()
	book := origin.NewBook(in.open(), time.Now)
	made := map[string]origin.Origin{}
	add := func(path, name string, parent int64, ends time.Time) origin.Origin {
		o, err := book.Add(t.Context(), origin.Origin{Name: name, Parent: parent, Ends: ends})
		if err != nil {
			t.Fatal(err)
		}
		made[path] = o
		return o
	}
	chain := add("Chain", "Chain", 0, time.Time{})
	north := add("North", "North", chain.ID, time.Time{})
	for i := range shops {
		add(fmt.Sprint("Shop ", i), fmt.Sprint("Shop ", i), north.ID, time.Time{})
	}
	add("Kikakui", "Kikakui \U0001E800", 0, time.Time{}) // which hardly a font has
	add("Fair", "Fair", chain.ID, time.Now().Add(10*24*time.Hour))
	over := add("Over", "Over", chain.ID, time.Time{})
	if err := book.Close(t.Context(), over.ID, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	return made
}

func TestCodesOfAnOrigin(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		service := wechattest.New(t, wechattest.Account{Verified: true, Service: true}, nil)
		small := wechattest.New(t, wechattest.Account{}, nil)
		tele := telegramtest.New(telegramtest.Options{Username: "newsie_bot"})
		t.Cleanup(tele.Close)
		in.write("newsie.yaml", fmt.Sprintf(qrConfig, account(service), account(small), telegramtest.Token, tele.URL()))
		in.write("library/a.md", "---\ntitle: An article\n---\nSome words.\n")
		in.must("import", "library")
		made := in.chain(t, 1)
		shop := made["Shop 0"].Code

		says := func(args ...string) (code, told string) {
			t.Helper()
			stdout, stderr, err := in.run(append([]string{"origin", "qr", "--out", "-", "--size", "400"}, args...)...)
			if err != nil {
				t.Fatalf("%q: %v\n%s", args, err, stderr)
			}
			return saysPNG(t, []byte(stdout)), stderr
		}
		for _, tt := range []struct {
			args        []string
			want, tells string
		}{
			{[]string{"Shop 0"}, "https://news.example.org/o/" + shop, "which leads to the reader's app"},
			{[]string{"Chain/North/Shop 0", "--article", "1"}, "https://news.example.org/o/" + shop + "/1", ""},
			{[]string{shop, "--channel", "bot"}, "https://t.me/" + "newsie_bot" + "?start=o" + shop, "opens the Telegram bot @" + "newsie_bot"},
			{[]string{"Shop 0", "--channel", "bot", "--article", "1"}, "https://t.me/" + "newsie_bot" + "?start=o" + shop + "_a1", ""},
			{[]string{"Shop 0", "--channel", "chat"}, "https://news.example.org/chat/chat/?start=o" + shop, "opens the chat in the browser"},
			{[]string{"Shop 0", "--channel", "small"}, "https://news.example.org/o/" + shop, "small makes no codes of its own"},
		} {
			got, told := says(tt.args...)
			if got != tt.want || !strings.Contains(told, tt.tells) {
				t.Errorf("%q: the code says %q, want %q; told %q", tt.args, got, tt.want, told)
			}
		}

		// Its code leads to the account, is made once, and again when it is another.
		code, told := says("Shop 0", "--channel", "service")
		again, _ := says("Shop 0", "--channel", "service")
		fair, until := says("Fair", "--channel", "service")
		brief, _ := says("North", "--channel", "service", "--temporary")
		if code != again || !strings.Contains(told, "opens the WeChat account service") || strings.Contains(told, "until") || !strings.Contains(until, ", until 20") {
			t.Errorf("the codes say %q, %q, and newsie %q, %q", code, again, told, until)
		}
		if calls := service.Calls(wechattest.QRCreate); calls != 3 {
			t.Errorf("WeChat was asked for %d codes, want 3", calls)
		}
		// What cannot be printed costs no code.
		in.write("taken.png", "")
		for _, args := range [][]string{{"Chain", "--out", "taken.png"}, {"Kikakui \U0001E800"}} {
			if _, stderr, err := in.run(append([]string{"origin", "qr", "--channel", "service"}, args...)...); err == nil || service.Calls(wechattest.QRCreate) != 3 {
				t.Errorf("%q: WeChat was asked for %d codes, want none more: %v %s", args, service.Calls(wechattest.QRCreate)-3, err, stderr)
			}
		}
		service.Connect(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "success") }))
		for _, address := range []string{code, fair, brief} {
			if _, err := service.Follower("r").ScanCode(address); err != nil {
				t.Error(err)
			}
		}
		kept, err := origin.NewCodes(in.open(), time.Now).Permanent(t.Context(), "service")
		if err != nil || kept != 1 {
			t.Errorf("%d codes are permanent, want 1: %v", kept, err)
		}
	})
}

func TestSheetOfAChainGoesOnWhereItStopped(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		service := wechattest.New(t, wechattest.Account{Verified: true, Service: true}, nil)
		in.write("newsie.yaml", "channels:\n  service: {kind: wechat, account: service, "+account(service)+"}\n")
		in.write("library/a.md", "---\ntitle: An article\n---\nSome words.\n")
		in.must("import", "library")
		in.chain(t, 30)
		service.FillCodes(100_000 - 20)
		_, stderr, err := in.run("origin", "qr", "Chain", "--sheet")
		if err == nil || !strings.Contains(stderr, "100,000 permanent codes") || !strings.Contains(stderr, "of 33 codes are ready and kept") {
			t.Errorf("with 20 codes left: %v\n%s", err, stderr)
		}
		if _, err := os.Stat(in.path("Chain-labels.pdf")); err == nil {
			t.Error("half a sheet was written")
		}
		before := service.Calls(wechattest.QRCreate)
		service.FillCodes(-100)
		out := in.must("origin", "qr", "Chain", "--sheet", "--grid", "2x4")
		// 30 shops, two above them and the fair; over is over.
		if !strings.Contains(out, "Wrote Chain-labels.pdf with 33 labels: the codes open the WeChat account service, until ") || !strings.Contains(out, "Left out, since they are closed: 1 origin.") {
			t.Errorf("it says %q", out)
		}
		if calls := service.Calls(wechattest.QRCreate) - before; calls < 12 || calls > 13 { // those that were left, not all 33
			t.Errorf("WeChat was asked for %d codes, want the 12 or 13 that were not made", calls)
		}
		data, err := os.ReadFile(in.path("Chain-labels.pdf"))
		if err != nil || !bytes.HasPrefix(data, []byte("%PDF-")) || bytes.Count(data, []byte("/Type /Page\n")) != 5 {
			t.Errorf("the sheet has %d pages: %v", bytes.Count(data, []byte("/Type /Page\n")), err)
		}
		service.Fail(wechattest.QRCreate, 45009)
		in.must("origin", "qr", "Chain", "--sheet", "--force") // nothing is asked for
	})
}

func TestWhatCannotBePrintedIsRefused(t *testing.T) {
	t.Parallel()
	in := install(t, "")
	in.write("newsie.yaml", "public_url: https://news.example.org\n")
	in.write("library/a.md", "---\ntitle: An article\n---\nSome words.\n")
	in.must("import", "library")
	in.chain(t, 2)
	book := origin.NewBook(in.open(), time.Now)
	if _, err := book.Add(t.Context(), origin.Origin{Name: `..\up: a*b?`}); err != nil {
		t.Fatal(err)
	}
	first := in.must("origin", "qr", "Shop 1")
	if !strings.Contains(first, "Wrote Chain-North-Shop-1.png: ") {
		t.Errorf("it says %q", first)
	}
	in.must("origin", "qr", `..\up: a*b?`, "--format", "svg")
	if entries, err := os.ReadDir(in.dir); err != nil || !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return strings.HasSuffix(e.Name(), "up--a-b.svg") }) {
		t.Errorf("the file of an odd name is not here: %v %v", entries, err)
	}
	for _, tt := range []struct {
		args  []string
		tells string
	}{
		{[]string{"Shop 1"}, "Chain-North-Shop-1.png is there already: --force overwrites it"},
		{[]string{"Shop 9"}, `there is no origin "Shop 9"`},
		{[]string{"Over"}, "Over is closed since"},
		{[]string{"Over", "--sheet"}, "Over and all below it are closed"},
		{[]string{"Shop 0", "--channel", "fax"}, `there is no channel "fax"`},
		{[]string{"Shop 0", "--article", "4711"}, "there is no article 4711"},
		{[]string{"Shop 0", "--format", "gif"}, "--format is png, svg or pdf"},
		{[]string{"Shop 0", "--sheet", "--format", "png"}, "a sheet is a PDF"},
		{[]string{"Shop 0", "--sheet", "--grid", "3by8"}, "--grid is columns x rows"},
		{[]string{"Shop 0", "--sheet", "--grid", "99x9"}, "1x1 to 12x24 labels"},
		{[]string{"Shop 0", "--sheet", "--grid", "12x24"}, "too small for a code"},
		{[]string{"Shop 0", "--sheet", "--paper", "a3"}, "--paper is a4 or letter"},
		{[]string{"Shop 0", "--sheet", "--marks", "dots"}, "marks to cut by"},
		{[]string{"Shop 0", "--sheet", "--margin", "-3"}, "no less than no margin"},
		{[]string{"Shop 0", "--grid", "3x3"}, "--grid is for a --sheet"},
		{[]string{"Shop 0", "--sheet", "--size", "10"}, "not --size"},
		{[]string{"Shop 0", "--size", "10"}, "64 to 8000 pixels"},
		{[]string{"Shop 0", "--temporary"}, "codes of WeChat accounts alone are temporary"},
		{[]string{"Shop 0", "--font", "newsie.yaml"}, "open the font newsie.yaml"},
		{[]string{"Shop 0", "--font", "nowhere.ttf"}, "open the font nowhere.ttf"},
		{[]string{"Kikakui \U0001E800"}, "no font here has the character \U0001E800 (U+1E800)"},
		{[]string{"Kikakui \U0001E800", "--sheet"}, "name one with --font FILE, or print without names with --no-name"},
		{[]string{}, "say which origin"},
	} {
		stdout, stderr, err := in.run(append([]string{"origin", "qr"}, tt.args...)...)
		if err == nil || !strings.Contains(stderr, tt.tells) {
			t.Errorf("%q: %v, told %q %q, want %q", tt.args, err, stdout, stderr, tt.tells)
		}
	}
	before, err := os.ReadFile(in.path("Chain-North-Shop-1.png"))
	if err != nil {
		t.Fatal(err)
	}
	in.must("origin", "qr", "Shop 1", "--force", "--size", "300", "--no-name")
	after, err := os.ReadFile(in.path("Chain-North-Shop-1.png"))
	if err != nil || bytes.Equal(before, after) || saysPNG(t, after) != saysPNG(t, before) {
		t.Errorf("--force wrote no other picture of the same code: %v", err)
	}
	in.write("newsie.yaml", "channels: {chat: {kind: webchat}}\n")
	if _, stderr, err := in.run("origin", "qr", "Shop 0"); err == nil || !strings.Contains(stderr, "public_url: https://news.example.org") {
		t.Errorf("without public_url: %v %q", err, stderr)
	}
}
