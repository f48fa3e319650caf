package origin_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
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
		"enough":                      {[]int{top, 0, 0}, []int64{0, 5, 6}, "11 5 6"},
		"nothing":                     {[]int{top, 0, 0}, []int64{0, 0, 0}, "0 0 0"},
		"nothing is hidden":           {[]int{top, 0, 0, 0}, []int64{0, 0, 9, 5}, "14 0 9 5"},
		"few in all":                  {[]int{top, 0, 0}, []int64{0, 4, 0}, "<5 <5 0"},
		"two few are five":            {[]int{top, 0, 0}, []int64{0, 4, 1}, "5 <5 <5"},
		"one few is left out":         {[]int{top, 0, 0, 0, 0}, []int64{0, 30, 7, 3, 9}, "46+ 30 7 <5 9"},
		"two few of less than five":   {[]int{top, 0, 0, 0, 0}, []int64{0, 1, 2, 8, 9}, "17+ <5 <5 8 9"},
		"two few of five are enough":  {[]int{top, 0, 0, 0, 0}, []int64{0, 3, 2, 8, 9}, "22 <5 <5 8 9"},
		"many, each but one":          {[]int{top, 0, 0, 0, 0, 0, 0, 0}, []int64{0, 1, 1, 1, 1, 1, 8, 9}, "22 <5 <5 <5 <5 <5 8 9"},
		"many, each but one, and all": {[]int{top, 0, 0, 0, 0, 0}, []int64{0, 1, 1, 1, 1, 1}, "5 <5 <5 <5 <5 <5"},
		"many, each four":             {[]int{top, 0, 0, 0, 0}, []int64{0, 4, 4, 8, 9}, "25 <5 <5 8 9"},
		"a few of its own":            {[]int{top, 0, 0}, []int64{2, 7, 9}, "16+ 7 9"},
		"enough of its own":           {[]int{top, 0, 0}, []int64{6, 7, 9}, "22 7 9"},
		"its own covers one":          {[]int{top, 0, 0}, []int64{6, 3, 9}, "18 <5 9"},
		"what is above leaves it out": {[]int{top, 0, 0, 2, 2}, []int64{0, 7, 0, 3, 6}, "13+ 7 6+ <5 6"},
		"what is above has another":   {[]int{top, 0, 0, 2, 2}, []int64{0, 3, 0, 3, 9}, "15 <5 9+ <5 9"},
		"it is covered below":         {[]int{top, 0, 0, 2, 2}, []int64{0, 7, 0, 3, 2}, "12 7 5 <5 <5"},
	} {
		_, shown := origin.Hide(tt.parents, tt.own)
		var got []string
		for _, f := range shown {
			got = append(got, f.String())
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
	count := map[string]int{}
	for range 500 {
		parents, own := randomTree(random)
		totals, shown := origin.Hide(parents, own)
		for i, f := range shown {
			n := totals[i]
			switch {
			case f.Hidden:
				count["hidden"]++
				if n == 0 || n >= origin.Few || f.N != 0 || f.More {
					t.Fatalf("%d of %v is shown as %+v", n, totals, f)
				}
			case f.More:
				count["more"]++
				if n < f.N || f.N < origin.Few {
					t.Fatalf("%d of %v is shown as %+v", n, totals, f)
				}
			default:
				count["in full"]++
				if f.N != n || n > 0 && n < origin.Few {
					t.Fatalf("%d of %v is shown as %+v", n, totals, f)
				}
			}
		}
		for what, n := range solve(parents, own, totals, shown) {
			if n >= 1 && n < origin.Few {
				t.Fatalf("%s is found to be %d\nparents %v\nown     %v\ntotals  %v\nshown   %v", what, n, parents, own, totals, shown)
			}
		}
		for i := range parents {
			checkRest(t, parents, own, totals, shown, i)
		}
	}
	for _, kind := range []string{"hidden", "more", "in full"} {
		if count[kind] < 200 {
			t.Errorf("the trees say little: %v", count)
		}
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
func solve(parents []int, own, totals []int64, shown []origin.Figure) map[string]int64 {
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
		if !shown[i].Hidden && !shown[i].More {
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

// checkRest looks at what is left of a total that is shown in full without what is
// shown of its parts: five readers or more in several figures, if a few are among them.
func checkRest(t *testing.T, parents []int, own, totals []int64, shown []origin.Figure, at int) {
	t.Helper()
	if shown[at].Hidden || shown[at].More {
		return
	}
	rest, unknown, secret := int64(0), int64(0), false
	var leave func(i int)
	leave = func(i int) {
		if own[i] > 0 {
			rest, unknown, secret = rest+own[i], unknown+1, secret || own[i] < origin.Few
		}
		for j, parent := range parents {
			switch {
			case parent != i:
			case shown[j].Hidden:
				rest, unknown, secret = rest+totals[j], unknown+1, true
			case shown[j].More:
				leave(j)
			}
		}
	}
	if slices.Contains(parents, at) {
		leave(at)
	}
	if secret && (rest < origin.Few || unknown < 2) {
		t.Fatalf("%d are left of place %d for %d figures\nparents %v\nown     %v\ntotals  %v\nshown   %v", rest, at, unknown, parents, own, totals, shown)
	}
}
