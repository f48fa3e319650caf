package wechat

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestTheRestOfABurstIsTold(t *testing.T) {
	var log strings.Builder
	now := time.Unix(1_800_000_000, 0)
	r := &refusals{now: func() time.Time { return now }, log: slog.New(slog.NewTextHandler(&log, nil))}
	for range 50 {
		r.add("signature")
	}
	r.tellRest()
	if got := log.String(); strings.Count(got, "refused") != 1 || !strings.Contains(got, "times=1 ") && !strings.Contains(got, "times=1\n") {
		t.Fatalf("within a minute:\n%s", got)
	}
	now = now.Add(time.Minute)
	r.tellRest()
	r.tellRest()
	if got := log.String(); strings.Count(got, "refused") != 2 || !strings.Contains(got, "times=49") {
		t.Errorf("after a minute:\n%s", got)
	}
}
