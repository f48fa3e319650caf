package bot_test

import (
	"strings"
	"testing"

	"newsie/bot"
)

func TestPayloadsAreWrittenAndRead(t *testing.T) {
	for want, p := range map[string]bot.Payload{
		"a4711":                          {Article: 4711},
		"oFair-2026":                     {Origin: "Fair-2026"},
		"oshelf7_a4711":                  {Origin: "shelf7", Article: 4711},
		"fY29tbWVyY2U":                   {Topic: "commerce"},
		"f55S15ZWG":                      {Topic: "电商"},
		"oqr_f55S15ZWG":                  {Origin: "qr", Topic: "电商"},
		"fPz8_":                          {Topic: "???"},
		"f" + strings.Repeat("55S1", 15): {Topic: strings.Repeat("电", 15)},
	} {
		got, ok := p.Encode()
		if !ok || got != want || len(got) > 64 {
			t.Errorf("%+v is written %q, %v, want %q", p, got, ok, want)
		}
		if back, ok := bot.ParsePayload(want); !ok || back != p {
			t.Errorf("ParsePayload(%q) = %+v, %v, want %+v", want, back, ok, p)
		}
	}
}

func TestPayloadsThatCannotBeWritten(t *testing.T) {
	for _, p := range []bot.Payload{
		{},
		{Article: -1},
		{Article: 1, Topic: "tea"},
		{Topic: strings.Repeat("电", 16)},
		{Topic: strings.Repeat("a", 41)},
		{Origin: strings.Repeat("o", 32), Topic: strings.Repeat("电", 9)},
		{Topic: " tea"}, {Topic: "a\nb"}, {Topic: "a\xffb"}, {Topic: "“tea”"}, {Topic: "a\u202eb"},
		{Origin: "a_b"}, {Origin: "电"}, {Origin: strings.Repeat("o", 33)},
	} {
		if got, ok := p.Encode(); ok {
			t.Errorf("%+v is written %q", p, got)
		}
	}
}

func TestDamagedPayloadsAreRefused(t *testing.T) {
	for text, origin := range map[string]string{
		"": "", "a": "", "a0": "", "a01": "", "a-1": "", "a1x": "", "a９": "", "a" + strings.Repeat("9", 19): "", "x1": "", "A1": "",
		"f": "", "f!": "", "fY29tbWVyY2U=": "", "fY29tbWVyY2V": "", "f_w": "", "fIA": "", "o": "", "o_a1": "", "o é": "", "o" + strings.Repeat("a", 33): "",
		"f" + strings.Repeat("5", 64): "",
		"oqr_":                        "qr", "oqr_a": "qr", "oqr_zzz": "qr", "oqr_oqr": "qr", "oqr_a1_a2": "qr", "oqr__a1": "qr",
	} {
		if p, ok := bot.ParsePayload(text); ok || p != (bot.Payload{Origin: origin}) {
			t.Errorf("ParsePayload(%q) = %+v, %v, want it refused with origin %q", text, p, ok, origin)
		}
	}
}

func FuzzPayload(f *testing.F) {
	for _, text := range []string{"a4711", "oqr_a1", "f55S15ZWG", "oa-1_fY29tbWVyY2U", "o_", "f_", "a0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, ok := bot.ParsePayload(text)
		if !ok {
			if p.Article != 0 || p.Topic != "" {
				t.Errorf("%q is refused and yet %+v", text, p)
			}
			return
		}
		if back, ok := p.Encode(); !ok || back != text {
			t.Errorf("%q is %+v, which is written %q, %v", text, p, back, ok)
		}
	})
}
