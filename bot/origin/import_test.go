package origin_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"newsie/bot/origin"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

var rome = time.FixedZone("rome", 3600)

func options() origin.ImportOptions { return origin.ImportOptions{Zone: rome} }

func imported(t testing.TB, b *origin.Book, file string) origin.Imported {
	t.Helper()
	done, err := b.Import(t.Context(), strings.NewReader(file), options())
	if err != nil {
		t.Fatalf("import of\n%s\n%v", file, err)
	}
	return done
}

// told is what became of a file.
func told(done origin.Imported) string {
	parts := []string{fmt.Sprintf("%d+%d=%d", done.Added, done.Updated, done.Unchanged)}
	for _, c := range done.Changes {
		parts = append(parts, fmt.Sprintf("%d %s %s", c.Line, c.Path, strings.Join(c.Fields, "&")))
	}
	return strings.Join(parts, ", ")
}

// listed are the origins with their paths, and those of some columns.
func listed(t testing.TB, b *origin.Book, of func(o origin.Origin) string) string {
	t.Helper()
	tree, err := b.Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for _, o := range tree.All() {
		parts = append(parts, strings.TrimSpace(tree.Path(o.ID)+" "+of(o)))
	}
	return strings.Join(parts, ", ")
}

func codeOf(o origin.Origin) string { return o.Code }
func nothing(origin.Origin) string  { return "" }

func TestAFileComesIn(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBook(db)
		const file = "\ufeffName,Parent,Code,Notes,Starts,Ends,Welcome,Article,Topic\r\n" +
			"Shop 2,North,s2,\"two\r\nlines, \"\"quoted\"\"\",2026-12-01,2026-12-24,你好 👋,4711,茶\r\n" +
			",,,,,,,,\r\n" +
			"North,Chain,,,,,,,\r\n" +
			"Chain,,chain,,2026/12/1 9:30,2026-12-24T18:00:00Z,,,\r\n"
		if got, want := told(imported(t, b, file)), "3+0=0, 2 Chain/North/Shop 2 , 5 Chain/North , 6 Chain "; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		o, err := b.Find(t.Context(), "Chain/North/Shop 2")
		if err != nil {
			t.Fatal(err)
		}
		want := origin.Origin{
			ID: o.ID, Code: "s2", Name: "Shop 2", Parent: o.Parent, Notes: "two\nlines, \"quoted\"", Created: monday,
			Starts: time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC), Ends: time.Date(2026, 12, 24, 23, 0, 0, 0, time.UTC),
			Welcome: origin.Welcome{Text: "你好 👋", Article: 4711, Topic: "茶"},
		}
		if o != want {
			t.Errorf("it is %+v\nwant  %+v", o, want)
		}
		chain, _, err := b.ByCode(t.Context(), "chain")
		if err != nil || !chain.Starts.Equal(time.Date(2026, 12, 1, 8, 30, 0, 0, time.UTC)) || !chain.Ends.Equal(time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC)) {
			t.Errorf("the chain is %+v, %v", chain, err)
		}
		if got := told(imported(t, b, file)); got != "0+0=3" {
			t.Errorf("again it changed something: %s", got)
		}
		changed := strings.Replace(strings.Replace(file, "4711", "4712", 1), "North,Chain,,,", "North,Chain,,new,", 1)
		if got, want := told(imported(t, b, changed)), "0+2=1, 2 Chain/North/Shop 2 article, 5 Chain/North notes"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestWhatAFileDoesNotSayStays(t *testing.T) {
	b := newBook(databasetest.SQLite(t))
	imported(t, b, "name,parent,code,notes,topic\nChain,,c,old,tea\nShop,Chain,s,old,tea\nOther,,o,old,tea\n")
	// Without a column for parents and topics, a new name.
	if got, want := told(imported(t, b, "code,name,notes\ns,Laden,\n")), "0+1=0, 2 Chain/Laden name&notes"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := listed(t, b, func(o origin.Origin) string { return o.Code + o.Notes + o.Welcome.Topic }), "Chain coldtea, Chain/Laden stea, Other ooldtea"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	// An empty parent is the top.
	imported(t, b, "code,name,parent\ns,Laden,\n")
	if got := listed(t, b, nothing); got != "Chain, Laden, Other" {
		t.Errorf("it is %s", got)
	}
}

func TestLinesFindTheirParents(t *testing.T) {
	for name, tt := range map[string]struct{ before, file, want string }{
		"by a path in any order":            {"", "path\na/b/c\na\na/b\n", "a, a/b, a/b/c"},
		"by a name of the file":             {"", "name,parent\nc,b\nb,a\na,\n", "a, a/b, a/b/c"},
		"by a code of the file":             {"", "name,parent,code\nc,x-b,\nb,x-a,x-b\na,,x-a\n", "a, a/b, a/b/c"},
		"by a path as a parent":             {"", "name,parent\nc,a/b\nc,d/b\nb,a\nb,d\na,\nd,\n", "a, a/b, a/b/c, d, d/b, d/b/c"},
		"by part of a path":                 {"name,parent\na,\nb,a\n", "name,parent\nc,b\nd,b/c\n", "a, a/b, a/b/c, a/b/c/d"},
		"by a code that is there":           {"name,code\na,x1\n", "name,parent\nb,x1\n", "a, a/b"},
		"a name before a code":              {"name,code\na,b\n", "name,parent\nc,b\nb,\n", "a, b, b/c"},
		"with a parent's name":              {"", "name,parent\nRoma,Lazio\nRoma,Roma\nLazio,\n", "Lazio, Lazio/Roma, Lazio/Roma/Roma"},
		"moved with what is below":          {"path,code\na,a1\na/b,b1\na/b/c,\nd,d1\n", "name,parent,code\nb,d,b1\n", "a, d, d/b, d/b/c"},
		"two of one name":                   {"", "path\na\na/x\nb\nb/x\n", "a, a/x, b, b/x"},
		"below one that is moved":           {"path,code\na,a1\na/b,b1\nd,d1\n", "name,parent,code\nc,d/b,\nb,d,b1\n", "a, d, d/b, d/b/c"},
		"one that is moved with its parent": {"path,code\na,a1\na/b,b1\na/b/c,\nd,d1\n", "name,parent,code,notes\nc,d/b,,x\nb,d,b1,\n", "a, d, d/b, d/b/c x"},
		"names that change places":          {"path,code\na,a1\nb,b1\na/x,\n", "path,code\na,b1\nb,a1\n", "a, b, b/x"},
		"a name that became free":           {"path,code\na,a1\n", "path,code\nb,a1\na,\n", "a, b"},
		"the file's own before others":      {"path\nb\nb/r\n", "name,parent\na,\nr,a\ns,r\n", "a, a/r, a/r/s, b, b/r"},
		"the file's own before one on top":  {"path\nr\n", "name,parent\ns,r\nr,a\na,\n", "a, a/r, a/r/s, r"},
		"the one on top if a path says so":  {"path\nr\n", "name,parent\ns,/r\nr,a\na,\n", "a, a/r, r, r/s"},
		"the one on top if it is a line":    {"path\nr\n", "name,parent\ns,r\nr,a\na,\nr,\n", "a, a/r, r, r/s"},
		"headings of other languages":       {"", "名称;上级;代码;备注;开始;结束;欢迎语;文章;主题\nb;a;;;;;;;\na;;;x;;;;;\n", "a x, a/b"},
		"a parent goes below a child":       {"path,code\na,a1\na/b,b1\n", "path,code\nb,b1\nb/a,a1\n", "b, b/a"},
	} {
		b := newBook(databasetest.SQLite(t))
		if tt.before != "" {
			imported(t, b, tt.before)
		}
		before := listed(t, b, codeOf)
		imported(t, b, tt.file)
		if got := listed(t, b, func(o origin.Origin) string { return o.Notes }); got != tt.want {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
		for _, code := range []string{"a1", "b1", "x1"} {
			if strings.Contains(before, " "+code) != strings.Contains(listed(t, b, codeOf), " "+code) && !strings.Contains(tt.file, code) {
				t.Errorf("%s: the code %s is gone, or came: %s", name, code, listed(t, b, codeOf))
			}
		}
		if again := imported(t, b, tt.file); again.Added+again.Updated > 0 {
			t.Errorf("%s: again it changed something: %s", name, told(again))
		}
	}
}

func TestEveryBadLineIsTold(t *testing.T) {
	b := newBook(databasetest.SQLite(t))
	imported(t, b, "path,code\nthere,t\nthere/below,be\nother,other\n")
	invitation, err := b.Invitation(t.Context(), origin.Reader{Channel: "tg", Chat: "1"})
	if err != nil {
		t.Fatal(err)
	}
	before := listed(t, b, codeOf)
	for name, tt := range map[string]struct{ file, want string }{
		"empty":                       {"", "1: the file is empty"},
		"only a mark":                 {"\ufeff\r\n\r\n", "1: the file is empty"},
		"no header":                   {"Shop 1,North\n", `1: there is no column "Shop 1", "North": they are|1: there is no column name`},
		"an unknown column":           {"\nname,colour,code\na,red,a_b\n", `2: there is no column "colour": they are path|3: the code`},
		"two, in two languages":       {"name,code,名称\n", "1: there are two columns name"},
		"all before a quotation":      {"name,code,ends\na,a_b,\nb,,soon\nc,c,\n,,\n\"d\ne,e,\n", "2: the code|3: ends|6: its quotation marks do not close, so that nothing can be read down to line"},
		"and what is behind":          {"name,code\n\"a\"b,x\nb,b_b\n", `2: its quotation marks do not close: a cell|3: the code`},
		"a code in capitals":          {"name,code\na,OTHER\nb,x-1\nc,X-1\n", "2: the code OTHER differs from other, that of other, only in|4: the code X-1 differs from x-1, that of line 3, only in"},
		"an invitation's in capitals": {"name,code\na,CAPITALS\n", "2: the code"},
		"two of a column":             {"name,code,Name\n", "1: there are two columns name"},
		"no name":                     {"code,notes\n", "1: there is no column name"},
		"path and parent":             {"path,parent\n", "1: a file has the columns name and parent, or path"},
		"an open quotation":           {"name\na\n\"b\nc\n", "3: its quotation marks"},
		"too many cells":              {"name,notes\na,b\nc,d,e\n", "3: it has 3 cells"},
		"a nameless column":           {"name,,code\na,x,\n", `2: "x" stands in a column without a name`},
		"no name in a line":           {"name,code\n,x\n", "2: it has no name"},
		"a bad path":                  {"path\na//b\n", `2: the path "a//b"`},
		"a bad code":                  {"name,code\na,a_b\n", "2: the code"},
		"a doubled code":              {"name,code\na,x\nb,x\n", "3: the code x is on line 2"},
		"a doubled name":              {"name,parent\nc,\na,c\na,c\n", "4: c/a is on line 3"},
		"a doubled path":              {"path\na\na/b\n/a/b\n", "4: a/b is on line 3"},
		"a path that is there":        {"path,code\nthere,x\n", "2: there is there with the code"},
		"a name that is there":        {"name,code,parent\nthere,other,\n", "2: there is there already"},
		"an unknown parent":           {"name,parent\na,nobody\nb,a\n", `2: there is no origin "nobody"`},
		"an unknown path":             {"path\na\nb/c\n", `3: there is no origin "b"`},
		"itself":                      {"name,parent\na,a\n", "2: a would be its own parent"},
		"a circle":                    {"name,parent\na,c\nb,a\nc,b\nd,c\n", "2: a would stand below itself|3: b would stand below itself|4: c would stand below itself"},
		"below its own":               {"name,parent,code\nthere,there/below,t\n", "2: there would stand below itself"},
		"below its own's code":        {"name,parent,code\nthere,be,t\n", "2: there would stand below itself"},
		"bad days":                    {"name,starts,ends\na,tomorrow,\nb,,30/12/2026\nc,2026-02-30,\nd,2026-03-29 02:30,\n", "2: starts|3: ends|4: starts"},
		"the wrong way":               {"name,starts,ends\na,2026-12-02,2026-12-01\nb,2026-12-01,2026-12-01\n", "2: it would end before it starts"},
		"a bad article":               {"name,article\na,x\nb,-1\nc,0\n", "2: article|3: article|4: article"},
		"no such article":             {"name,article\na,404\nb,404\n", "2: there is no article 404|3: there is no article 404"},
		"a bad topic":                 {"name,topic\na,bad\n", "2: no topic"},
		"several in a line":           {"name,article,ends,notes\na,x,y," + strings.Repeat("长", 1001) + "\n", "2: ends \"y\" is no day such as 2026-12-24, nor a time such as 2026-12-24 18:00; article \"x\" is no article's number; its notes"},
		"a long name":                 {"name\n" + strings.Repeat("长", 81) + "\n", "2: its name has 81 characters"},
		"an invitation's":             {"name,code\na,INVITED\n", "2: the code"},
		"too deep":                    {"path\na\n" + deep(12) + "\n", "14: origins stand 12 deep"},
		"a name not yet clear":        {"name,parent\nr,\na,r\nb,r\nx,a\ny,x\nx,b\n", `6: the parent "x" may be r/a/x or r/b/x`},
		"by an unclear name":          {"name,parent\na,\nb,\nx,a\nx,b\ny,x\n", `6: the parent "x" may be a/x or b/x`},
	} {
		opts := options()
		opts.Topic = func(text string) (string, error) {
			if text == "bad" {
				return "", errors.New("no topic")
			}
			return text, nil
		}
		opts.Article = func(_ context.Context, id int64) error {
			if id == 404 {
				return errors.New("there is no article 404")
			}
			return nil
		}
		_, err = b.Import(t.Context(), strings.NewReader(strings.NewReplacer("INVITED", invitation.Code, "CAPITALS", strings.ToUpper(invitation.Code)).Replace(tt.file)), opts)
		var bad origin.LineErrors
		if !errors.As(err, &bad) {
			t.Errorf("%s: %v; want lines", name, err)
			continue
		}
		wants := strings.Split(tt.want, "|")
		for i, want := range wants {
			if got := fmt.Sprintf("%d: %s", bad[min(i, len(bad)-1)].Line, bad[min(i, len(bad)-1)].What); !strings.HasPrefix(got, want) {
				t.Errorf("%s: got %s, want %s", name, got, want)
			}
		}
		if len(bad) != len(wants) {
			t.Errorf("%s: %d lines are told, want %d: %v", name, len(bad), len(wants), err)
		}
		if after := listed(t, b, codeOf); after != before {
			t.Errorf("%s: something was kept: %s", name, after)
		}
	}
}

// deep is a path for each level below a, one a line.
func deep(levels int) string {
	path, lines := "a", []string{}
	for range levels {
		path += "/a"
		lines = append(lines, path)
	}
	return strings.Join(lines, "\n")
}

func TestGoodLinesAreKeptWhenBadOnesMayBeSkipped(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBook(db)
		opts := options()
		opts.SkipBad = true
		done, err := b.Import(t.Context(), strings.NewReader("name,parent,code\na,,\nb,nobody,\nc,b,\nd,a,bad_code\ne,a,\n,,x\nf,c,\n"), opts)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := listed(t, b, nothing), "a, a/e"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		lines := []int{}
		for _, bad := range done.Bad {
			lines = append(lines, bad.Line)
		}
		if got := fmt.Sprint(lines, done.Added); got != "[3 5 7] 2" && got != "[3 4 5 7 8] 2" {
			t.Errorf("lines %s were told: %v", got, done.Bad)
		}
		done, err = b.Import(t.Context(), strings.NewReader("name,colour,code\ng,red,g\nh,red,h_h\ni,blue,i\n\"j,,\nk,,\n"), opts)
		if err != nil || fmt.Sprint(told(done), len(done.Bad)) != "2+0=0, 2 g , 4 i 3" {
			t.Errorf("a file with a column too many and an open quotation: %s, %v, %v", told(done), done.Bad, err)
		}
	})
}

func TestADryRunKeepsNothing(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBook(db)
		imported(t, b, "name,notes\na,x\n")
		opts := options()
		opts.DryRun = true
		done, err := b.Import(t.Context(), strings.NewReader("name,notes\na,y\nb,\n"), opts)
		if err != nil || told(done) != "1+1=0, 2 a notes, 3 b " {
			t.Errorf("it would be %s, %v", told(done), err)
		}
		if got := listed(t, b, func(o origin.Origin) string { return o.Notes }); got != "a x" {
			t.Errorf("it is %s", got)
		}
	})
}

func TestSeparators(t *testing.T) {
	for name, file := range map[string]string{
		"semicolons":        "name;parent;notes\r\na;;\"x;y\"\r\nb;a;1,5\r\n",
		"tabs":              "name\tparent\tnotes\na\t\tx;y\nb\ta\t1,5\n",
		"said by Excel":     "sep=;\r\nname;parent;notes\r\na;;\"x;y\"\r\nb;a;1,5\r\n",
		"said, one column":  "sep=,\nname,parent,notes\na,,x;y\nb,a,\"1,5\"\n",
		"short lines":       "name,notes,parent\na,x;y\nb,\"1,5\",a\n",
		"a column of space": "name,notes,parent,\na,x;y,,\nb,\"1,5\",a,\n",
	} {
		b := newBook(databasetest.SQLite(t))
		imported(t, b, file)
		if got := listed(t, b, func(o origin.Origin) string { return o.Notes }); got != "a x;y, a/b 1,5" {
			t.Errorf("%s: %s", name, got)
		}
	}
	b := newBook(databasetest.SQLite(t))
	_, err := b.Import(t.Context(), strings.NewReader("sep=;\nname;code\na;x_\n"), options())
	if bad := (origin.LineErrors{}); !errors.As(err, &bad) || bad[0].Line != 3 {
		t.Errorf("behind Excel's line a bad one is %v", err)
	}
}

func TestWhatIsExportedComesInAgain(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBook(db)
		chain := add(t, b, "=Chain, \"quoted\"; 连锁", origin.None)
		for i, o := range []origin.Origin{
			{Name: "-1", Notes: "=1+1\n@x;=y", Welcome: origin.Welcome{Text: "'=a", Article: 7, Topic: "+tea"}},
			{Name: "'-1", Notes: "' =x", Starts: time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC), Ends: time.Date(2026, 12, 24, 23, 0, 0, 0, time.UTC)},
			{Name: "@home", Starts: time.Date(2026, 12, 1, 8, 30, 0, 0, time.UTC), Ends: time.Date(2026, 12, 24, 18, 0, 1, 5e6, time.UTC)},
			{Name: "＝wide", Notes: "a;b\n\nc", Welcome: origin.Welcome{Text: "''+x"}},
		} {
			o.Parent, o.Code = chain.ID, fmt.Sprint("-code", i)
			if _, err := b.Add(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		}
		var file strings.Builder
		if err := b.Export(t.Context(), &file, rome); err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(strings.TrimPrefix(file.String(), "\ufeff"), "\n") {
			for cell := range strings.FieldsFuncSeq(line, func(r rune) bool { return strings.ContainsRune(",;\t\"", r) }) {
				if strings.HasPrefix(cell, "=") || strings.HasPrefix(cell, "@") || strings.HasPrefix(cell, "-") || strings.HasPrefix(cell, "+") || strings.HasPrefix(cell, "＝") {
					t.Errorf("a spreadsheet takes %q of the line %q for a formula", cell, line)
				}
			}
		}
		if !strings.HasPrefix(file.String(), "\ufeffpath,code,") || !strings.Contains(file.String(), "2026-12-01,2026-12-24,") || !strings.Contains(file.String(), "\r\n") {
			t.Errorf("the file is\n%s", file.String())
		}
		if got := told(imported(t, b, file.String())); got != "0+0=5" {
			t.Errorf("what was exported changed something: %s", got)
		}
		all, err := b.All(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		other := newBook(databasetest.SQLite(t))
		imported(t, other, file.String())
		again, err := other.All(t.Context())
		if err != nil || len(again) != len(all) {
			t.Fatalf("%d origins came in of %d, %v", len(again), len(all), err)
		}
		for i := range all {
			again[i].ID, again[i].Parent = all[i].ID, all[i].Parent
			if again[i] != all[i] {
				t.Errorf("it became %+v\nof        %+v", again[i], all[i])
			}
		}
	})
}

func TestAChainOfAThousand(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBook(db)
		var file strings.Builder
		file.WriteString("name,parent,code\n")
		for i := range 1000 {
			fmt.Fprintf(&file, "Shop %d,Region %d,shop-%d\n", i, i%50, i)
		}
		for i := range 50 {
			fmt.Fprintf(&file, "Region %d,Chain,\n", i)
		}
		file.WriteString("Chain,,\n")
		steps, last := 0, 0
		opts := options()
		opts.Progress = func(done, total int) {
			if done < last || total != 1051 {
				t.Errorf("%d of %d are done", done, total)
			}
			steps, last = steps+1, done
		}
		done, err := b.Import(t.Context(), strings.NewReader(file.String()), opts)
		if err != nil || done.Added != 1051 || last != 1051 || steps < 7 {
			t.Fatalf("%d were added, %d of them told in %d steps, %v", done.Added, last, steps, err)
		}
		o, err := b.Find(t.Context(), "Chain/Region 7/Shop 907")
		if err != nil || o.Code != "shop-907" {
			t.Errorf("one of them is %+v, %v", o, err)
		}
		if got := told(imported(t, b, file.String())); got != "0+0=1051" {
			t.Errorf("again: %.80s", got)
		}
	})
}

func TestWhatIsMovedMayNotStandTooDeep(t *testing.T) {
	b := newBook(databasetest.SQLite(t))
	imported(t, b, "path,code\ntop,\na,a1\n"+deep(10)+"\n")
	imported(t, b, "path,code\ntop/a,a1\n") // twelve deep with what is below it
	imported(t, b, "path,code\na,a1\ntop/b,\n")
	_, err := b.Import(t.Context(), strings.NewReader("path,code\ntop/b/a,a1\n"), options())
	if bad := (origin.LineErrors{}); !errors.As(err, &bad) || !strings.Contains(bad[0].What, "12 deep") {
		t.Errorf("thirteen levels: %v", err)
	}
}

func TestTimesOfAClockThatChanges(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"2026-03-29 02:30": "", "2026-03-29 01:30": "2026-03-29T00:30:00Z", "2026-03-29": "2026-03-28T23:00:00Z", "2026/3/9 9:05": "2026-03-09T08:05:00Z",
	} {
		at, ok := origin.ParseStart(text, zone)
		if got := at.Format(time.RFC3339); ok != (want != "") || ok && got != want {
			t.Errorf("%q is %s, %v; want %s", text, got, ok, want)
		}
	}
	for _, twice := range []time.Time{time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC)} {
		if at, ok := origin.ParseStart(origin.SayStart(twice, zone), zone); !ok || !at.Equal(twice) {
			t.Errorf("%s is written %s", twice, origin.SayStart(twice, zone))
		}
	}
}
