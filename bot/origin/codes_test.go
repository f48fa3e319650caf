package origin_test

import (
	"testing"
	"time"

	"newsie/bot/origin"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

func TestTheCodeThatWorksLongestIsKept(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		codes := origin.NewCodes(db, func() time.Time { return now })
		for _, step := range []struct {
			url       string
			permanent bool
			days      int
			want      string // the one that is kept then
		}{
			{"ten", false, 10, "ten"}, {"five", false, 5, "ten"}, {"ten again", false, 10, "ten"}, {"twenty", false, 20, "twenty"},
			{"lasting", true, 0, "lasting"}, {"thirty", false, 30, "lasting"}, {"another lasting", true, 0, "lasting"},
		} {
			code := origin.Code{Channel: "wx", Payload: "oshop", Origin: 7, URL: step.url, Permanent: step.permanent, Expires: now.AddDate(0, 0, step.days)}
			kept, err := codes.Keep(t.Context(), code)
			if err != nil {
				t.Fatal(err)
			}
			again, ok, err := codes.Kept(t.Context(), "wx", "oshop")
			if err != nil || !ok || kept != again || kept.URL != step.want || kept.Permanent != kept.Expires.IsZero() || kept.Origin != 7 || !kept.Made.Equal(now) {
				t.Errorf("after %s, %+v is kept, want %s: %v", step.url, kept, step.want, err)
			}
		}
		if _, ok, err := codes.Kept(t.Context(), "wx", "oother"); ok || err != nil {
			t.Errorf("a code that nobody made: %v %v", ok, err)
		}
		for channel, want := range map[string]int{"wx": 1, "another": 0} {
			if n, err := codes.Permanent(t.Context(), channel); err != nil || n != want {
				t.Errorf("%s has %d permanent codes, want %d: %v", channel, n, want, err)
			}
		}
	})
}
