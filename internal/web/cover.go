package web

import (
	"context"
	"fmt"
	"sync"

	"newsie/content"
	"newsie/internal/thumbnail"
)

const (
	coverMemory = 8 << 20 // bytes of covers kept
	coverHands  = 2       // covers made at once: each may take 130 MB while it is
)

// A coverSize is one that covers are made in.
type coverSize struct{ width, height int }

func (c coverSize) String() string { return fmt.Sprintf("%dx%d", c.width, c.height) }

var (
	cardCover    = coverSize{900, 500}  // above a card in a chat
	previewCover = coverSize{1200, 630} // of a page, as previews like it best
	smallCover   = coverSize{320, 320}  // beside a line of a list
)

// coverOf reads a size as addresses name it; false: covers have no such size.
func coverOf(given []string) (coverSize, bool) {
	for _, size := range []coverSize{cardCover, previewCover, smallCover} {
		if len(given) == 1 && given[0] == size.String() {
			return size, true
		}
	}
	return coverSize{}, false
}

// covers makes pictures of a few sizes and keeps the latest, in the order of use.
type covers struct {
	hands chan struct{}

	mu   sync.Mutex
	kept map[string][]byte
	used []string // the latest last
	size int

	sizes map[string]measured // of the pictures themselves
}

func newCovers() *covers {
	return &covers{hands: make(chan struct{}, coverHands), kept: map[string][]byte{}}
}

// of is the cover of a picture in a size. What is no picture, or one of too many pixels,
// has none: content.ErrNotFound.
func (c *covers) of(ctx context.Context, figure content.Figure, size coverSize) (content.Figure, error) {
	cover := content.Figure{Name: figure.Name, Type: "image/jpeg"}
	key := figure.Name + "-" + size.String()
	var ok bool
	if cover.Data, ok = c.find(key); ok {
		return cover, nil
	}
	select {
	case c.hands <- struct{}{}:
		defer func() { <-c.hands }()
	case <-ctx.Done():
		return content.Figure{}, ctx.Err()
	}
	if cover.Data, ok = c.find(key); ok { // made while we waited
		return cover, nil
	}
	data, err := thumbnail.Cover(figure.Data, size.width, size.height)
	if err != nil {
		return content.Figure{}, fmt.Errorf("make a cover of %s: %w: %w", figure.Name, err, content.ErrNotFound)
	}
	c.keep(key, data)
	cover.Data = data
	return cover, nil
}

func (c *covers) find(name string) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	data, ok := c.kept[name]
	if ok {
		c.touch(name)
	}
	return data, ok
}

func (c *covers) keep(name string, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.kept[name]; !ok {
		c.size += len(data)
	}
	c.kept[name] = data
	c.touch(name)
	for c.size > coverMemory && len(c.used) > 1 {
		oldest := c.used[0]
		c.used = c.used[1:]
		c.size -= len(c.kept[oldest])
		delete(c.kept, oldest)
	}
}

// touch makes name the latest; c.mu is held.
func (c *covers) touch(name string) {
	for i, other := range c.used {
		if other == name {
			c.used = append(c.used[:i], c.used[i+1:]...)
			break
		}
	}
	c.used = append(c.used, name)
}
