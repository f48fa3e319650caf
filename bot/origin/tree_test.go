package origin_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"newsie/bot/origin"
)

func someTree() origin.Tree {
	return origin.NewTree([]origin.Origin{
		{ID: 1, Name: "Chain", Code: "chain"}, {ID: 2, Name: "North", Code: "n", Parent: 1}, {ID: 3, Name: "South", Code: "s", Parent: 1},
		{ID: 4, Name: "Shop 10", Code: "t10", Parent: 2}, {ID: 5, Name: "Shop 2", Code: "T2", Parent: 2}, {ID: 6, Name: "Shop 2", Code: "s2", Parent: 3},
		{ID: 7, Name: "North", Code: "other"}, {ID: 8, Name: "bookfair", Code: "fair", Parent: 99}, {ID: 9, Code: "guest", Invitation: true},
		{ID: 10, Name: "t10", Code: "named", Parent: 3},
	})
}

func TestATreeIsInOrder(t *testing.T) {
	var got []string
	tree := someTree()
	for depth, o := range tree.All() {
		got = append(got, fmt.Sprint(depth, " ", tree.Path(o.ID)))
	}
	want := "0 bookfair|0 Chain|1 Chain/North|2 Chain/North/Shop 2|2 Chain/North/Shop 10|1 Chain/South|2 Chain/South/Shop 2|2 Chain/South/t10|0 North"
	if strings.Join(got, "|") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), want)
	}
	if below := tree.Below(2); len(below) != 3 || below[0].ID != 2 || below[1].ID != 5 || below[2].ID != 4 {
		t.Errorf("below North are %+v", below)
	}
	if tree.Below(9) != nil || tree.Path(9) != "" || tree.Len() != 9 {
		t.Error("an invitation stands in the tree")
	}
}

func TestACircleLosesNothing(t *testing.T) {
	tree := origin.NewTree([]origin.Origin{{ID: 1, Name: "a", Parent: 2}, {ID: 2, Name: "b", Parent: 1}, {ID: 3, Name: "c", Parent: 3}, {ID: 4, Name: "d", Parent: 3}})
	for id, want := range map[int64]string{1: "a", 2: "a/b", 3: "c", 4: "c/d"} {
		if got := tree.Path(id); got != want {
			t.Errorf("the path of %d is %q, want %q", id, got, want)
		}
	}
}

func TestFind(t *testing.T) {
	tree := someTree()
	for address, want := range map[string]int64{
		"Chain": 1, "chain": 1, "CHAIN": 1, "Chain/North": 2, "North": 7, "/North": 7, "n": 2, "Chain/North/Shop 10": 4, "Shop 10": 4, "shop  10": 4,
		"North/Shop 2": 5, "south/shop 2": 6, "T2": 5, "t10": 4, "BookFair": 8, "FAIR": 8, " Chain / South ": 3,
	} {
		if got, err := tree.Find(address); got.ID != want || err != nil {
			t.Errorf("%q is %d, %v; want %d", address, got.ID, err, want)
		}
	}
	for _, address := range []string{"", "/", "Shop", "t2", "guest", "/Shop 10", "Chain/Shop 10", "Nord/Chain", "Chain/North/", "Chain//North"} {
		if got, err := tree.Find(address); !errors.Is(err, origin.ErrNoOrigin) {
			t.Errorf("%q is %d, %v; want none", address, got.ID, err)
		}
	}
	_, err := tree.Find("Shop 2")
	var several *origin.AmbiguousError
	if !errors.As(err, &several) || strings.Join(several.Paths, ",") != "Chain/North/Shop 2,Chain/South/Shop 2" {
		t.Errorf("two shops of one name: %v", err)
	}
}
