package origin_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"newsie/bot/origin"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

var monday = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func newBook(db *database.DB) *origin.Book {
	return origin.NewBook(db, func() time.Time { return monday })
}

// add keeps an origin below another, None for the top.
func add(t testing.TB, b *origin.Book, name string, parent int64) origin.Origin {
	t.Helper()
	o, err := b.Add(t.Context(), origin.Origin{Name: name, Parent: parent})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestAnOriginIsKeptAsItWasGiven(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBook(db)
		chain := add(t, b, "Libri & Co", origin.None)
		want := origin.Origin{
			Code: "Shop-12", Name: "南京路店", Parent: chain.ID, Notes: "two\nlines", Starts: monday.Add(-time.Hour), Ends: monday.Add(1234 * time.Millisecond),
			Welcome: origin.Welcome{Text: "欢迎 👋", Article: 4711, Topic: "茶 -咖啡"},
		}
		added, err := b.Add(t.Context(), want)
		if err != nil {
			t.Fatal(err)
		}
		want.ID, want.Created = added.ID, monday
		if added != want || want.ID == 0 {
			t.Errorf("Add returned %+v, want %+v", added, want)
		}
		for how, find := range map[string]func() (origin.Origin, bool, error){
			"id":   func() (origin.Origin, bool, error) { return b.ByID(t.Context(), added.ID) },
			"code": func() (origin.Origin, bool, error) { return b.ByCode(t.Context(), "Shop-12") },
		} {
			if got, ok, err := find(); got != want || !ok || err != nil {
				t.Errorf("by its %s came %+v, %v, %v; want %+v", how, got, ok, err, want)
			}
		}
		if got, ok, err := b.ByID(t.Context(), 99); ok || err != nil {
			t.Errorf("origin 99 is %+v, %v", got, err)
		}
		if code := chain.Code; !origin.ValidCode(code) || len(code) != 9 {
			t.Errorf("without a code it got %q", code)
		}
	})
}

func TestByCodeTakesTheExactOneElseSmallLetters(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBook(db)
		for _, code := range []string{"abc", "made-by-hand", "xyz", "Mixed"} {
			if _, err := b.Add(t.Context(), origin.Origin{Name: code, Code: code}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.ExecContext(t.Context(), "UPDATE origins SET code = 'ABC' WHERE code = 'made-by-hand'"); err != nil { // Add refuses it
			t.Fatal(err)
		}
		for code, want := range map[string]string{"abc": "abc", "ABC": "ABC", "Abc": "abc", "XYZ": "xyz", "Mixed": "Mixed", "mixed": "", "nobody": "", "a_b": "", "": "", "店": ""} {
			got, ok, err := b.ByCode(t.Context(), code)
			if err != nil || got.Code != want || ok != (want != "") {
				t.Errorf("%q is the code of %q, %v, %v; want %q", code, got.Code, ok, err, want)
			}
		}
	})
}

func TestWhatIsWrongWithAnOriginIsSaid(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBook(db)
		chain := add(t, b, "Chain", origin.None)
		invitation, err := b.Invitation(t.Context(), origin.Reader{Channel: "tg", Chat: "1"})
		if err != nil {
			t.Fatal(err)
		}
		long := strings.Repeat("长", 81)
		for name, tt := range map[string]struct {
			o     origin.Origin
			field string
		}{
			"no name":              {origin.Origin{Name: " \t"}, "name"},
			"a long name":          {origin.Origin{Name: long}, "name"},
			"a slash":              {origin.Origin{Name: "a/b"}, "name"},
			"a control character":  {origin.Origin{Name: "a\x07b"}, "name"},
			"a turned direction":   {origin.Origin{Name: "a\u202eb"}, "name"},
			"broken UTF-8":         {origin.Origin{Name: "a\xffb"}, "name"},
			"a name that is there": {origin.Origin{Name: " Chain "}, "name"},
			"a bad code":           {origin.Origin{Name: "x", Code: "a b"}, "code"},
			"a long code":          {origin.Origin{Name: "x", Code: strings.Repeat("x", 33)}, "code"},
			"a doubled code":       {origin.Origin{Name: "x", Code: chain.Code}, "code"},
			"a code in capitals":   {origin.Origin{Name: "x", Code: strings.ToUpper(chain.Code)}, "code"},
			"an invitation's, too": {origin.Origin{Name: "x", Code: strings.ToUpper(invitation.Code)}, "code"},
			"an invitation's code": {origin.Origin{Name: "x", Code: invitation.Code}, "code"},
			"an unknown parent":    {origin.Origin{Name: "x", Parent: 99}, "parent"},
			"an invitation above":  {origin.Origin{Name: "x", Parent: invitation.ID}, "parent"},
			"an end at its start":  {origin.Origin{Name: "x", Starts: monday, Ends: monday}, "ends"},
			"a bad article":        {origin.Origin{Name: "x", Welcome: origin.Welcome{Article: -1}}, "article"},
			"a long topic":         {origin.Origin{Name: "x", Welcome: origin.Welcome{Topic: strings.Repeat("茶", 101)}}, "topic"},
			"a long welcome":       {origin.Origin{Name: "x", Welcome: origin.Welcome{Text: strings.Repeat("茶", 601)}}, "welcome"},
			"long notes":           {origin.Origin{Name: "x", Notes: strings.Repeat("茶", 1001)}, "notes"},
			"an unseen welcome":    {origin.Origin{Name: "x", Welcome: origin.Welcome{Text: "a\x00b"}}, "welcome"},
		} {
			_, err := b.Add(t.Context(), tt.o)
			var invalid *origin.InvalidError
			if !errors.As(err, &invalid) || invalid.Field != tt.field || invalid.Problem == "" {
				t.Errorf("%s: %v; want a word on its %s", name, err, tt.field)
			}
		}
		if list, err := b.All(t.Context()); err != nil || len(list) != 1 {
			t.Errorf("something was kept: %+v, %v", list, err)
		}
		_, err = b.Add(t.Context(), origin.Origin{Name: "", Code: "_", Ends: time.Unix(1, 0), Starts: time.Unix(2, 0)})
		if got := strings.Count(fmt.Sprint(err), "\n") + 1; got != 3 {
			t.Errorf("of three things %d were said: %v", got, err)
		}
		if _, err := b.Add(t.Context(), origin.Origin{Name: strings.Repeat("长", 80), Code: strings.Repeat("x", 32)}); err != nil {
			t.Errorf("at the limits: %v", err)
		}
	})
}

func TestEdit(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBook(db)
		chain := add(t, b, "Chain", origin.None)
		north := add(t, b, "North", chain.ID)
		shop := add(t, b, "Shop", north.ID)
		field := func(o origin.Origin) string {
			var invalid *origin.InvalidError
			if err := b.Edit(t.Context(), o); !errors.As(err, &invalid) {
				return fmt.Sprint(err)
			}
			return invalid.Field
		}
		for name, parent := range map[string]int64{"itself": north.ID, "what is below it": shop.ID, "nothing": 99} {
			moved := north
			if moved.Parent = parent; field(moved) != "parent" {
				t.Errorf("it went below %s", name)
			}
		}
		named := shop
		if named.Code = chain.Code; field(named) != "code" {
			t.Error("it took another's code")
		}
		if named.Code = strings.ToUpper(chain.Code); field(named) != "code" {
			t.Error("it took another's code in capitals")
		}
		if named.Code = strings.ToUpper(shop.Code); field(named) != "<nil>" {
			t.Errorf("its own code in capitals is refused: %v", b.Edit(t.Context(), named))
		}
		top := north
		if top.Name, top.Parent = "Chain", origin.None; field(top) != "name" {
			t.Error("it took another's name")
		}
		shop.Name, shop.Parent, shop.Welcome.Text, shop.Code, shop.Ends = "Laden", chain.ID, "Ciao", "new", monday.Add(time.Hour)
		if err := b.Edit(t.Context(), shop); err != nil {
			t.Fatal(err)
		}
		if got, _, err := b.ByCode(t.Context(), "new"); got != shop || err != nil {
			t.Errorf("it is %+v, %v; want %+v", got, err, shop)
		}
		if err := b.Edit(t.Context(), origin.Origin{ID: 99, Name: "x", Code: "x"}); !errors.Is(err, origin.ErrNoOrigin) {
			t.Errorf("what is not there was edited: %v", err)
		}
		invitation, err := b.Invitation(t.Context(), origin.Reader{Channel: "tg", Chat: "1"})
		if err != nil {
			t.Fatal(err)
		}
		invitation.Name = "mine"
		if err := b.Edit(t.Context(), invitation); !errors.Is(err, origin.ErrNoOrigin) {
			t.Errorf("a reader's invitation was edited: %v", err)
		}
	})
}

func TestOriginsStandTwelveDeep(t *testing.T) {
	b := newBook(databasetest.SQLite(t))
	parent, list := origin.None, []origin.Origin{}
	for i := range 12 {
		list = append(list, add(t, b, fmt.Sprint("level ", i), parent))
		parent = list[i].ID
	}
	if _, err := b.Add(t.Context(), origin.Origin{Name: "x", Parent: parent}); err == nil {
		t.Error("there is a thirteenth level")
	}
	other := add(t, b, "other", origin.None)
	moved := list[1]
	moved.Parent = other.ID
	if err := b.Edit(t.Context(), moved); err != nil {
		t.Errorf("eleven levels below one: %v", err)
	}
	moved = list[0]
	if err := b.Edit(t.Context(), moved); err != nil {
		t.Errorf("what stays where it is: %v", err)
	}
	other.Parent = list[0].ID
	if err := b.Edit(t.Context(), other); err == nil {
		t.Error("twelve levels went below one")
	}
}

func TestTwoEditsAtOnceMakeNoCircle(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBook(db)
		for round := range 5 {
			one, two := add(t, b, fmt.Sprint("one ", round), origin.None), add(t, b, fmt.Sprint("two ", round), origin.None)
			one.Parent, two.Parent = two.ID, one.ID
			var both sync.WaitGroup
			errs := make([]error, 2)
			both.Go(func() { errs[0] = b.Edit(t.Context(), one) })
			both.Go(func() { errs[1] = b.Edit(t.Context(), two) })
			both.Wait()
			if (errs[0] == nil) == (errs[1] == nil) {
				t.Fatalf("one goes below two: %v; two below one: %v", errs[0], errs[1])
			}
		}
	})
}

func TestClosing(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBook(db)
		chain := add(t, b, "Chain", origin.None)
		shop := add(t, b, "Shop", chain.ID)
		over, err := b.Add(t.Context(), origin.Origin{Name: "Fair", Parent: chain.ID, Ends: monday.Add(-time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		later, err := b.Add(t.Context(), origin.Origin{Name: "Later", Parent: shop.ID, Starts: monday.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		open := func(id int64, at time.Time) bool {
			o, ok, err := b.ByID(t.Context(), id)
			if !ok || err != nil {
				t.Fatalf("origin %d: %v", id, err)
			}
			return o.Open(at)
		}
		if err := b.Close(t.Context(), chain.ID, monday); err != nil {
			t.Fatal(err)
		}
		if open(chain.ID, monday) || !open(chain.ID, monday.Add(-1)) || !open(shop.ID, monday) {
			t.Error("it is not closed from then on, or what is below it is closed too")
		}
		if n, err := b.CloseAll(t.Context(), chain.ID, monday.Add(time.Minute)); n != 2 || err != nil {
			t.Errorf("%d were closed, %v; want the shop and what was to open", n, err)
		}
		if got, _, _ := b.ByID(t.Context(), chain.ID); got.Ends != monday {
			t.Errorf("what was closed ends at %v now", got.Ends)
		}
		if got, _, _ := b.ByID(t.Context(), over.ID); got.Ends != monday.Add(-time.Hour) {
			t.Errorf("what was over ends at %v now", got.Ends)
		}
		if open(shop.ID, monday.Add(time.Minute)) || open(later.ID, monday.Add(2*time.Hour)) {
			t.Error("something is open")
		}
		closed, _, err := b.ByID(t.Context(), later.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Edit(t.Context(), closed); err != nil {
			t.Errorf("what never opened cannot be edited any more: %v", err)
		}
		for _, id := range []int64{99, origin.Unknown} {
			if err := b.Close(t.Context(), id, monday); !errors.Is(err, origin.ErrNoOrigin) {
				t.Errorf("origin %d was closed: %v", id, err)
			}
			if _, err := b.CloseAll(t.Context(), id, monday); !errors.Is(err, origin.ErrNoOrigin) {
				t.Errorf("origin %d was closed with all below: %v", id, err)
			}
		}
	})
}

func TestAReaderHasOneInvitation(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBook(db)
		made := make([]origin.Origin, 8)
		var all sync.WaitGroup
		for i := range made {
			all.Go(func() {
				var err error
				if made[i], err = b.Invitation(t.Context(), origin.Reader{Channel: "tg", Chat: "42"}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, o := range made {
			if o != made[0] || !o.Invitation || o.Owner != (origin.Reader{Channel: "tg", Chat: "42"}) || !origin.ValidCode(o.Code) || o.ID == 0 {
				t.Errorf("invitations %+v and %+v", o, made[0])
			}
		}
		if got, ok, err := b.ByCode(t.Context(), made[0].Code); got != made[0] || !ok || err != nil {
			t.Errorf("by its code came %+v, %v, %v", got, ok, err)
		}
		other, err := b.Invitation(t.Context(), origin.Reader{Channel: "web", Chat: "42"})
		if err != nil || other.ID == made[0].ID {
			t.Errorf("another reader has invitation %+v, %v", other, err)
		}
		if list, err := b.All(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("the publisher's are %+v, %v", list, err)
		}
	})
}
