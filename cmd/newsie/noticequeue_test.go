package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
)

func TestAReaderDoesNotWaitForANotice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var log bytes.Buffer
		var given []string
		arrived := make(chan struct{}) // the publisher's chat does not answer
		q := newNoticeQueue(func(_ context.Context, key, text string) {
			<-arrived
			given = append(given, key+" "+text)
		}, slog.New(slog.NewTextHandler(&log, nil)))
		ended := make(chan error, 1)
		go func() { ended <- q.run(ctx) }()
		q.put(ctx, "first", "one")
		synctest.Wait() // it is being sent
		for i := range mostNotices {
			q.put(ctx, "n", fmt.Sprint(i))
		}
		if log.Len() > 0 {
			t.Errorf("%d notices have no room: %s", mostNotices, &log)
		}
		q.put(ctx, "n", "too many")
		if !strings.Contains(log.String(), "too many notices wait") || !strings.Contains(log.String(), `notice="too many"`) {
			t.Errorf("what was left out is not logged: %s", &log)
		}
		close(arrived)
		synctest.Wait()
		if len(given) != mostNotices+1 || given[0] != "first one" || given[mostNotices] != "n 63" {
			t.Errorf("given %d: %v", len(given), given)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
