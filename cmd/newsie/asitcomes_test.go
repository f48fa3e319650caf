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

// A mass send or post follows whatever a reader can, within what its channel
// serves, and its query has the one form that theirs have.
func TestAudiencesFollowEveryKind(t *testing.T) {
	part := ChannelConfig{Languages: []string{"en", "zh-Hans"}, Tags: []string{"Green tea"}, Sources: []string{"La Stampa"}}
	for _, test := range []struct {
		topic string
		in    ChannelConfig
		want  string
	}{
		{"*", ChannelConfig{}, "*"},
		{"tutto", ChannelConfig{}, "*"},
		{"Tea Houses", ChannelConfig{}, "tea houses"},
		{"#Tea", ChannelConfig{}, "tag:tea"},
		{"autore:Rossi tè", ChannelConfig{}, "tè author:rossi"},
		{`来源：晨报 -广告 "green tea"`, ChannelConfig{}, `"green tea" -广告 source:晨报`},
		{"* -sport", ChannelConfig{}, "* -sport"},
		{"everything except sport", ChannelConfig{}, "* -sport"},
		{"*", part, `tag:"green tea" source:"la stampa" lang:en lang:zh-Hans`},
		{"tea", part, `tea tag:"green tea" source:"la stampa" lang:en lang:zh-Hans`},
		{"* -sport", part, `-sport tag:"green tea" source:"la stampa" lang:en lang:zh-Hans`},
		{"#tea lang:it", part, `tag:tea source:"la stampa" lang:it`},
	} {
		if got := audienceQuery(test.topic, test.in); got != test.want {
			t.Errorf("%s: %s, want %s", test.topic, got, test.want)
		}
		if again := audienceQuery(test.want, test.in); again != test.want {
			t.Errorf("%s read again is %s", test.want, again)
		}
	}
}
