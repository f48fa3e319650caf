package main

import (
	"strings"
	"testing"
)

func TestAudiencesNeedTimesOfTheirOwn(t *testing.T) {
	for _, text := range []string{"@new 24h", "as it happens, at most every 30 hours", "有新文章就发"} {
		if spec, err := scheduleOf(text); err == nil || !strings.Contains(err.Error(), "name a time") {
			t.Errorf("%q is %q, %v", text, spec, err)
		}
	}
	if spec, err := scheduleOf("daily 18:00"); err != nil || spec.String() != "0 18 * * *" {
		t.Errorf("daily 18:00 is %q, %v", spec, err)
	}
}
