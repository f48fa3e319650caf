package origin

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"
)

// The columns of the totals.
const (
	scans = iota
	came
	stayed7
	stayed30
	lost
	follows
	followers
	followersNew
	questions
	askers
	askersNew
	opens
	openers
	openersNew
	digests
	receivers
	receiversNew
	figures // how many there are
)

func totalColumns() []string {
	return []string{"scans", "came", "stayed7", "stayed30", "lost", "follows", "followers", "followers_new", "questions", "askers", "askers_new",
		"opens", "openers", "openers_new", "digests", "receivers", "receivers_new"}
}

// The touches of a total.
const (
	firstTouch = 1
	lastTouch  = 2
)

// short and long are how long somebody is here who stayed.
const (
	short = 7 * 24 * time.Hour
	long  = 30 * 24 * time.Hour
)

// A place is a row of the totals.
type place struct {
	touch, day, origin int64
	channel            string
}

func (p place) compare(q place) int {
	return cmp.Or(cmp.Compare(p.touch, q.touch), cmp.Compare(p.day, q.day), cmp.Compare(p.origin, q.origin), cmp.Compare(p.channel, q.channel))
}

// sums are what a transaction adds to the totals.
type sums struct {
	zone *time.Location
	by   map[place]*[figures]int64
}

func (c *Credits) sums() *sums { return &sums{zone: c.zone, by: map[place]*[figures]int64{}} }

// day is a day on the publisher's calendar, 20261123.
func day(at time.Time, zone *time.Location) int64 {
	y, m, d := at.In(zone).Date()
	return int64(y)*10000 + int64(m)*100 + int64(d)
}

func (s *sums) put(touch int64, at time.Time, origin int64, channel string, column int, n int64) {
	p := place{touch, day(at, s.zone), origin, channel}
	if s.by[p] == nil {
		s.by[p] = &[figures]int64{}
	}
	s.by[p][column] += n
}

// add counts what belongs to one origin, whichever touch goes by it.
func (s *sums) add(at time.Time, origin int64, channel string, column int, n int64) {
	s.put(firstTouch, at, origin, channel, column, n)
	s.put(lastTouch, at, origin, channel, column, n)
}

func (s *sums) scan(at time.Time, origin int64, channel string) {
	s.add(at, origin, channel, scans, 1)
}

// stay counts the stays of a reader that are over by the clock, and says when
// the next is.
func (s *sums) stay(r *readerRow, now int64) {
	if r.StayDue == 0 {
		return
	}
	due := r.StayDue
	r.StayDue = 0
	if due-r.CameAt < long.Milliseconds() {
		if due > now {
			r.StayDue = due
			return
		}
		s.stayed(r, 7)
		if due = r.CameAt + long.Milliseconds(); due > now {
			r.StayDue = due
			return
		}
	}
	if due > now {
		r.StayDue = due
		return
	}
	s.stayed(r, 30)
}

// stayed counts a stay on the day that the reader came.
func (s *sums) stayed(r *readerRow, days int64) {
	column := stayed7
	if days == 30 {
		column = stayed30
	}
	s.add(time.UnixMilli(r.CameAt), r.cameBy(), r.Channel, column, 1)
	r.Stayed = max(r.Stayed, days)
}

// seen counts the stays of a reader of a channel that tells of no leaving: who is
// seen again was there all the time.
func (s *sums) seen(r *readerRow, leaves bool, now int64) {
	if leaves || r.CameAt == 0 {
		return
	}
	if here := now - r.CameAt; here >= short.Milliseconds() && r.Stayed < 7 {
		s.stayed(r, 7)
	}
	if here := now - r.CameAt; here >= long.Milliseconds() && r.Stayed < 30 {
		s.stayed(r, 30)
	}
}

// back takes a reader up again who had left: they are not lost.
func (s *sums) back(r *readerRow, leaves bool, now int64) {
	if r.LeftAt == 0 {
		return
	}
	s.add(time.UnixMilli(r.LeftAt), r.cameBy(), r.Channel, lost, -1)
	r.LeftAt = 0
	if !leaves || r.CameAt == 0 {
		return
	}
	for _, stay := range []time.Duration{short, long} {
		if due := r.CameAt + stay.Milliseconds(); due > now {
			r.StayDue = due
			return
		}
	}
}

// takeBack ends what a row counted that was another's all the time.
func (s *sums) takeBack(r readerRow) {
	if r.CameAt > 0 {
		s.add(time.UnixMilli(r.CameAt), r.cameBy(), r.Channel, came, -1)
	}
	if r.LeftAt > 0 {
		s.add(time.UnixMilli(r.LeftAt), r.cameBy(), r.Channel, lost, -1)
	}
	if r.Stayed >= 7 {
		s.add(time.UnixMilli(r.CameAt), r.cameBy(), r.Channel, stayed7, -1)
	}
	if r.Stayed >= 30 {
		s.add(time.UnixMilli(r.CameAt), r.cameBy(), r.Channel, stayed30, -1)
	}
}

// count credits something a reader did to both their origins: once by itself,
// once a day for the reader, and once for ever; to the latest origin, once since it
// is that. A clock that was set back counts no reader a second time.
func (s *sums) count(r *readerRow, kind int64, at time.Time) {
	column, first, last := r.counted(kind)
	today := day(at, s.zone)
	for _, by := range []struct {
		touch, origin int64
		on            *int64
	}{{firstTouch, r.FirstOrigin, first}, {lastTouch, r.LastOrigin, last}} {
		s.put(by.touch, at, by.origin, r.Channel, column, 1)
		if *by.on < today {
			s.put(by.touch, at, by.origin, r.Channel, column+1, 1)
		}
		if *by.on == 0 {
			s.put(by.touch, at, by.origin, r.Channel, column+2, 1)
		}
		*by.on = max(*by.on, today)
	}
}

// counted is where something of a kind is counted, and the days on which the
// reader did so last: ever, and since the latest origin is that.
func (r *readerRow) counted(kind int64) (column int, first, last *int64) {
	switch kind {
	case followed:
		return follows, &r.FollowedOn, &r.FollowedLastOn
	case asked:
		return questions, &r.AskedOn, &r.AskedLastOn
	case opened:
		return opens, &r.OpenedOn, &r.OpenedLastOn
	}
	return digests, &r.ReceivedOn, &r.ReceivedLastOn
}

// write adds the sums to the totals, in one order everywhere.
func (s *sums) write(ctx context.Context, tx bun.IDB) error {
	columns := totalColumns()
	added := make([]string, len(columns))
	for i, column := range columns {
		added[i] = column + " = origin_totals." + column + " + excluded." + column
	}
	places := slices.DeleteFunc(slices.SortedFunc(maps.Keys(s.by), place.compare), func(p place) bool { return *s.by[p] == [figures]int64{} })
	for part := range slices.Chunk(places, 100) {
		if err := s.writePart(ctx, tx, part, columns, added); err != nil {
			return fmt.Errorf("add to the totals of %d origins: %w", len(part), err)
		}
	}
	return nil
}

func (s *sums) writePart(ctx context.Context, tx bun.IDB, part []place, columns, added []string) error {
	args := make([]any, 0, len(part)*(4+figures))
	for _, p := range part {
		args = append(args, p.touch, p.day, p.origin, p.channel)
		for _, n := range s.by[p] {
			args = append(args, n)
		}
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO origin_totals (touch, day, origin, channel, "+strings.Join(columns, ", ")+") VALUES "+places(len(part), 4+figures)+
		" ON CONFLICT (touch, day, origin, channel) DO UPDATE SET "+strings.Join(added, ", "), args...)
	return err
}
