package origin_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"newsie/bot/origin"
)

// A parent of -1 is none: "0:-1:3" is a root with 3 newcomers of its own.
func TestWhatIsHidden(t *testing.T) {
	const top = -1
	for name, tt := range map[string]struct {
		parents []int
		own     []int64
		want    string
	}{
		"enough":                        {[]int{top, 0, 0}, []int64{0, 5, 6}, "11 5 6"},
		"nothing":                       {[]int{top, 0, 0}, []int64{0, 0, 0}, "0 0 0"},
		"nothing is shown":              {[]int{top, 0, 0, 0}, []int64{0, 0, 9, 5}, "14 0 9 5"},
		"few in all":                    {[]int{top, 0, 0}, []int64{0, 4, 0}, "<5 <5 0"},
		"two few are five":              {[]int{top, 0, 0}, []int64{0, 4, 1}, "5 <5 <5"},
		"one few hides the smallest":    {[]int{top, 0, 0, 0, 0}, []int64{0, 30, 7, 3, 9}, "49 30 <5 <5 9"},
		"not a part that is nothing":    {[]int{top, 0, 0, 0}, []int64{0, 3, 0, 7}, "10 <5 0 <5"},
		"the first of equals":           {[]int{top, 0, 0, 0}, []int64{0, 3, 7, 7}, "17 <5 <5 7"},
		"two few of less than five":     {[]int{top, 0, 0, 0, 0}, []int64{0, 1, 2, 8, 9}, "20 <5 <5 <5 9"},
		"two few of five are enough":    {[]int{top, 0, 0, 0, 0}, []int64{0, 3, 2, 8, 9}, "22 <5 <5 8 9"},
		"many, each but one":            {[]int{top, 0, 0, 0, 0, 0, 0, 0}, []int64{0, 1, 1, 1, 1, 1, 8, 9}, "22 <5 <5 <5 <5 <5 <5 9"},
		"many, each four":               {[]int{top, 0, 0, 0, 0}, []int64{0, 4, 4, 8, 9}, "25 <5 <5 <5 9"},
		"a few of its own":              {[]int{top, 0, 0}, []int64{2, 7, 9}, "18 <5 9"},
		"enough of its own":             {[]int{top, 0, 0}, []int64{6, 7, 9}, "22 7 9"},
		"its own covers one":            {[]int{top, 0, 0}, []int64{6, 3, 9}, "18 <5 9"},
		"a hidden one must not be told": {[]int{top, 0, 0, 2, 2}, []int64{0, 3, 0, 5, 6}, "14 <5 <5 <5 6"},
		"nor by one that is below":      {[]int{top, 0, 0, 2, 3, 3}, []int64{0, 3, 0, 0, 5, 6}, "14 <5 <5 <5 <5 6"},
		"one with few below is safe":    {[]int{top, 0, 0, 2, 2}, []int64{0, 3, 0, 3, 9}, "15 <5 <5 <5 <5"},
	} {
		totals, hidden := origin.Hide(tt.parents, tt.own)
		var got []string
		for i, n := range totals {
			got = append(got, origin.Figure{N: n, Hidden: hidden[i]}.String())
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: got %s, want %s", name, strings.Join(got, " "), tt.want)
		}
	}
}

// No figure of fewer than five readers follows from what is shown: not from one
// total and its parts, nor from all of them together. Who tries knows even where
// nobody came by the code of what has others below it.
func TestNoHiddenFigureCanBeReckoned(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 11))
	hiddenOnes, shown := 0, 0
	for range 1200 {
		parents, own := randomTree(random)
		totals, hidden := origin.Hide(parents, own)
		for i, n := range totals {
			if n >= 1 && n < origin.Few != hidden[i] && n < origin.Few {
				t.Fatalf("%d of %v is shown: %v", n, totals, hidden)
			}
			if hidden[i] {
				hiddenOnes++
			} else if n > 0 {
				shown++
			}
		}
		solved := solve(parents, own, totals, hidden)
		for what, n := range solved {
			if n >= 1 && n < origin.Few {
				t.Fatalf("%s is found to be %d\nparents %v\nown     %v\ntotals  %v\nhidden  %v", what, n, parents, own, totals, hidden)
			}
		}
		checkRests(t, parents, own, totals, hidden)
	}
	if hiddenOnes < 1200 || shown < 1200 {
		t.Errorf("the trees say little: %d figures hidden, %d shown", hiddenOnes, shown)
	}
}

// randomTree has few readers in most places, many in some, and none in others.
func randomTree(random *rand.Rand) (parents []int, own []int64) {
	n := 2 + random.IntN(14)
	for i := range n {
		parents = append(parents, -1)
		if i > 0 {
			parents[i] = random.IntN(min(i, 5))
		}
		switch random.IntN(4) {
		case 0:
			own = append(own, 0)
		case 1:
			own = append(own, int64(random.IntN(30)))
		default:
			own = append(own, int64(random.IntN(8)))
		}
	}
	return parents, own
}

// solve finds all that linear equations tell: of each place, its total is what came
// to itself and the totals below it. What is shown is known, and which places have
// nobody of their own.
func solve(parents []int, own, totals []int64, hidden []bool) map[string]int64 {
	n := len(parents)
	var rows [][]*big.Rat // coefficients of n totals and n own ones, and the sum
	for i := range n {
		row := zeros(2*n + 1)
		row[i].SetInt64(1)
		row[n+i].SetInt64(-1)
		for j, parent := range parents {
			if parent == i {
				row[j].SetInt64(-1)
			}
		}
		rows = append(rows, row)
		if !hidden[i] {
			known := zeros(2*n + 1)
			known[i].SetInt64(1)
			known[2*n].SetInt64(totals[i])
			rows = append(rows, known)
		}
		if own[i] == 0 {
			known := zeros(2*n + 1)
			known[n+i].SetInt64(1)
			rows = append(rows, known)
		}
	}
	reduce(rows, 2*n)
	solved := map[string]int64{}
	for _, row := range rows {
		at, unknowns := 0, 0
		for c := range 2 * n {
			if row[c].Sign() != 0 {
				at, unknowns = c, unknowns+1
			}
		}
		if unknowns == 1 {
			value := new(big.Rat).Quo(row[2*n], row[at])
			solved[fmt.Sprintf("total %d", at)] = value.Num().Int64()
			if at >= n {
				delete(solved, fmt.Sprintf("total %d", at))
				solved[fmt.Sprintf("own %d", at-n)] = value.Num().Int64()
			}
		}
	}
	return solved
}

func zeros(n int) []*big.Rat {
	row := make([]*big.Rat, n)
	for i := range row {
		row[i] = new(big.Rat)
	}
	return row
}

// reduce brings equations into the form in which each solved unknown stands alone.
func reduce(rows [][]*big.Rat, columns int) {
	done := 0
	for c := range columns {
		pivot := -1
		for r := done; r < len(rows); r++ {
			if rows[r][c].Sign() != 0 {
				pivot = r
				break
			}
		}
		if pivot < 0 {
			continue
		}
		rows[done], rows[pivot] = rows[pivot], rows[done]
		for r := range rows {
			if r == done || rows[r][c].Sign() == 0 {
				continue
			}
			factor := new(big.Rat).Quo(rows[r][c], rows[done][c])
			for k := range rows[r] {
				rows[r][k].Sub(rows[r][k], new(big.Rat).Mul(factor, rows[done][k]))
			}
		}
		done++
	}
}

// checkRests looks at what is left of each total without the parts that are shown,
// also of one that is hidden, which may be found from others: unless all its parts
// are hidden, that is of five readers or more, and does not say that each hidden
// part is 1, or 4.
func checkRests(t *testing.T, parents []int, own, totals []int64, hidden []bool) {
	t.Helper()
	for i := range parents {
		rest, unknown, secret, open := own[i], int64(0), own[i] > 0 && own[i] < origin.Few, false
		if own[i] > 0 {
			unknown++
		}
		for j, parent := range parents {
			switch {
			case parent != i:
			case hidden[j]:
				rest, unknown, secret = rest+totals[j], unknown+1, secret || totals[j] < origin.Few
			case totals[j] > 0:
				open = true
			}
		}
		if totals[i] < origin.Few || !secret || !open {
			continue
		}
		if rest < origin.Few || rest == unknown || rest == 4*unknown {
			t.Fatalf("%d are left of place %d for %d parts\nparents %v\nown     %v\ntotals  %v\nhidden  %v", rest, i, unknown, parents, own, totals, hidden)
		}
	}
}
