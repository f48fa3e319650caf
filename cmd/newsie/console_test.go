package main_test

import (
	"bytes"
	"encoding/json"
	"image"
	_ "image/png"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// The console of a running newsie: a link lets in, an origin's code is looked at,
// decoded, and printed for all below it.
func TestTheConsoleOfARunningNewsie(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		in.write("newsie.yaml", "name: 灯报\npublic_url: https://news.example.org/papers\nchannels:\n  web: {kind: webchat}\n  second: {kind: webchat}\n")
		address := freeAddress(t)
		base := "http://" + address
		in.serve("--listen", address)
		in.must("origin", "add", "连锁店")
		in.must("origin", "add", "北京店", "--parent", "连锁店")
		ask := func(method, path, cookie string, form url.Values) (*http.Response, []byte) {
			t.Helper()
			r, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Origin", "https://news.example.org")
			r.Header.Set("Cookie", cookie)
			response, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			data, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			return response, data
		}
		if response, _ := ask("GET", "/console/login", "", nil); response.StatusCode != http.StatusNotFound {
			t.Errorf("without a user the console answers %d", response.StatusCode)
		}
		var link struct{ URL string }
		if err := json.Unmarshal([]byte(in.must("user", "add", "anna", "--link", "--json")), &link); err != nil {
			t.Fatal(err)
		}
		enter, ok := strings.CutPrefix(link.URL, "https://news.example.org/papers")
		if !ok {
			t.Fatalf("the link is %s", link.URL)
		}
		response, _ := ask("POST", enter, "", nil)
		if response.StatusCode != http.StatusSeeOther || response.Header.Get("Location") != "/papers/console/account" {
			t.Fatalf("the link answers %d", response.StatusCode)
		}
		cookies := response.Cookies()
		if len(cookies) != 1 || cookies[0].Name != "__Secure-newsie_console" || cookies[0].Path != "/papers/console/" || !cookies[0].Secure || !cookies[0].HttpOnly {
			t.Fatalf("the cookies are %v", cookies)
		}
		cookie := cookies[0].Name + "=" + cookies[0].Value
		_, page := ask("GET", "/console/origins", cookie, nil)
		found := regexp.MustCompile(`href="/papers(/console/origins/\d+)" dir="auto">北京店<`).FindSubmatch(page)
		if found == nil {
			t.Fatalf("the report lacks the shop: %s", page)
		}
		shop := string(found[1])
		_, page = ask("GET", shop, cookie, nil)
		code := regexp.MustCompile(`https://news\.example\.org/papers/o/[a-z0-9]{9}`).Find(page)
		if code == nil || !bytes.Contains(page, []byte("/papers/chat/second/?start=o")) {
			t.Fatalf("the shop's page lacks its links: %s", page)
		}
		response, drawn := ask("GET", shop+"/code.png", cookie, nil)
		picture, _, err := image.Decode(bytes.NewReader(drawn))
		if err != nil {
			t.Fatalf("the code is answered with %d: %v", response.StatusCode, err)
		}
		bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
		if err != nil {
			t.Fatal(err)
		}
		result, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
		if err != nil || result.GetText() != string(code) {
			t.Errorf("the code says %v, %v; want %s", result, err, code)
		}
		if response, svg := ask("GET", shop+"/code.svg?channel=second", cookie, nil); response.Header.Get("Content-Type") != "image/svg+xml" || !bytes.HasPrefix(svg, []byte("<")) {
			t.Errorf("the picture is answered with %d", response.StatusCode)
		}
		found = regexp.MustCompile(`href="/papers(/console/origins/\d+)" dir="auto">连锁店<`).FindSubmatch(page)
		if found == nil {
			t.Fatal("the shop's page does not lead to its chain")
		}
		if response, sheet := ask("POST", string(found[1])+"/sheet.pdf", cookie, url.Values{"channel": {""}}); response.StatusCode != http.StatusOK || !bytes.HasPrefix(sheet, []byte("%PDF-")) {
			t.Errorf("the sheet is answered with %d: %.200s", response.StatusCode, sheet)
		}
		in.must("user", "revoke", "--all", "anna")
		if response, _ := ask("GET", "/console/origins", cookie, nil); response.StatusCode != http.StatusSeeOther {
			t.Errorf("after newsie user revoke the report is answered with %d", response.StatusCode)
		}
	})
}

// Without public_url nothing can be printed: the console says what to set, and the
// log is silent, since nothing failed.
func TestTheConsoleOfANewsieWithoutAnAddress(t *testing.T) {
	t.Parallel()
	in := install(t, "")
	in.write("newsie.yaml", "name: 灯报\nchannels:\n  web: {kind: webchat}\n  second: {kind: webchat}\n")
	address := freeAddress(t)
	serving := in.serve("--listen", address)
	in.must("origin", "add", "北京店")
	var link struct{ URL string }
	in.read(&link, "user", "add", "anna", "--link", "--json")
	enter, err := url.Parse(link.URL)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, cookie string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", cookie)
		response, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		data, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response, string(data)
	}
	response, body := ask("POST", enter.Path, "")
	if len(response.Cookies()) != 1 {
		t.Fatalf("the link answers %d: %s", response.StatusCode, body)
	}
	cookie := response.Cookies()[0].Name + "=" + response.Cookies()[0].Value
	if _, body := ask("GET", "/console/origins/1", cookie); !strings.Contains(body, "public_url: https://") {
		t.Errorf("the page does not say what codes need: %s", body)
	}
	if response, body := ask("GET", "/console/origins/1/code.pdf", cookie); response.StatusCode != http.StatusConflict || !strings.Contains(body, "public_url: https://") {
		t.Errorf("the file is answered with %d: %s", response.StatusCode, body)
	}
	if serving.said("public_url says where") || serving.said("level=ERROR") {
		t.Errorf("the log has %s", serving.stderr.String())
	}
}
