package main_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"github.com/PuerkitoBio/goquery"
)

// A browser is a reader of the chat in the browser, without JavaScript.
type browser struct {
	base   string // of the chat, with a slash at the end
	client *http.Client
}

func newBrowser(base string) (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &browser{base, &http.Client{Jar: jar, Timeout: patience}}, nil
}

// A shown is one message of the bot as the page shows it.
type shown struct {
	text    string // everything, white space folded
	links   []string
	buttons map[string]string // label to what it says
}

// open looks at the page.
func (b *browser) open(ctx context.Context) (*goquery.Document, error) {
	return b.do(ctx, http.MethodGet, nil)
}

// say types words, sends the form, follows where it leads, and gives the answer.
func (b *browser) say(ctx context.Context, words string) (shown, error) {
	return b.send(ctx, url.Values{"text": {words}})
}

// tap presses a button of an answer.
func (b *browser) tap(ctx context.Context, answer shown, label string) (shown, error) {
	for l, says := range answer.buttons {
		if strings.Contains(l, label) {
			return b.send(ctx, url.Values{"tap": {says}, "label": {l}})
		}
	}
	return shown{}, fmt.Errorf("no button %q among %v", label, answer.buttons)
}

func (b *browser) send(ctx context.Context, form url.Values) (shown, error) {
	page, err := b.open(ctx)
	if err != nil {
		return shown{}, err
	}
	once, ok := page.Find("#composer input[name=id]").Attr("value")
	if !ok {
		return shown{}, fmt.Errorf("the page has no form")
	}
	form.Set("id", once)
	form.Set("zone", "UTC")
	if page, err = b.do(ctx, http.MethodPost, form); err != nil {
		return shown{}, err
	}
	return b.read(page.Find("article.it").Last()), nil
}

func (b *browser) do(ctx context.Context, method string, form url.Values) (*goquery.Document, error) {
	request, err := http.NewRequestWithContext(ctx, method, b.base, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept-Language", "en")
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", strings.TrimSuffix(b.base[:strings.Index(b.base, "/chat/")], "/"))
	}
	response, err := b.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s", method, b.base, response.Status)
	}
	return goquery.NewDocumentFromReader(io.LimitReader(response.Body, 8<<20))
}

// read is what a message of the page shows, its addresses as the browser takes them.
func (b *browser) read(entry *goquery.Selection) shown {
	s := shown{text: strings.Join(strings.Fields(entry.Text()), " "), buttons: map[string]string{}}
	base, err := url.Parse(b.base)
	if err != nil {
		return s
	}
	entry.Find(".card h4 a").Each(func(_ int, a *goquery.Selection) {
		if u, err := base.Parse(a.AttrOr("href", "")); err == nil {
			s.links = append(s.links, u.String())
		}
	})
	entry.Find("form.tap").Each(func(_ int, f *goquery.Selection) {
		s.buttons[f.Find("input[name=label]").AttrOr("value", "")] = f.Find("button").AttrOr("value", "")
	})
	return s
}

// listen opens the stream of the chat, as the page's script does, and hands
// over every message that comes, until ctx ends or the stream does.
func (b *browser) listen(ctx context.Context, after string) (<-chan shown, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+"events?after="+url.QueryEscape(after), nil)
	if err != nil {
		return nil, err
	}
	client := *b.client
	client.Timeout = 0
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, fmt.Errorf("GET events: %s", response.Status)
	}
	messages := make(chan shown)
	go func() {
		defer close(messages)
		defer func() { _ = response.Body.Close() }()
		var data strings.Builder
		lines := bufio.NewScanner(response.Body)
		lines.Buffer(nil, 4<<20)
		for lines.Scan() {
			if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				data.WriteString(text + "\n")
				continue
			}
			if lines.Text() != "" || data.Len() == 0 {
				continue
			}
			page, err := goquery.NewDocumentFromReader(strings.NewReader(data.String()))
			data.Reset()
			if err != nil {
				return
			}
			if entry := page.Find("article.it"); entry.Length() > 0 {
				select {
				case messages <- b.read(entry):
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return messages, nil
}

// last is the id of the last message on the page.
func (b *browser) last(ctx context.Context) (string, error) {
	page, err := b.open(ctx)
	if err != nil {
		return "", err
	}
	return page.Find("body").AttrOr("data-last", ""), nil
}
