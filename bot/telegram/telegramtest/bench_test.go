package telegramtest_test

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"newsie/bot/telegram/telegramtest"
)

// BenchmarkSends is the whole way of a message, the client's part included.
func BenchmarkSends(b *testing.B) {
	const chats = 10_000
	s := telegramtest.Start(b, telegramtest.Options{NoCalls: true})
	for id := range int64(chats) {
		s.Chat(id + 1)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	address := s.URL() + "/bot" + s.Token() + "/sendMessage"
	text := strings.Repeat(`<b>Title</b> <a href="https://example.org/a?x=1&amp;y=2">link</a> some words of a snippet`+"\n", 10)
	keyboard := keys(`{"text":"1","callback_data":"/read 1"},{"text":"More","callback_data":"/more 1 2"}`)
	b.ReportAllocs()
	b.ResetTimer()
	b.SetParallelism(16)
	next := make(chan int64, 1024)
	go func() {
		defer close(next)
		for i := range int64(b.N) {
			next <- i%chats + 1
		}
	}()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			resp, err := client.PostForm(address, url.Values{
				"chat_id": {strconv.FormatInt(<-next, 10)}, "text": {text}, "parse_mode": {"HTML"}, "reply_markup": {keyboard},
			})
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	})
	b.StopTimer()
	if got := s.Load().Accepted; got != b.N {
		b.Errorf("%d accepted of %d", got, b.N)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sends/s")
}
