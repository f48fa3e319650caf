package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"newsie/content"
	"newsie/internal/locale"
)

// mostWith is how many articles a page lists because its address says so.
const mostWith = 8

// withIDs reads ?with=2.3.4; anything else is taken for nothing.
func withIDs(r *http.Request) []int64 {
	given := r.URL.Query()["with"]
	if len(given) != 1 {
		return nil
	}
	parts := strings.Split(given[0], ".")
	if len(parts) > mostWith {
		return nil
	}
	var ids []int64
	for _, part := range parts {
		id, err := strconv.ParseInt(part, 10, 64)
		if err != nil || id <= 0 || strconv.FormatInt(id, 10) != part || slices.Contains(ids, id) {
			return nil
		}
		ids = append(ids, id)
	}
	return ids
}

// with shows the articles of ids that readers may see, in their order.
func (s *site) with(ctx context.Context, p locale.Printer, self int64, ids []int64) ([]link, error) {
	var list []link
	for _, id := range ids {
		if id == self {
			continue
		}
		a, err := s.Library.Article(ctx, id)
		if errors.Is(err, content.ErrNotFound) || err == nil && a.State != content.Published {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, s.link(p, a))
	}
	return list, nil
}
