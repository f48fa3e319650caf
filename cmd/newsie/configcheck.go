package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	bcp47 "golang.org/x/text/language"

	"newsie/bot/telegram"
	"newsie/bot/wechat"
	"newsie/content/language"
	"newsie/content/source"
	"newsie/internal/database"
	"newsie/internal/locale"
	"newsie/scheduler/timetable"
)

// A checker collects problems with the lines they stand on.
type checker struct {
	lines    lineIndex
	problems ConfigProblems
}

func (k *checker) add(key, format string, args ...any) {
	k.problems = append(k.problems, ConfigProblem{k.lines.where(key), fmt.Sprintf(format, args...)})
}

func (k *checker) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		k.add(key, "%q is none of %s", value, strings.Join(nonEmpty(allowed...), ", "))
	}
}

func (k *checker) zone(key, value string) {
	if _, err := time.LoadLocation(value); err != nil || value == "Local" {
		k.add(key, "%q is no IANA time zone such as Europe/Rome", value)
	}
}

func (k *checker) url(key, value string) {
	if value == "" {
		return
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.User != nil {
		k.add(key, "%q is no address such as https://news.example.org", value)
	}
}

var nameRule = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

func (c Config) check(lines lineIndex) ConfigProblems {
	k := &checker{lines: lines}
	k.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	k.oneOf("log.format", c.Log.Format, "text", "json")
	k.oneOf("language", c.Language, locale.Languages()...)
	k.oneOf("origins.links", c.Origins.Links, "auto", "off")
	k.zone("zone", c.Zone)
	k.url("public_url", c.PublicURL)
	if err := checkListen(c.Listen); err != nil {
		k.add("listen", "%v", err)
	}
	if err := database.CheckAddress(c.Database); err != nil {
		k.add("database", "%v", err)
	}
	if d := time.Duration(c.Keep.Deliveries); d < leastLedger {
		k.add("keep.deliveries", "%s is too short: two days at least, while digests may still be tried again", d)
	}
	if d := time.Duration(c.CatchUp); d < time.Minute || d > 7*24*time.Hour {
		k.add("catch_up", "%s is not from a minute to seven days", d)
	}
	for _, proxy := range c.TrustedProxies {
		if _, err := parseProxy(proxy); err != nil {
			k.add("trusted_proxies", "%q is no address or network such as 10.0.0.0/8", proxy)
		}
	}
	for _, name := range c.channelNames() {
		c.checkChannel(k, name, c.Channels[name])
	}
	for _, name := range sortedKeys(c.Sources) {
		key := "sources." + name
		if !nameRule.MatchString(name) {
			k.add(key, "a source's name has small letters, digits and hyphens, at most 32")
		}
		k.oneOf(key+".kind", c.Sources[name].Kind, "feed", "page", "folder")
		c.checkLocation(k, key+".location", c.Sources[name])
		if d := time.Duration(c.Sources[name].Every); d < time.Minute {
			k.add(key+".every", "%s is too often: a minute at least", d)
		}
	}
	if p := c.Publisher; p.Channel != "" || p.Chat != "" {
		if _, ok := c.Channels[p.Channel]; !ok {
			k.add("publisher.channel", "there is no channel %q", p.Channel)
		}
		if p.Chat == "" {
			k.add("publisher.chat", "is missing: the id of your own chat on %s", p.Channel)
		}
	}
	return append(k.problems, c.inlineRuleProblems()...)
}

// mostRecency is the most that being new may count: half as much again as news,
// and still less than what a clearly better match has ahead.
const mostRecency = 0.3

// recency is how much better an article of today is than the same one of long
// ago.
func recency(text string) (float64, bool) {
	switch text {
	case "news":
		return 0.2, true
	case "mild":
		return 0.05, true
	case "off":
		return 0, true
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil && n >= 0 && n <= mostRecency
}

var (
	tokenRule         = regexp.MustCompile(`^[0-9]{1,20}:[A-Za-z0-9_-]{1,100}$`)
	webhookSecretRule = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)
)

func (c Config) checkChannel(k *checker, name string, ch ChannelConfig) {
	key := "channels." + name
	if !nameRule.MatchString(name) {
		k.add(key, "a channel's name has small letters, digits and hyphens, at most 32")
	}
	if ch.Kind == "" {
		k.add(key+".kind", "is missing: one of %s", strings.Join(kinds, ", "))
		return
	}
	k.oneOf(key+".kind", ch.Kind, kinds...)
	if ch.Language != c.Language { // what is inherited was reported where it stands
		k.oneOf(key+".language", ch.Language, locale.Languages()...)
	}
	if ch.Zone != c.Zone {
		k.zone(key+".zone", ch.Zone)
	}
	checkLanguages(k, key, ch)
	k.oneOf(key+".first_digest", ch.FirstDigest, "new", "archive")
	if _, ok := recency(ch.Recency); !ok {
		k.add(key+".recency", "%q is none of news, mild, off, nor a number from 0 to %v", ch.Recency, mostRecency)
	}
	k.oneOf(key+".in_doubt", ch.InDoubt, "skip", "resend")
	k.url(key+".api_url", ch.APIURL)
	checkMass(k, key, ch)
	checkPosts(k, key, ch)
	if d := time.Duration(ch.MinInterval); d < time.Minute {
		k.add(key+".min_interval", "%s is too often: a minute at least", d)
	}
	if _, err := timetable.ParseSpan(ch.Quiet); ch.Quiet != "" && err != nil {
		k.add(key+".quiet", "%q are no hours such as 22:00-08:00", ch.Quiet)
	} else if ch.Quiet != "" && ch.Kind != "telegram" {
		k.add(key+".quiet", "is for telegram: messages of %s cannot be sent without a sound", ch.Kind)
	}
	if ch.Inline != "" && ch.Kind != "telegram" {
		k.add(key+".inline", "is for telegram: %s has no inline mode", ch.Kind)
	}
	if ch.Title != "" && ch.Kind != "wechat" {
		k.add(key+".title", "is for wechat: readers do not search for %s by a name", ch.Kind)
	}
	if ch.Groups != "" && ch.Kind != "telegram" {
		k.add(key+".groups", "is for telegram: %s has no groups", ch.Kind)
	}
	ch.Menu.check(k, key, ch.Kind)
	switch ch.Kind {
	case "telegram":
		c.checkTelegram(k, key, ch)
	case "wechat":
		c.checkWeChat(k, key, name, ch)
	}
}

// checkLanguages refuses what is never an article's language: a channel of such
// would have no articles, and nobody would know why.
func checkLanguages(k *checker, key string, ch ChannelConfig) {
	for i, lang := range ch.Languages {
		if lang == "zh" { // either script
			continue
		}
		key := fmt.Sprintf("%s.languages.%d", key, i+1)
		switch kept := articleLanguage(lang); {
		case kept == "":
			k.add(key, "%q is no language that an article can have: one of %s, or the ISO 639 code of another that articles name themselves", lang, strings.Join(language.Detected(), ", "))
		case kept != lang:
			k.add(key, "%q is not kept apart: write %s", lang, kept)
		}
	}
}

// articleLanguage is what articles in a language are kept as; "" when there is
// no such language.
func articleLanguage(text string) string {
	tag, err := bcp47.Parse(text)
	base, sure := tag.Base()
	switch {
	case err != nil || sure == bcp47.No || tag == bcp47.Und || base.String() == "mul":
		return ""
	case base.String() != "zh":
		return base.String()
	}
	written, _ := tag.Script()
	return "zh-" + written.String()
}

func (c Config) checkTelegram(k *checker, key string, ch ChannelConfig) {
	if ch.Token == "" {
		k.add(key+".token", "is missing: @BotFather gives one; put it into %s", envName(key+".token"))
	} else if !tokenRule.MatchString(ch.Token) {
		k.add(key+".token", "is no token of @BotFather's, which are digits, a colon, then letters and digits")
	}
	if ch.WebhookSecret != "" && !webhookSecretRule.MatchString(ch.WebhookSecret) {
		k.add(key+".webhook_secret", "may have 1 to 256 letters, digits, hyphens and underscores")
	}
	k.oneOf(key+".mode", ch.Mode, "", "polling", "webhook")
	if ch.Mode == "webhook" && !strings.HasPrefix(c.PublicURL, "https://") {
		k.add(key+".mode", "a webhook needs public_url to be an https:// address")
	}
	checkRate(k, key, ch)
	k.oneOf(key+".rich", ch.Rich, "", telegram.RichAuto, telegram.RichOff)
	k.oneOf(key+".groups", ch.Groups, "", groupsAdmins, groupsEveryone)
}

func (c Config) checkWeChat(k *checker, key, name string, ch ChannelConfig) {
	k.oneOf(key+".mode", ch.Mode, "", "safe", "compatible", "plain")
	for _, problem := range ch.keys().CheckKeys() {
		k.add(key+"."+problem.Key, "%s", problem.What)
	}
	c.checkAppID(k, name)
	if (ch.Mode == "safe" || ch.Mode == "compatible") && ch.AESKey == "" {
		k.add(key+".aes_key", "is missing: mode %s needs the EncodingAESKey", ch.Mode)
	}
	k.oneOf(key+".account", ch.Account, "", "unverified", "subscription", "service")
	k.oneOf(key+".answer", ch.Answer, "", "auto", "list", "card")
	if (ch.Account == "subscription" || ch.Account == "service") && ch.AppSecret == "" {
		k.add(key+".app_secret", "is missing: a verified account needs it to send messages")
	}
	c.checkNotices(k, key, ch)
}

// rate is how many messages a second a Telegram channel sends; 0 is the adapter's
// own, infinite no rate at all.
func (ch ChannelConfig) rate() (float64, error) {
	switch ch.Rate {
	case "":
		return 0, nil
	case "unlimited", "0":
		return math.Inf(1), nil
	}
	n, err := strconv.ParseFloat(ch.Rate, 64)
	if err != nil || math.IsInf(n, 0) || n == 0 {
		return 0, fmt.Errorf("%q is neither a number of messages a second nor unlimited", ch.Rate)
	}
	return n, telegram.CheckRate(n, ch.Paid)
}

func checkRate(k *checker, key string, ch ChannelConfig) {
	rate, err := ch.rate()
	switch {
	case err != nil:
		k.add(key+".rate", "%v", err)
	case math.IsInf(rate, 1) && ch.APIURL == "":
		k.add(key+".rate", "unlimited is for a test server, at api_url: Telegram itself refuses what comes too fast")
	case ch.Paid && (rate <= 30 || math.IsInf(rate, 1)):
		k.add(key+".paid", "is for a rate above 30, from where on Telegram bills each message of a digest")
	}
}

// checkNotices checks the ways in which digests go out besides customer messages.
func (c Config) checkNotices(k *checker, key string, ch ChannelConfig) {
	forms := ch.forms()
	problems := slices.Concat(forms.Notice.Check("notice", "template"), forms.Template.Check("template", "id"), forms.Once.Check("once"))
	for _, problem := range problems {
		k.add(key+"."+problem.Key, "%s", problem.What)
	}
	if ch.Once.Template != "" && c.PublicURL == "" {
		k.add(key+".once", "needs public_url, to which WeChat sends the reader back")
	}
	if ways := nonEmpty(ch.Notice.Template, ch.Once.Template, ch.Template.ID); len(ways) > 0 && ch.AppSecret == "" {
		k.add(key+".app_secret", "is missing: notices are sent with it")
	}
}

// checkAppID refuses an account that an earlier channel has already: the calls
// of the API are told apart by it.
func (c Config) checkAppID(k *checker, name string) {
	appID := c.Channels[name].AppID
	for _, other := range c.channelNames() {
		if other == name {
			return
		}
		if ch := c.Channels[other]; ch.Kind == "wechat" && appID != "" && ch.AppID == appID {
			k.add("channels."+name+".app_id", "is also that of the channel %s: an account can be one channel only", other)
			return
		}
	}
}

// keys are what is copied from the platform's pages of a WeChat channel.
func (ch ChannelConfig) keys() *wechat.Config {
	return &wechat.Config{AppID: ch.AppID, Token: ch.Token, AESKey: ch.AESKey, PreviousAESKey: ch.PreviousAESKey}
}

// forms are the templates of a WeChat channel.
func (ch ChannelConfig) forms() wechat.Config {
	return wechat.Config{
		Notice:   wechat.Form{Template: ch.Notice.Template, Fields: ch.Notice.Fields},
		Once:     wechat.Once{Template: ch.Once.Template, Scenes: ch.Once.Scenes},
		Template: wechat.Form{Template: ch.Template.ID, Fields: ch.Template.Fields},
	}
}

// checkLocation refuses what a source of this kind can never be read from.
func (c Config) checkLocation(k *checker, key string, s SourceConfig) {
	if s.Location == "" {
		k.add(key, "is missing: an address or a folder")
		return
	}
	if s.Kind == "folder" {
		if strings.Contains(s.Location, "://") {
			k.add(key, "%q is no folder; an address is of kind feed or page", s.Location)
		}
		return
	}
	u, err := url.Parse(s.Location)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		shown := s.Location
		if strings.Contains(shown, "://") {
			shown = source.Shown(shown)
		}
		k.add(key, "%q is no address such as https://example.org/feed.xml", shown)
		return
	}
	if !c.AllowPrivateSources && private(u.Hostname()) {
		k.add(key, "%s is on this machine or its network, which sources are kept from: allow_private_sources: true permits it", u.Hostname())
	}
}

// private tells what is seen to be private without looking a name up; names
// are looked up when they are read.
func private(host string) bool {
	if host = strings.TrimSuffix(strings.ToLower(host), "."); host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	return !source.Public(ip)
}

// missingFolders reports the folders of sources that are not there. It does not
// keep newsie from starting: a disk may be mounted later, and readers are
// answered meanwhile.
func (c Config) missingFolders() ConfigProblems {
	k := &checker{lines: c.lines}
	for _, name := range sortedKeys(c.Sources) {
		s := c.Sources[name]
		if s.Kind != "folder" {
			continue
		}
		switch info, err := os.Stat(s.Location); {
		case err != nil:
			k.add("sources."+name+".location", "the folder %s cannot be read: %v", s.Location, cause(err))
		case !info.IsDir():
			k.add("sources."+name+".location", "%s is no folder", s.Location)
		}
	}
	k.problems.sort()
	return k.problems
}

// notes are what may stay as it is, and is rarely meant.
func (c Config) notes() ConfigProblems {
	k := &checker{lines: c.lines}
	for _, ch := range c.Channels {
		if ch.Kind == "wechat" && strings.HasPrefix(c.PublicURL, "http://") {
			k.add("public_url", "is not encrypted: WeChat takes http:// at port 80, and everybody on the way can read along; https:// is better")
			break
		}
	}
	c.notePosts(k)
	return k.problems
}

// cause is a file error without the path, which is told anyway.
func cause(err error) error {
	var wrapped *fs.PathError
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// checkListen refuses what no server can listen on.
func checkListen(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q is no address such as 127.0.0.1:8080", address)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%q has no port from 0 to 65535", address)
	}
	return nil
}

// proxies are those that may tell a reader's address.
func (c Config) proxies() ([]netip.Prefix, error) {
	var list []netip.Prefix
	for _, text := range c.TrustedProxies {
		proxy, err := parseProxy(text)
		if err != nil {
			return nil, fmt.Errorf("trusted_proxies: %w", err)
		}
		list = append(list, proxy)
	}
	return list, nil
}

func parseProxy(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p, nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return a.Prefix(a.BitLen())
}

// A lineIndex tells on which line, or in which variable, a key stands. The
// entries of a list are counted from 1: channels.gzh.menu.2.name.
type lineIndex map[string]string

func (l lineIndex) where(key string) string {
	for at := key; at != ""; at = at[:max(0, strings.LastIndexByte(at, '.'))] { // what is missing is missing in its group
		if where, ok := l[at]; ok {
			return where + " (" + key + ")"
		}
	}
	return key
}

func (l lineIndex) collect(file, prefix string, node *yaml.Node) {
	if node.Kind == yaml.DocumentNode {
		for _, child := range node.Content {
			l.collect(file, prefix, child)
		}
		return
	}
	if node.Kind == yaml.SequenceNode {
		for i, child := range node.Content {
			key := fmt.Sprintf("%s.%d", prefix, i+1)
			l[key] = fmt.Sprintf("%s:%d", file, child.Line)
			l.collect(file, key, child)
		}
		return
	}
	if node.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i].Value
		if prefix != "" {
			key = prefix + "." + key
		}
		l[key] = fmt.Sprintf("%s:%d", file, node.Content[i].Line)
		l.collect(file, key, node.Content[i+1])
	}
}
