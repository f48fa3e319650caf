package main_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

// Scripts of publishers read this: names and kinds must stay as they are.
func TestSearchJSONKeepsItsShape(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		in.write("library/tea.md", "---\ntitle: Tea on the night train\ndate: 2026-02-01\n---\nThe water comes from a samovar at the end of the carriage.\n")
		in.must("import", "library")
		var got struct {
			Query  *string  `json:"query"`
			Total  *int     `json:"total"`
			TookMS *float64 `json:"took_ms"`
			Hits   []struct {
				ID        *int64   `json:"id"`
				Title     *string  `json:"title"`
				URL       *string  `json:"url"`
				Lang      *string  `json:"lang"`
				Published *string  `json:"published"`
				Score     *float64 `json:"score"`
				Snippet   *string  `json:"snippet"`
			} `json:"hits"`
		}
		out := in.must("search", "--json", "--lang", "en", "samovar")
		decoder := json.NewDecoder(bytes.NewReader([]byte(out)))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&got); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if got.Query == nil || got.Total == nil || got.TookMS == nil || len(got.Hits) != 1 {
			t.Fatalf("search --json printed %s", out)
		}
		hit := got.Hits[0]
		if hit.ID == nil || hit.Title == nil || hit.URL == nil || hit.Lang == nil || hit.Published == nil || hit.Score == nil || hit.Snippet == nil {
			t.Fatalf("a hit lacks something: %s", out)
		}
		published, err := time.Parse(time.RFC3339, *hit.Published)
		if err != nil || published.Format(time.DateOnly) != "2026-02-01" {
			t.Errorf("published %q, want RFC 3339 of 2026-02-01 (%v)", *hit.Published, err)
		}
		if *got.Query != "samovar" || *got.Total != 1 || *got.TookMS < 0 || *hit.Score <= 0 || *hit.Lang != "en" {
			t.Errorf("search --json printed %s", out)
		}
		var keys map[string]json.RawMessage
		if err := json.Unmarshal([]byte(in.must("search", "--json", "zebra")), &keys); err != nil {
			t.Fatal(err)
		}
		if got := string(keys["hits"]); got != "[]" {
			t.Errorf("no hits are %s, want []", got)
		}
	})
}
