package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Config is what newsie.yaml and the environment say. Every key K is also the
// environment variable NEWSIE_K, in capitals, with _ between the levels; every
// secret K may also stand in a file named by K_FILE.
type Config struct {
	Name           string                   `yaml:"name"`
	Data           string                   `yaml:"data"`
	Listen         string                   `yaml:"listen"`
	PublicURL      string                   `yaml:"public_url"`
	Database       string                   `yaml:"database"`
	Language       string                   `yaml:"language"`
	Zone           string                   `yaml:"zone"`
	Log            LogConfig                `yaml:"log"`
	TrustedProxies []string                 `yaml:"trusted_proxies"`
	MetricsToken   string                   `yaml:"metrics_token" secret:"true"`
	Channels       map[string]ChannelConfig `yaml:"channels"`
	Sources        map[string]SourceConfig  `yaml:"sources"`
	Publisher      PublisherConfig          `yaml:"publisher"`
	Keep           KeepConfig               `yaml:"keep"`
	Origins        OriginsConfig            `yaml:"origins"`
	CatchUp        Duration                 `yaml:"catch_up"` // how late a digest may come that was missed
	Synonyms       string                   `yaml:"synonyms"` // a file of words that find each other
	Rules          RulesConfig              `yaml:"rules"`

	// AllowPrivateSources lets sources be read from this machine and its network.
	AllowPrivateSources bool `yaml:"allow_private_sources"`

	path  string    // of the file
	lines lineIndex // where each key stands
}

// LogConfig is how much is logged, and in which form.
type LogConfig struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}

// ChannelConfig is one account, or the chat in the browser.
type ChannelConfig struct {
	Kind        string   `yaml:"kind"` // webchat, telegram, wechat; the channel's name when that is one of them
	Language    string   `yaml:"language"`
	Zone        string   `yaml:"zone"`
	Languages   []string `yaml:"languages"` // of the articles it serves
	Tags        []string `yaml:"tags"`
	Sources     []string `yaml:"sources"`
	MinInterval Duration `yaml:"min_interval"`
	FirstDigest string   `yaml:"first_digest"` // new, archive
	Recency     string   `yaml:"recency"`      // news, mild, off, or a number
	APIURL      string   `yaml:"api_url"`

	Mode          string `yaml:"mode"` // telegram: polling, webhook; wechat: safe, compatible, plain
	Token         string `yaml:"token" secret:"true"`
	WebhookSecret string `yaml:"webhook_secret" secret:"true"`
	InDoubt       string `yaml:"in_doubt"` // skip, resend
	Quiet         string `yaml:"quiet"`    // telegram: hours without a sound, "22:00-08:00"
	Rate          string `yaml:"rate"`     // telegram: messages a second over all chats, or unlimited
	Paid          bool   `yaml:"paid"`     // telegram: digests are paid broadcasts
	Inline        Switch `yaml:"inline"`   // telegram: answer "@bot words" in other chats; left out: on
	Rich          string `yaml:"rich"`     // telegram: digests as rich messages where the server has them: auto, off
	Groups        string `yaml:"groups"`   // telegram: who may change what a group follows: admins, everyone

	AppID          string      `yaml:"app_id"`
	AppSecret      string      `yaml:"app_secret" secret:"true"`
	AESKey         string      `yaml:"aes_key" secret:"true"`
	PreviousAESKey string      `yaml:"previous_aes_key" secret:"true"`
	Account        string      `yaml:"account"` // unverified, subscription, service
	Title          string      `yaml:"title"`   // wechat: the account's name; left out: the publication's
	TapLines       *bool       `yaml:"tap_lines"`
	Answer         string      `yaml:"answer"` // auto, list, card
	Menu           *MenuConfig `yaml:"menu"`   // nil: newsie's own

	Notice   NoticeConfig   `yaml:"notice"`
	Once     OnceConfig     `yaml:"once"`
	Template TemplateConfig `yaml:"template"`
	Mass     MassConfig     `yaml:"mass"`
	Posts    []PostConfig   `yaml:"posts"`

	Suggestions []string `yaml:"suggestions"`
}

// NoticeConfig is the template of WeChat's subscription notices, and what its
// fields say.
type NoticeConfig struct {
	Template string            `yaml:"template"`
	Fields   map[string]string `yaml:"fields"`
}

// OnceConfig is the template of WeChat's one-time subscriptions, and how many
// a reader may grant ahead.
type OnceConfig struct {
	Template string `yaml:"template"`
	Scenes   int    `yaml:"scenes"`
}

// TemplateConfig is the template of WeChat's template messages, and what its
// fields say.
type TemplateConfig struct {
	ID     string            `yaml:"id"`
	Fields map[string]string `yaml:"fields"`
}

// SourceConfig is where articles come from by themselves.
type SourceConfig struct {
	Kind     string   `yaml:"kind"` // feed, page, folder
	Location string   `yaml:"location"`
	Every    Duration `yaml:"every"`
}

// PublisherConfig names the chat that is told what the publisher must know.
type PublisherConfig struct {
	Channel string `yaml:"channel"`
	Chat    string `yaml:"chat"`
}

// KeepConfig is how long things are kept.
type KeepConfig struct {
	Deliveries Duration `yaml:"deliveries"`
}

// OriginsConfig is how it is counted what readers do.
type OriginsConfig struct {
	Links string `yaml:"links"` // auto, off
}

// counts reports whether it is counted which articles a channel's readers open:
// their apps must reach this server for that.
func (c Config) counts(channel string) bool {
	return c.Origins.Links != "off" && (c.PublicURL != "" || c.Channels[channel].Kind == "webchat")
}

// title is what a channel's account is called.
func (c Config) title(channel string) string { return cmp.Or(c.Channels[channel].Title, c.Name) }

// A Duration is written "30m", "1h30m", "90d".
type Duration time.Duration

// UnmarshalText reads a Duration.
func (d *Duration) UnmarshalText(text []byte) error {
	if days, ok := strings.CutSuffix(string(text), "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			*d = Duration(n) * Duration(24*time.Hour)
			return nil
		}
	}
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no duration such as 30m or 1h", text)
	}
	*d = Duration(parsed)
	return nil
}

// UnmarshalYAML reports a bad duration as one problem of several, where
// UnmarshalText would end the reading of the file.
func (d *Duration) UnmarshalYAML(node *yaml.Node) error {
	if err := d.UnmarshalText([]byte(node.Value)); err != nil {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %v", node.Line, err)}}
	}
	return nil
}

// A Switch is "on" or "off", or was left out.
type Switch string

// UnmarshalText reads a Switch. true and false, which some YAML files say for on
// and off, are taken too.
func (s *Switch) UnmarshalText(text []byte) error {
	switch strings.ToLower(string(text)) {
	case "": // a variable that is set to nothing
		*s = ""
	case "on", "true", "yes":
		*s = "on"
	case "off", "false", "no":
		*s = "off"
	default:
		return fmt.Errorf("%q is neither on nor off", text)
	}
	return nil
}

// UnmarshalYAML reports a bad switch as one problem of several.
func (s *Switch) UnmarshalYAML(node *yaml.Node) error {
	if err := s.UnmarshalText([]byte(node.Value)); err != nil {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %v", node.Line, err)}}
	}
	return nil
}

// A ConfigProblem is one thing wrong with the configuration.
type ConfigProblem struct {
	Where string // "newsie.yaml:12", "NEWSIE_LISTEN"
	What  string
}

// ConfigProblems are all of them at once.
type ConfigProblems []ConfigProblem

func (p ConfigProblems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = "  " + problem.Where + ": " + problem.What
	}
	return "the configuration has errors:\n" + strings.Join(lines, "\n")
}

// sort puts the problems in the order of the file's lines; variables come last.
func (p ConfigProblems) sort() {
	line := func(problem ConfigProblem) int {
		_, after, _ := strings.Cut(problem.Where, ":")
		number, _, _ := strings.Cut(after, " ")
		n, err := strconv.Atoi(number)
		if err != nil {
			return math.MaxInt
		}
		return n
	}
	slices.SortStableFunc(p, func(a, b ConfigProblem) int { return cmp.Compare(line(a), line(b)) })
}

// kinds are the kinds of channels.
var kinds = []string{"webchat", "telegram", "wechat"}

// loadConfig reads the file (path "" is ./newsie.yaml when there is one) and
// the environment over it, fills in the defaults and checks everything.
func loadConfig(path string, environ []string) (Config, error) {
	var c Config
	var problems ConfigProblems
	lines := lineIndex{}
	name, optional := path, path == ""
	if optional {
		name = "newsie.yaml"
	}
	data, err := os.ReadFile(name)
	switch {
	case err == nil:
		problems = append(problems, decodeFile(name, data, &c, lines)...)
	case optional && errors.Is(err, fs.ErrNotExist):
	default:
		return Config{}, fmt.Errorf("read the configuration: %w", err)
	}
	problems = append(problems, overlay(&c, environ, lines)...)
	c.fillIn()
	c.path = name
	c.Synonyms = besideConfig(c.Synonyms, name, lines["synonyms"])
	c.Rules.File = besideConfig(c.Rules.File, name, lines["rules"])
	c.resolveCovers(name, lines)
	problems = append(problems, c.check(lines)...)
	c.lines = lines
	if len(problems) > 0 {
		problems.sort()
		return c, problems
	}
	return c, nil
}

func (c *Config) fillIn() {
	setDefault(&c.Name, "newsie")
	setDefault(&c.Data, "newsie-data")
	setDefault(&c.Listen, "127.0.0.1:8080")
	setDefault(&c.Language, "en")
	setDefault(&c.Zone, "UTC")
	setDefault(&c.Log.Level, "info")
	setDefault(&c.Log.Format, "text")
	setDefault(&c.Origins.Links, "auto")
	c.Keep.Deliveries = cmp.Or(c.Keep.Deliveries, Duration(keepLedger))
	c.CatchUp = cmp.Or(c.CatchUp, Duration(6*time.Hour))
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	if len(c.Channels) == 0 {
		c.Channels = map[string]ChannelConfig{"web": {Kind: "webchat"}}
	}
	for name, ch := range c.Channels {
		if ch.Kind == "" && slices.Contains(kinds, name) {
			ch.Kind = name
		}
		if ch.Kind == "wechat" {
			setDefault(&ch.Language, "zh-Hans")
			setDefault(&ch.Zone, "Asia/Shanghai")
		}
		setDefault(&ch.Language, c.Language)
		setDefault(&ch.Zone, c.Zone)
		setDefault(&ch.FirstDigest, "new")
		setDefault(&ch.Recency, "mild")
		setDefault(&ch.InDoubt, "skip")
		if ch.MinInterval == 0 {
			ch.MinInterval = Duration(time.Hour)
		}
		ch.Mass.fillIn()
		for i := range ch.Posts {
			ch.Posts[i].fillIn(ch)
		}
		c.Channels[name] = ch
	}
	for name, s := range c.Sources {
		if s.Kind == "" {
			s.Kind = "feed"
		}
		if s.Every == 0 {
			s.Every = Duration(30 * time.Minute)
		}
		c.Sources[name] = s
	}
}

func setDefault(to *string, value string) {
	if *to == "" {
		*to = value
	}
}

// channelNames are the channels' names, sorted.
func (c Config) channelNames() []string { return sortedKeys(c.Channels) }

func sortedKeys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
