package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"newsie/content"
	"newsie/content/ingest"
)

//go:embed demo/articles demo/covers/*.png
var demoFiles embed.FS

//go:embed demo/synonyms.txt
var demoSynonyms []byte

var noFilter content.Filter

// demoSource is the source of the samples' articles.
const demoSource = "demo"

// demoConfig adds to a configuration what the demo needs: a chat in the
// browser whose follows may come every minute and begin with what is there.
func demoConfig(c Config) Config {
	if c.Name == "newsie" {
		c.Name = "The Lantern"
	}
	found := false
	for name, ch := range c.Channels {
		if ch.Kind != "webchat" {
			continue
		}
		found = true
		ch.MinInterval = Duration(time.Minute)
		ch.FirstDigest = "archive"
		if len(ch.Suggestions) == 0 {
			ch.Suggestions = []string{"Weidian", "茶", "farinata", "QR code", "follow commerce every minute"}
		}
		c.Channels[name] = ch
	}
	if !found {
		c.Channels["web"] = ChannelConfig{
			Kind: "webchat", Language: c.Language, Zone: c.Zone, FirstDigest: "archive", InDoubt: "skip", MinInterval: Duration(time.Minute),
			Suggestions: []string{"Weidian", "茶", "farinata", "QR code", "follow commerce every minute"},
		}
	}
	return c
}

// demoHints tell what can be tried, and how on the platforms that are not there
// yet: no more than a small terminal shows at once.
func demoHints(there map[string]bool) []string {
	lines := []string{"", "  Type in the chat, and get",
		"    QR code, or 茶, or farinata   articles about it, in any language",
		"    2                              the second of them, opened",
		"    more                           the next ones",
		"    follow commerce every minute   a digest in the chat, a minute later",
		"    save 2                         the second one, kept; saved lists them",
		"    language                       newsie in Italian or Chinese",
		"    help                           everything else", ""}
	if !there["telegram"] {
		lines = append(lines,
			"  Telegram      needs a bot's token and nothing else: @BotFather gives one.",
			"                Start this again with NEWSIE_TELEGRAM_TOKEN=… in front, or with",
			"                newsie.yaml: channels: {telegram: {token: \"…\"}}")
	}
	if !there["wechat"] {
		lines = append(lines, "  WeChat        needs an account and an https address: see the README")
	}
	return lines
}

// bringDemo unpacks the sample library beside the other state and imports it,
// like any folder of a publisher's; the next start finds nothing new. It refuses a
// library of others' articles that has no samples yet.
func (in *installation) bringDemo(ctx context.Context) error {
	samples, others, err := in.library.Sides(ctx, demoSource)
	if err != nil {
		return err
	}
	if samples == 0 && others > 0 { // where they are already, nothing is mixed that was not
		return fmt.Errorf("--demo would mix its samples with what is in %s (%s): use another folder, such as --data demo-data", in.config.Data, number(others, "article"))
	}
	root := filepath.Join(in.config.Data, "demo")
	err = fs.WalkDir(demoFiles, "demo", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(in.config.Data, filepath.FromSlash(path))
		if entry.IsDir() {
			return os.MkdirAll(target, 0o700)
		}
		data, err := demoFiles.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o600)
	})
	if err != nil {
		return fmt.Errorf("unpack the sample library: %w", err)
	}
	result, err := in.ingester().Refresh(ctx, ingest.SourceConfig{Name: demoSource, Kind: "folder", Location: root})
	if err != nil {
		return fmt.Errorf("import the sample library: %w", err)
	}
	for _, refusal := range result.Refused {
		in.log.Error("a sample was refused", "file", refusal.Path, "reason", refusal.Reason)
	}
	if _, err := in.library.Follow(ctx); err != nil {
		return fmt.Errorf("index the sample library: %w", err)
	}
	return in.bringDemoSynonyms()
}

// bringDemoSynonyms lays the samples' synonyms beside the samples, where nothing
// takes them for an article. One that was changed stays.
func (in *installation) bringDemoSynonyms() error {
	if in.config.Synonyms != "" {
		return nil
	}
	path := filepath.Join(in.config.Data, "demo-synonyms.txt")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := os.WriteFile(path, demoSynonyms, 0o600); err != nil {
			return fmt.Errorf("unpack the sample synonyms: %w", err)
		}
	}
	in.config.Synonyms = path
	return in.loadSynonyms()
}
