package origin_test

import (
	"slices"
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

func TestInvitationsThatNeedACode(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		book, codes := origin.NewBook(db, func() time.Time { return now }), origin.NewCodes(db, func() time.Time { return now })
		if _, err := book.Add(t.Context(), origin.Origin{Name: "Shop"}); err != nil {
			t.Fatal(err)
		}
		ids := map[string]int64{}
		for _, reader := range []origin.Reader{{Channel: "wx", Chat: "none"}, {Channel: "wx", Chat: "short"}, {Channel: "wx", Chat: "long"}, {Channel: "wx", Chat: "lasting"}, {Channel: "tg", Chat: "1"}, {Channel: "wx", Chat: "gone"}} {
			o, err := book.Invitation(t.Context(), reader)
			if err != nil {
				t.Fatal(err)
			}
			ids[reader.Chat] = o.ID
		}
		if _, err := db.ExecContext(t.Context(), "UPDATE origins SET owner_channel = '', owner_chat = '' WHERE owner_chat = 'gone'"); err != nil {
			t.Fatal(err)
		}
		for chat, code := range map[string]origin.Code{
			"short": {Channel: "wx", Expires: now.Add(time.Hour)}, "long": {Channel: "wx", Expires: now.Add(48 * time.Hour)}, "lasting": {Channel: "wx", Permanent: true}, "none": {Channel: "another", Permanent: true},
		} {
			code.Payload, code.Origin, code.URL = "o"+chat, ids[chat], "u"
			if _, err := codes.Keep(t.Context(), code); err != nil {
				t.Fatal(err)
			}
		}
		for most, want := range map[int][]int64{9: {ids["short"], ids["none"]}, 1: {ids["short"]}} {
			list, err := codes.Codeless(t.Context(), "wx", now.Add(24*time.Hour), most)
			var got []int64
			for _, o := range list {
				got = append(got, o.ID)
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("of %d at most: %v, %v; want %v", most, got, err, want)
			}
		}
	})
}
