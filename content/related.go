package content

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/uptrace/bun"
	"golang.org/x/sync/errgroup"
)

const (
	// keptRelated is how many related articles are kept with each article:
	// more than are shown, since some will be withdrawn.
	keptRelated = 12
	// leastRelated is the likeness below which articles only share words.
	leastRelated = 0.1
	// perTag is what a tag in common adds to a likeness, in parts of it.
	perTag = 0.15
)

// A relation is an article that is related to another, and how much: 1 is the
// same text. It is kept as a pair of numbers.
type relation struct {
	id    int64
	score float64
}

func (r relation) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "[%d,%.3f]", r.id, r.score), nil
}

// UnmarshalJSON reads an id alone too, as it was kept at first.
func (r *relation) UnmarshalJSON(data []byte) error {
	if data[0] != '[' {
		return json.Unmarshal(data, &r.id)
	}
	var pair [2]float64
	err := json.Unmarshal(data, &pair)
	r.id, r.score = int64(pair[0]), pair[1]
	return err
}

// Related gives the articles nearest to one, without bodies: none of its own
// story, none that are withdrawn, each other story once. Articles in its
// language come first unless another is clearly nearer; those that have nothing
// to do with it are not given to fill a list.
func (l *Library) Related(ctx context.Context, id int64, n int) ([]Article, error) {
	var kept struct {
		Related string
		Story   int64
	}
	if err := l.db.Reader().NewRaw("SELECT related, story FROM articles WHERE id = ?", id).Scan(ctx, &kept); err != nil {
		return nil, fmt.Errorf("read the related articles of %d: %w", id, err)
	}
	relations, err := relationsOf(kept.Related)
	if err != nil {
		return nil, fmt.Errorf("read the related articles of %d: %w", id, err)
	}
	ids := make([]int64, len(relations))
	for i, r := range relations {
		ids[i] = r.id
	}
	list, err := l.Articles(ctx, ids)
	if err != nil {
		return nil, err
	}
	list = once(slices.DeleteFunc(list, func(a Article) bool { return a.ID == id || a.Story > 0 && a.Story == kept.Story }))
	return list[:min(n, len(list))], nil
}

func relationsOf(kept string) (list []relation, err error) {
	err = json.Unmarshal([]byte(kept), &list)
	return list, err
}

// relate works out the related articles of a few that have none yet, or whose
// were found when the library was less than half as large as it is now, and
// tells whether there were any. Each article is so looked at a number of times
// that grows with the logarithm of the library; between these, what comes new
// enters the lists of those that it is near.
func (l *Library) relate(ctx context.Context) (more bool, err error) {
	count, err := l.Count(ctx, Filter{Copies: true})
	if err != nil {
		return false, err
	}
	var rows []row
	err = l.db.Reader().NewRaw("SELECT "+meta+", body, related_count FROM articles WHERE state = ? AND related_count * 2 < ? AND seq <= ? ORDER BY related_count, id LIMIT 50",
		Published, count, l.index.Seq()).Scan(ctx, &rows)
	if err != nil {
		return false, fmt.Errorf("look for articles without related ones: %w", err)
	}
	if len(rows) == 0 {
		return false, nil
	}
	found := make([][]relation, len(rows))
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(2)
	for i, r := range rows {
		group.Go(func() error {
			a, err := r.article()
			if err == nil {
				found[i], err = l.near(inner, a)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return false, err
	}
	return true, l.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for i, r := range rows {
			// No new position: a list of neighbours is no change of the article.
			if _, err := tx.ExecContext(ctx, "UPDATE articles SET related = ?, related_count = ? WHERE id = ?", asJSON(found[i]), max(count, 1), r.ID); err != nil {
				return fmt.Errorf("keep the related articles of %d: %w", r.ID, err)
			}
		}
		for i, r := range rows {
			if r.RelatedCount > 0 {
				continue
			}
			for _, to := range found[i][:min(mentions, len(found[i]))] {
				if err := mention(ctx, tx, to, r.ID); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// near finds what is related to an article.
func (l *Library) near(ctx context.Context, a Article) ([]relation, error) {
	d := doc(a)
	d.Names = a.Tags // one hand writes on many things
	hits, err := l.index.Similar(ctx, d, 2*keptRelated)
	if err != nil {
		return nil, fmt.Errorf("look for articles like %d: %w", a.ID, err)
	}
	ids, scores := make([]int64, len(hits)), make(map[int64]float64, len(hits))
	for i, hit := range hits {
		ids[i], scores[hit.ID] = hit.ID, hit.Score
	}
	list, err := l.load(ctx, ids, "id, story, tags")
	if err != nil {
		return nil, err
	}
	var found []relation
	for _, other := range once(list) {
		if other.ID == a.ID || other.Story > 0 && other.Story == a.Story {
			continue
		}
		score := scores[other.ID]
		for _, tag := range other.Tags {
			if slices.Contains(a.Tags, tag) {
				score += perTag * scores[other.ID]
			}
		}
		if score >= leastRelated {
			found = append(found, relation{other.ID, min(score, 1)})
		}
	}
	slices.SortStableFunc(found, func(a, b relation) int { return cmp.Compare(b.score, a.score) })
	return found[:min(keptRelated, len(found))], nil
}

// mentions is in how many lists a new article is entered.
const mentions = 4

// mention enters an article in the list of another, at the place that its
// likeness has there.
func mention(ctx context.Context, tx bun.Tx, in relation, id int64) error {
	var kept string
	if err := tx.NewRaw("SELECT related FROM articles WHERE id = ?", in.id).Scan(ctx, &kept); err != nil {
		return fmt.Errorf("read the related articles of %d: %w", in.id, err)
	}
	list, err := relationsOf(kept)
	if err != nil {
		return fmt.Errorf("read the related articles of %d: %w", in.id, err)
	}
	if slices.ContainsFunc(list, func(r relation) bool { return r.id == id }) || len(list) >= keptRelated && list[len(list)-1].score >= in.score {
		return nil
	}
	list = append(list, relation{id, in.score})
	slices.SortStableFunc(list, func(a, b relation) int { return cmp.Compare(b.score, a.score) })
	_, err = tx.ExecContext(ctx, "UPDATE articles SET related = ? WHERE id = ?", asJSON(list[:min(keptRelated, len(list))]), in.id)
	if err != nil {
		return fmt.Errorf("enter article %d as related to %d: %w", id, in.id, err)
	}
	return nil
}
