package bot

import (
	"slices"

	"newsie/content"
	"newsie/content/index"
)

// clearlyAhead is how many times as well as the second the first article found
// must suit the words, to be taken for what was meant. In the demo's library of
// seven languages, titles come 2.7 to 18 times before the next article, and
// words that several articles are about (commerce, 健康, tea) 1.02 to 1.7 times.
const clearlyAhead = 2

// tagAhead is the same for an article that has the words as its tag.
const tagAhead = 1.5

// best tells what the first article found is to the words it was found by.
//
// It is Clear when it is the only one; when the words are its title, and no
// other's; when they are a tag of its own that no other one shown has, and it
// suits them half as well again as the second; or when it suits them twice as
// well. Otherwise it is Ranked. When the
// words were repaired or some left out it is OneOfMany: nobody asked for it, and
// the reader must be told how it was found.
func best(query string, found content.Results) Best {
	switch {
	case len(found.Hits) == 0, found.Corrected != "", len(found.Dropped) > 0:
		return OneOfMany
	case found.Total == 1:
		return Clear
	}
	first, others := found.Hits[0], found.Hits[1:]
	alone := func(named func(content.Article) bool) bool {
		return named(first.Article) && !slices.ContainsFunc(others, func(h content.Hit) bool { return named(h.Article) })
	}
	titled := func(a content.Article) bool { return index.SameName(query, a.Title, true) }
	tagged := func(a content.Article) bool {
		return slices.ContainsFunc(a.Tags, func(tag string) bool { return index.SameName(query, tag, true) })
	}
	ahead := func(times float64) bool {
		return len(others) > 0 && first.Score > 0 && first.Score >= times*others[0].Score
	}
	if ahead(clearlyAhead) || alone(titled) || ahead(tagAhead) && alone(tagged) {
		return Clear
	}
	return Ranked
}
