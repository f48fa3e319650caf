package telegramtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"newsie/bot/telegram/telegramtest"
)

// gallery serves pictures under "/NAME": what, as which kind, with which status.
func gallery(t *testing.T) string {
	files := map[string]struct {
		kind string
		body []byte
	}{
		"ok.png":     {"image/png", telegramtest.PNG(640, 480)},
		"wide.png":   {"image/png", telegramtest.PNG(200, 10)},
		"strip.png":  {"image/png", telegramtest.PNG(201, 10)},
		"large.png":  {"image/png", telegramtest.PNG(9000, 1000)},
		"larger.png": {"image/png", telegramtest.PNG(9000, 1001)},
		"half.png":   {"image/png", telegramtest.PNG(640, 480)[:100]},
		"heavy.png":  {"image/png", append(telegramtest.PNG(640, 480), make([]byte, 5<<20)...)},
		"page":       {"text/html; charset=utf-8", []byte("<html>")},
		"vector.svg": {"image/svg+xml", []byte("<svg/>")},
		"words.png":  {"image/png", []byte("no picture")},
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := files[strings.TrimPrefix(r.URL.Path, "/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", f.kind)
		_, _ = w.Write(f.body)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/"
}

func TestPhotosTheServerRefuses(t *testing.T) {
	pictures := gallery(t)
	for _, test := range []struct{ name, photo, caption, want string }{
		{"a picture", pictures + "ok.png", "<b>x</b>", ""},
		{"no photo", "", "", "there is no photo in the request"},
		{"20 to 1", pictures + "wide.png", "", ""},
		{"more than 20 to 1", pictures + "strip.png", "", "PHOTO_INVALID_DIMENSIONS"},
		{"10,000 of width and height", pictures + "large.png", "", ""},
		{"10,001 of width and height", pictures + "larger.png", "", "PHOTO_INVALID_DIMENSIONS"},
		{"half a picture", pictures + "half.png", "", "IMAGE_PROCESS_FAILED"},
		{"words that call themselves a picture", pictures + "words.png", "", "IMAGE_PROCESS_FAILED"},
		{"more than 5 MB", pictures + "heavy.png", "", "failed to get HTTP URL content"},
		{"a page", pictures + "page", "", "wrong type of the web page content"},
		{"a drawing", pictures + "vector.svg", "", "wrong type of the web page content"},
		{"nothing there", pictures + "none.png", "", "failed to get HTTP URL content"},
		{"nobody there", "http://127.0.0.1:1/x.png", "", "failed to get HTTP URL content"},
		{"another scheme", "ftp://example.org/x.png", "", "wrong file identifier/HTTP URL specified"},
		{"an unknown file_id", "AgACAgQAxxxx", "", "wrong file identifier/HTTP URL specified"},
		{"no file_id", "a picture", "", "wrong remote file identifier specified: Wrong character in the string"},
		{"1,024 units", pictures + "ok.png", "<b>" + strings.Repeat("&amp;", 1024) + "</b>", ""},
		{"1,025 units", pictures + "ok.png", strings.Repeat("x", 1025), "message caption is too long"},
		{"513 emoji", pictures + "ok.png", strings.Repeat("😀", 513), "message caption is too long"},
		{"bad HTML", pictures + "ok.png", "<b>x", `can't parse entities: Can't find end tag corresponding to start tag "b"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := telegramtest.Start(t, telegramtest.Options{PrivatePictures: true})
			reader := s.Chat(1)
			a := call(t, s, "sendPhoto", "chat_id", "1", "photo", test.photo, "caption", test.caption, "parse_mode", "HTML")
			if got := strings.TrimPrefix(a.Description, "Bad Request: "); got != test.want || a.OK != (test.want == "") {
				t.Errorf("answer = %q, want %q", a.Description, test.want)
			}
			if n := len(reader.Answers()); (n == 1) != a.OK {
				t.Errorf("%d messages arrived", n)
			}
		})
	}
}

func TestPicturesOfPrivateAddressesAreOutOfReach(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	s.Chat(1)
	a := call(t, s, "sendPhoto", "chat_id", "1", "photo", gallery(t)+"ok.png")
	if want := "Bad Request: failed to get HTTP URL content"; a.Description != want {
		t.Errorf("answer = %q, want %q", a.Description, want)
	}
}

func TestPhotosAreSentAgainByTheirFileID(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{PrivatePictures: true})
	reader := s.Chat(1)
	a := call(t, s, "sendPhoto", "chat_id", "1", "photo", gallery(t)+"ok.png", "caption", "<b>tea</b>", "parse_mode", "HTML", "show_caption_above_media", "true")
	var sent struct {
		Photo []struct {
			FileID string `json:"file_id"`
			Width  int    `json:"width"`
		} `json:"photo"`
		Caption  string                `json:"caption"`
		Entities []telegramtest.Entity `json:"caption_entities"`
	}
	if err := json.Unmarshal(a.Result, &sent); err != nil {
		t.Fatal(err)
	}
	if len(sent.Photo) != 3 || sent.Photo[0].Width != 90 || sent.Photo[2].Width != 640 || sent.Caption != "tea" || len(sent.Entities) != 1 {
		t.Fatalf("sent = %+v", sent)
	}
	for _, size := range sent.Photo {
		if a := call(t, s, "sendPhoto", "chat_id", "1", "photo", size.FileID); !a.OK {
			t.Errorf("%s: %s", size.FileID, a.Description)
		}
	}
	m := reader.Answers()
	if len(m) != 4 || m[3].Photo.Width != 640 || m[3].Photo.URL != m[0].Photo.URL || !m[0].CaptionAbove {
		t.Errorf("messages = %+v", m)
	}
}

func upload(t *testing.T, s *telegramtest.Server, field string, data []byte, params ...string) answer {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i+1 < len(params); i += 2 {
		_ = form.WriteField(params[i], params[i+1])
	}
	part, err := form.CreateFormFile(field, "x.png")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(data)
	_ = form.Close()
	resp, err := client.Post(s.URL()+"/bot"+s.Token()+"/sendPhoto", form.FormDataContentType(), &body)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestUploads(t *testing.T) {
	picture := telegramtest.PNG(30, 20)
	for _, test := range []struct {
		name, field, photo string
		data               []byte
		want               string
	}{
		{"as the photo", "photo", "", picture, ""},
		{"attached", "it", "attach://it", picture, ""},
		{"attached under another name", "it", "attach://that", picture, "Bad Request: wrong file identifier/HTTP URL specified"},
		{"empty", "photo", "", nil, "Bad Request: file must be non-empty"},
		{"10 MB", "photo", "", append(picture[:len(picture):len(picture)], make([]byte, 10<<20-len(picture))...), ""},
		{"more than 10 MB", "photo", "", make([]byte, 10<<20+1), "Bad Request: file of size 10485761 bytes is too big for a photo; the maximum size is 10485760 bytes"},
		{"more than 50 MB", "photo", "", make([]byte, 50<<20), "Request Entity Too Large"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := telegramtest.Start(t, telegramtest.Options{})
			s.Chat(1)
			params := []string{"chat_id", "1"}
			if test.photo != "" {
				params = append(params, "photo", test.photo)
			}
			if a := upload(t, s, test.field, test.data, params...); a.Description != test.want {
				t.Errorf("answer = %q, want %q", a.Description, test.want)
			}
		})
	}
}

func TestEditsOfPhotosAndTexts(t *testing.T) {
	pictures := gallery(t)
	s := telegramtest.Start(t, telegramtest.Options{PrivatePictures: true})
	reader := s.Chat(1)
	call(t, s, "sendMessage", "chat_id", "1", "text", "one")
	call(t, s, "sendPhoto", "chat_id", "1", "photo", pictures+"ok.png", "caption", "two")
	text, photo := fmt.Sprint(reader.Answers()[0].ID), fmt.Sprint(reader.Answers()[1].ID)
	media := func(address, caption string) string {
		return fmt.Sprintf(`{"type":"photo","media":%q,"caption":%q,"parse_mode":"HTML"}`, address, caption)
	}
	for _, test := range []struct {
		method string
		params []string
		want   string
	}{
		{"editMessageText", []string{"message_id", photo, "text", "x"}, "there is no text in the message to edit"},
		{"editMessageCaption", []string{"message_id", text, "caption", "x"}, "there is no caption in the message to edit"},
		{"editMessageCaption", []string{"message_id", photo, "caption", "two"}, "message is not modified"},
		{"editMessageCaption", []string{"message_id", photo, "caption", strings.Repeat("x", 1025)}, "message caption is too long"},
		{"editMessageCaption", []string{"message_id", photo, "caption", "three"}, ""},
		{"editMessageCaption", []string{"caption", "three"}, "message identifier is not specified"},
		{"editMessageMedia", []string{"message_id", photo, "media", `{"type":"photo","media":""}`}, "there is no photo in the request"},
		{"editMessageMedia", []string{"message_id", photo, "media", media(pictures+"page", "x")}, "wrong type of the web page content"},
		{"editMessageMedia", []string{"message_id", photo, "media", media(pictures+"ok.png", strings.Repeat("x", 1025))}, "message caption is too long"},
		{"editMessageMedia", []string{"message_id", photo, "media", `{"type":"photo","file":"x"}`}, "can't parse InputMedia"},
		{"editMessageMedia", []string{"message_id", photo, "media", media(pictures+"wide.png", "<b>four</b>")}, ""},
		{"editMessageMedia", []string{"message_id", text, "media", media(pictures+"wide.png", "five")}, ""},
		{"editMessageReplyMarkup", []string{"message_id", photo, "reply_markup", keys(`{"text":"b","callback_data":"x"}`)}, ""},
		{"editMessageReplyMarkup", []string{"message_id", photo, "reply_markup", keys(`{"text":"b","callback_data":"x"}`)}, "message is not modified"},
		{"editMessageReplyMarkup", []string{"message_id", "99", "reply_markup", keys(`{"text":"b","callback_data":"x"}`)}, "message to edit not found"},
	} {
		a := call(t, s, test.method, append([]string{"chat_id", "1"}, test.params...)...)
		if a.OK != (test.want == "") || !strings.HasPrefix(a.Description, "Bad Request: "+test.want) && !a.OK {
			t.Errorf("%s %.60v: %q, want %q", test.method, test.params, a.Description, test.want)
		}
	}
	var got bytes.Buffer
	reader.Print(&got)
	want := "── bot #1 (edited 1 times)\n▣ 200×10 " + pictures + "wide.png\nfive\n── bot #2 (edited 3 times)\n▣ 200×10 " + pictures + "wide.png\nfour\n [b]\n"
	if got.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", got.String(), want)
	}
}

func TestMessagesAreDeletedWithinTwoDays(t *testing.T) {
	var mu sync.Mutex
	now := time.Unix(1_000_000, 0)
	s := telegramtest.Start(t, telegramtest.Options{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	reader, group := s.Chat(1), s.Group(-2)
	call(t, s, "sendMessage", "chat_id", "1", "text", "one")
	call(t, s, "sendMessage", "chat_id", "1", "text", "two")
	theirs := group.SayAs(telegramtest.Said{From: 7}, "mine")
	for _, test := range []struct{ chat, id, want string }{
		{"1", "1", ""},
		{"1", "1", "Bad Request: message to delete not found"},
		{"1", "", "Bad Request: message identifier is not specified"},
		{"-2", fmt.Sprint(theirs), "Bad Request: message can't be deleted"},
	} {
		if a := call(t, s, "deleteMessage", "chat_id", test.chat, "message_id", test.id); a.Description != test.want {
			t.Errorf("%s #%s: %q, want %q", test.chat, test.id, a.Description, test.want)
		}
	}
	mu.Lock()
	now = now.Add(48 * time.Hour)
	mu.Unlock()
	if a := call(t, s, "deleteMessage", "chat_id", "1", "message_id", "2"); a.Description != "Bad Request: message can't be deleted" {
		t.Errorf("after two days: %q", a.Description)
	}
	if n := len(reader.Answers()); n != 1 {
		t.Errorf("%d messages are left, want 1", n)
	}
}
