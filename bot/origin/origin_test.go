package origin_test

import (
	"strings"
	"testing"
	"time"

	"newsie/bot/origin"
)

func TestNewCodesAreValidAndDiffer(t *testing.T) {
	seen := map[string]bool{}
	used := map[rune]bool{}
	for range 2000 {
		code := origin.NewCode()
		if !origin.ValidCode(code) || len(code) != 9 || seen[code] {
			t.Fatalf("NewCode made %q: invalid, of another length, or for the second time", code)
		}
		seen[code] = true
		for _, letter := range code {
			used[letter] = true
		}
	}
	if len(used) != 28 {
		t.Errorf("%d letters were used, want all 28", len(used))
	}
}

func TestValidCode(t *testing.T) {
	for code, want := range map[string]bool{
		"a": true, "Shop-12": true, strings.Repeat("x", 32): true,
		"": false, "a_b": false, "店": false, "a b": false, "a\n": false, strings.Repeat("x", 33): false,
	} {
		if got := origin.ValidCode(code); got != want {
			t.Errorf("ValidCode(%q) = %v, want %v", code, got, want)
		}
	}
}

func TestOpen(t *testing.T) {
	from, to := time.Unix(1000, 0), time.Unix(2000, 0)
	tests := []struct {
		origin origin.Origin
		at     int64
		want   bool
	}{
		{origin.Origin{}, 1, true},
		{origin.Origin{Starts: from}, 999, false},
		{origin.Origin{Starts: from}, 1000, true},
		{origin.Origin{Ends: to}, 1999, true},
		{origin.Origin{Ends: to}, 2000, false},
	}
	for _, tt := range tests {
		if got := tt.origin.Open(time.Unix(tt.at, 0)); got != tt.want {
			t.Errorf("%v to %v is open at %d: %v, want %v", tt.origin.Starts, tt.origin.Ends, tt.at, got, tt.want)
		}
	}
}
