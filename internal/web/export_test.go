package web

import (
	"context"

	"newsie/content"
)

// CoverMemory is how many bytes of covers a server keeps.
const CoverMemory = coverMemory

// Covers makes covers as the server does.
type Covers struct{ c *covers }

func NewCovers() Covers { return Covers{newCovers()} }

func (c Covers) Of(ctx context.Context, f content.Figure) (content.Figure, error) {
	return c.c.of(ctx, f, cardCover)
}

// Kept is how many covers are kept, and of how many bytes they are.
func (c Covers) Kept() (n, size int) {
	c.c.mu.Lock()
	defer c.c.mu.Unlock()
	for _, data := range c.c.kept {
		size += len(data)
	}
	return len(c.c.used), size
}
