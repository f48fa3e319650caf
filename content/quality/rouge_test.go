package quality_test

import (
	"math"
	"testing"

	"newsie/content/quality"
)

// The figures are worked out by hand; the first two are Lin's own example.
func TestCompare(t *testing.T) {
	for _, c := range []struct {
		name, text, reference string
		one, two, l           float64
	}{
		{"in order", "police kill the gunman", "police killed the gunman", 3. / 4, 1. / 3, 3. / 4},
		{"out of order", "the gunman kill police", "police killed the gunman", 3. / 4, 1. / 3, 2. / 4},
		{"the same", "The ferry stopped.", "the ferry, stopped", 1, 1, 1},
		{"nothing in common", "The ferry stopped.", "Ein Boot", 0, 0, 0},
		{"no more often than the reference", "the the the the", "the ferry", 2. / 6, 0, 2. / 6},
		{"as long again", "the ferry stopped and the bell rang", "the ferry stopped", 6. / 10, 4. / 8, 6. / 10},
		{"forms of a word differ", "ferries", "ferry", 0, 0, 0},
		{"letters of another width", "Ｆｅｒｒｙ １２", "ferry 12", 1, 1, 1},
		{"Chinese by characters", "渡船停航", "渡船停了。", 6. / 8, 4. / 6, 6. / 8},
		{"Latin words in Chinese", "用 Telegram 开店", "Telegram 开店", 6. / 7, 4. / 5, 6. / 7},
		{"Korean by syllables", "나룻배가", "나룻배는", 6. / 8, 4. / 6, 6. / 8},
		{"Russian", "Лодка стоит.", "лодка ЛЕЖИТ", 1. / 2, 0, 1. / 2},
		{"one word has no pairs", "ferry", "ferry", 1, 0, 1},
		{"nothing", "", "ferry", 0, 0, 0},
		{"nothing at all", "…", "", 0, 0, 0},
	} {
		got := quality.Compare(c.text, c.reference)
		for _, part := range []struct {
			name      string
			got, want float64
		}{{"ROUGE-1", got.One, c.one}, {"ROUGE-2", got.Two, c.two}, {"ROUGE-L", got.L, c.l}} {
			if math.Abs(part.got-part.want) > 1e-9 {
				t.Errorf("%s: %s is %.4f, want %.4f", c.name, part.name, part.got, part.want)
			}
		}
	}
}
