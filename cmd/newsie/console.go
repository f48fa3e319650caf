package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"newsie/bot/origin"
	"newsie/bot/wechat"
	"newsie/internal/label"
	"newsie/internal/web/console"
)

// console makes the publisher's pages.
func (s *server) console() (*console.Console, error) {
	proxies, err := s.config.proxies()
	if err != nil {
		return nil, err
	}
	return console.New(console.Config{
		Users: s.users(), Catalog: s.catalog, Pacer: s.channels.pacer, PublicURL: s.public, Name: s.config.Name, TrustedProxies: proxies, Zone: s.zone(), Logger: s.log,
		Reports: origin.NewReports(s.db, s.zone(), time.Now), Book: s.book(), Codes: &consoleCodes{channels: s.channels, book: s.book(), printers: map[string]*label.Printer{}},
	})
}

// consoleCodes are the codes of origins as the console shows them: those that
// newsie origin qr prints.
type consoleCodes struct {
	channels *channels
	book     *origin.Book

	mu       sync.Mutex
	printers map[string]*label.Printer // by language; each has opened its fonts
}

// Ways are the page that knows all channels, and each channel.
func (c *consoleCodes) Ways(ctx context.Context, o origin.Origin) ([]console.Way, error) {
	var ways []console.Way
	var why error
	page, err := c.channels.page(origin.Wanted{Origin: o})
	if err == nil {
		ways = append(ways, console.Way{URL: page})
	}
	for _, name := range c.channels.in.config.channelNames() {
		way := console.Way{Channel: name, Kind: c.channels.in.config.Channels[name].Kind}
		saying, err := c.channels.says(ctx, origin.Wanted{Origin: o, Channel: name, Kept: true})
		switch {
		case errors.Is(err, origin.ErrNotMade):
		case errors.Is(err, console.ErrNoAddress): // which the page lacks too
			continue
		case err != nil:
			why = errors.Join(why, err)
			continue
		case saying.Channel == "": // it has no codes of its own
			continue
		default:
			way.URL = saying.Text
		}
		ways = append(ways, way)
	}
	if len(ways) == 0 {
		return nil, cmp.Or(why, err) // err is ErrNoAddress, or there is the page
	}
	return ways, nil
}

// Make has WeChat make a code.
func (c *consoleCodes) Make(ctx context.Context, o origin.Origin, channel string) error {
	if _, ok := c.channels.adapters[channel].(*wechat.Channel); !ok {
		return fmt.Errorf("the codes of the channel %q need not be made", channel)
	}
	_, err := c.channels.says(ctx, origin.Wanted{Origin: o, Channel: channel})
	return err
}

func (c *consoleCodes) Draw(ctx context.Context, w io.Writer, o origin.Origin, way console.Way, format, lang string) error {
	printer, err := c.printer(lang)
	if err != nil {
		return err
	}
	tree, err := c.book.Tree(ctx)
	if err != nil {
		return err
	}
	l := c.drawable(printer, label.Label{Code: way.URL, Name: o.Name, Note: above(tree, o), Typed: c.typed(o)})[0]
	switch format {
	case "svg":
		return printer.SVG(w, l, usualMM)
	case "pdf":
		return printer.PDF(w, l, usualMM)
	}
	return printer.PNG(w, l, usualPixels)
}

// Sheet has the codes made that are not yet: who prints them wants them.
func (c *consoleCodes) Sheet(ctx context.Context, w io.Writer, list []origin.Origin, channel, lang string) error {
	printer, err := c.printer(lang)
	if err != nil {
		return err
	}
	tree, err := c.book.Tree(ctx)
	if err != nil {
		return err
	}
	labels := make([]label.Label, len(list))
	for i, o := range list {
		labels[i] = label.Label{Name: o.Name, Note: above(tree, o), Typed: c.typed(o)}
	}
	labels = c.drawable(printer, labels...)
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(together)
	for i, o := range list {
		group.Go(func() error {
			saying, err := c.channels.says(within, origin.Wanted{Origin: o, Channel: channel})
			labels[i].Code = saying.Text
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return printer.Sheet(w, labels, label.Sheet{Title: tree.Path(list[0].ID)})
}

// drawable are labels without names that no font of this machine has: the page
// shows them, and what can be typed tells one label from another.
func (c *consoleCodes) drawable(printer *label.Printer, labels ...label.Label) []label.Label {
	drawable, err := printer.Drawable(labels)
	var missing *label.MissingError
	if errors.As(err, &missing) {
		c.channels.in.log.Warn("labels are printed without names: install a font ("+fontFor(missing.Missing)+")", "error", err)
	}
	return drawable
}

// typed is what who cannot scan types.
func (c *consoleCodes) typed(o origin.Origin) string {
	page, err := c.channels.page(origin.Wanted{Origin: o})
	if err != nil {
		return o.Code
	}
	_, address, _ := strings.Cut(page, "://")
	return address
}

func (c *consoleCodes) printer(lang string) (*label.Printer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.printers[lang]; p != nil {
		return p, nil
	}
	p, err := label.New(label.Options{Lang: lang})
	if err == nil {
		c.printers[lang] = p
	}
	return p, err
}
