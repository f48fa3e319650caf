package origin_test

import (
	"testing"

	"newsie/bot/origin"
)

func TestWhatIsHidden(t *testing.T) {
	for _, tt := range []struct {
		n, first, onOneDay int64
		want               string
	}{
		{0, 0, 0, "0"},
		{1, 1, 1, "<5"},
		{4, 4, 4, "<5"},
		{5, 5, 5, "5"},
		{40, 4, 4, "<5"}, // many, of few readers
		{40, 5, 1, "40"}, // on different days, each for the first time
		{40, 0, 5, "40"}, // all of them long known
		{40, 4, 0, "<5"},
	} {
		if got := origin.Shown(tt.n, tt.first, tt.onOneDay).String(); got != tt.want {
			t.Errorf("%d, of readers who did so for the first time %d, on one day %d: %s, want %s", tt.n, tt.first, tt.onOneDay, got, tt.want)
		}
	}
}
