package content

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Progress tells how far the index has followed the store.
type Progress struct {
	Done, Total int // published articles: those in the index, all
	// Answers tells whether searches find nearly all there is: the index is no
	// more than a tenth and a thousand articles short, or an older one answers
	// in its place.
	Answers bool
}

// String is the progress in words: "1200 of 50000 articles (2%)".
func (p Progress) String() string {
	return fmt.Sprintf("%d of %d articles (%d%%)", p.Done, p.Total, p.Done*100/max(p.Total, 1))
}

// enoughMissing is how many articles an index may lack and answer all the same.
const enoughMissing = 1000

// Progress asks the store how much there is to find, and the index how much it has.
func (l *Library) Progress(ctx context.Context) (Progress, error) {
	total, err := l.Count(ctx, Filter{Copies: true})
	if err != nil {
		return Progress{}, err
	}
	p := Progress{Done: min(l.index.Count(), total), Total: total}
	p.Answers = l.index.StandsIn() || total-p.Done <= enoughMissing || p.Done*10 >= total*9
	return p, nil
}

// tooFarBehind is how long the index may be behind, and follow no further, before
// readers should ask another replica.
const tooFarBehind = time.Minute

// Ready tells, in words for the publisher, why readers cannot be answered well now;
// nil: they can.
func (l *Library) Ready(ctx context.Context) error {
	progress, err := l.Progress(ctx)
	if err != nil {
		return errors.New("the database does not answer")
	}
	if !progress.Answers {
		return fmt.Errorf("the index is being filled: %s", progress)
	}
	stalled := l.Stalled()
	if stalled <= tooFarBehind {
		return nil
	}
	lag, err := l.Lag(ctx)
	if err != nil {
		return errors.New("the database does not answer")
	}
	changes := "changes"
	if lag == 1 {
		changes = "change"
	}
	return fmt.Errorf("the index does not follow: %d %s behind for %s", lag, changes, stalled.Round(time.Second))
}

// tellEvery is how often a long way to follow is told of.
const tellEvery = 5 * time.Second

// tellProgress logs how far the index is when it was last told some time ago,
// and returns when it was told last.
func (l *Library) tellProgress(ctx context.Context, last time.Time) time.Time {
	now := l.now()
	if now.Sub(last) < tellEvery {
		return last
	}
	p, err := l.Progress(ctx)
	if err != nil {
		return last // Follow meets it too, and says so
	}
	l.log.Info("the index follows the store", "done", p.Done, "total", p.Total, "percent", p.Done*100/max(p.Total, 1), "seq", l.index.Seq())
	return now
}
