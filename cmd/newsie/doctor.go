package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"newsie/bot"
	"newsie/content"
	"newsie/internal/database"
	"newsie/scheduler"
)

func doctorCommand(p *program) *cobra.Command {
	var offline, asJSON bool
	c := &cobra.Command{
		Use: "doctor", Short: "Check configuration, data, channels, and say what to do", Args: cobra.NoArgs,
		Long: `Doctor checks the configuration, the data folder, the database, the index, the
sources, the public address and the channels, and says what to do about what is
wrong. The exit status is 1 when something is. With --json it prints a list of
{"ok", "what", "advice"}.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !asJSON {
				return p.verdict(p.doctor(cmd.Context(), offline, p.printFinding))
			}
			list := []findingJSON{}
			bad := p.doctor(cmd.Context(), offline, func(f bot.Finding) { list = append(list, findingJSON(f)) })
			if err := p.printJSON(list); err != nil || bad == 0 {
				return err
			}
			return errReported
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&offline, "offline", false, "ask no platform")
	return c
}

// verdict ends a doctor's report; it is an error when any check was bad.
func (p *program) verdict(bad int) error {
	if bad > 0 {
		_, _ = fmt.Fprintf(p.stdout, "\n%d of the checks need attention.\n", bad)
		return errReported
	}
	_, _ = fmt.Fprintln(p.stdout, "\nAll is well.")
	return nil
}

func (p *program) printFinding(f bot.Finding) {
	mark := "ok   "
	if !f.OK {
		mark = "FAIL "
	}
	_, _ = fmt.Fprintln(p.stdout, mark+f.What)
	if f.Advice != "" {
		_, _ = fmt.Fprintln(p.stdout, "     → "+f.Advice)
	}
}

// doctor tells its findings one by one and returns how many are bad.
func (p *program) doctor(ctx context.Context, offline bool, tell func(bot.Finding)) int {
	bad := 0
	report := func(findings ...bot.Finding) {
		for _, f := range findings {
			if tell(f); !f.OK {
				bad++
			}
		}
	}
	config, err := p.config()
	var problems ConfigProblems
	if errors.As(err, &problems) {
		for _, problem := range problems {
			report(bot.Finding{What: "configuration: " + problem.Where, Advice: problem.What})
		}
		return bad
	}
	if err != nil {
		report(bot.Finding{What: err.Error(), Advice: "check --config and NEWSIE_CONFIG"})
		return bad
	}
	report(bot.Finding{OK: true, What: "configuration: " + number(len(config.Channels), "channel") + ", " + number(len(config.Sources), "source")})
	for _, note := range config.notes() {
		report(bot.Finding{OK: true, What: "configuration: " + note.Where, Advice: note.What})
	}
	fresh, err := config.fresh(ctx)
	if _, missing := os.Stat(config.Data); missing == nil || !fresh {
		report(checkFolder(config.Data))
	}
	if err == nil && fresh {
		report(bot.Finding{OK: true, What: "data: there is none yet in " + cmp.Or(database.Redact(config.Database), config.Data),
			Advice: "newsie serve and newsie import begin there; where there should be data, --data or --database is not right"})
		var done func() // what channels remember while they are asked is thrown away
		if config, done, err = config.elsewhere(); err == nil {
			defer done()
		}
	}
	var in *installation
	if err == nil {
		in, err = p.openDatabase(ctx, config)
	}
	if err != nil {
		report(bot.Finding{What: "database: " + err.Error(), Advice: "check that it runs and that the address and password are right"})
		return bad
	}
	defer func() { _ = in.Close() }()
	if !fresh {
		report(in.checkDatabase(ctx)...)
		report(in.checkIndex(ctx)...)
		report(in.checkSources(ctx)...)
		report(in.checkDeliveries(ctx)...)
	}
	report(checkPublicURL(ctx, config, offline)...)
	if offline {
		report(config.publisherFindings(config.Channels[config.Publisher.Channel].mayPush())...)
		report(bot.Finding{OK: true, What: "channels: not asked (--offline)"})
		return bad
	}
	report(in.checkChannels(ctx)...)
	return bad
}

// elsewhere is the configuration with a database for a moment, until done.
func (c Config) elsewhere() (there Config, done func(), err error) {
	if c.Data, err = os.MkdirTemp("", "newsie-doctor-"); err != nil {
		return c, nil, err
	}
	c.Database = ""
	return c, func() { _ = os.RemoveAll(c.Data) }, nil
}

func checkFolder(data string) bot.Finding {
	probe := filepath.Join(data, ".doctor")
	err := os.MkdirAll(data, 0o700)
	if err == nil {
		err = os.WriteFile(probe, []byte("newsie"), 0o600)
	}
	if err != nil {
		return bot.Finding{What: "data folder: " + err.Error(), Advice: "choose a folder that newsie may write with --data, or give it the right to"}
	}
	_ = os.Remove(probe)
	f := bot.Finding{OK: true, What: "data folder: " + data + " can be written"}
	for _, path := range []string{data, filepath.Join(data, "newsie.db")} {
		if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o007 != 0 {
			f.What += ", and other users of this machine can read it"
			f.Advice = "it holds who follows what: chmod -R go= " + data
			break
		}
	}
	return f
}

// checkDeliveries tells which channels stand still, and how many messages nobody
// knows the fate of; nothing when there are none.
func (in *installation) checkDeliveries(ctx context.Context) []bot.Finding {
	counts, err := scheduler.NewLedger(in.db, time.Now).Counts(ctx)
	if err != nil {
		return []bot.Finding{{What: "deliveries: " + err.Error()}}
	}
	halts, err := scheduler.NewLedger(in.db, time.Now).Halts(ctx)
	if err != nil {
		return []bot.Finding{{What: "deliveries: " + err.Error()}}
	}
	var findings []bot.Finding
	for _, h := range halts {
		findings = append(findings, bot.Finding{What: standsStill(h), Advice: standAdvice(h)})
	}
	for _, c := range counts {
		if c.State != scheduler.Unknown {
			continue
		}
		what := "1 delivery is in doubt"
		if c.Count != 1 {
			what = fmt.Sprintf("%d deliveries are in doubt", c.Count)
		}
		findings = append(findings, bot.Finding{OK: true, What: "channel " + c.Channel + ": " + what + ": it is not known whether they arrived, and they are not sent again",
			Advice: "newsie deliveries --state unknown lists them, and newsie deliveries retry --unknown sends them again; in_doubt: resend would always"})
	}
	return findings
}

// checkSources tells how each configured source did.
func (in *installation) checkSources(ctx context.Context) []bot.Finding {
	all, err := in.ingester().Statuses(ctx)
	if err != nil {
		return []bot.Finding{{What: "sources: " + err.Error()}}
	}
	var findings []bot.Finding
	for _, problem := range slices.Concat(in.config.missingFolders(), in.config.synonymProblems(), in.config.ruleProblems()) {
		findings = append(findings, bot.Finding{What: "configuration: " + problem.Where, Advice: problem.What})
	}
	const minutes = "2006-01-02 15:04 MST"
	for _, name := range sortedKeys(in.config.Sources) {
		f := bot.Finding{OK: true, What: "source " + name + ": not read yet", Advice: "newsie serve reads it"}
		for _, s := range all {
			switch {
			case s.Name != name || s.Location != in.config.Sources[name].Location || s.Checked.IsZero():
			case s.Failures > 0:
				f = bot.Finding{What: fmt.Sprintf("source %s: failed %s in a row since %s", name, number(s.Failures, "time"), s.FailingSince.Format(minutes)), Advice: s.Error}
			case s.Error != "":
				f = bot.Finding{OK: true, What: "source " + name + ": read " + s.Checked.Format(minutes), Advice: "refused: " + s.Error}
			default:
				f = bot.Finding{OK: true, What: "source " + name + ": read " + s.Checked.Format(minutes)}
			}
		}
		findings = append(findings, f)
	}
	return findings
}

func (in *installation) checkDatabase(ctx context.Context) []bot.Finding {
	schema, err := in.db.Schema(ctx)
	if err != nil {
		return []bot.Finding{{What: "database: " + err.Error(), Advice: "the schema cannot be read; restore a backup if it is damaged"}}
	}
	size, err := in.db.Size(ctx)
	if err != nil {
		return []bot.Finding{{What: "database: " + err.Error()}}
	}
	count, err := in.store().Count(ctx, content.Filter{Copies: true})
	if err != nil {
		return []bot.Finding{{What: "database: " + err.Error()}}
	}
	findings := []bot.Finding{{OK: true, What: fmt.Sprintf("database: schema %d, for programs that know %d or newer, %.1f MB, %s", schema.Version, schema.Oldest, float64(size)/1e6, plural(count, "article"))}}
	if schema.Version > schema.Known {
		findings[0].Advice = newerSchema(schema)
	}
	if count == 0 {
		findings[0].Advice = "readers will find nothing yet: newsie import FOLDER"
	}
	replicas, err := in.db.Replicas(ctx)
	if err != nil {
		return append(findings, bot.Finding{What: "replicas: " + err.Error()})
	}
	if len(replicas) > 0 {
		findings = append(findings, bot.Finding{OK: true, What: fmt.Sprintf("replicas: %d alive, on %s", len(replicas), hosts(replicas))})
	}
	clock, err := in.db.Now(ctx)
	if err != nil {
		return append(findings, bot.Finding{What: "clock: " + err.Error()})
	}
	if off := time.Since(time.UnixMilli(clock)); off.Abs() > 5*time.Second {
		return append(findings, bot.Finding{What: fmt.Sprintf("clock: %s apart from the database's", off.Round(time.Second)), Advice: "let the machine set its clock (NTP): digests and WeChat's signatures depend on it"})
	}
	return append(findings, bot.Finding{OK: true, What: "clock: agrees with the database's; now " + time.Now().UTC().Format("2006-01-02 15:04 MST")})
}

func (in *installation) checkIndex(ctx context.Context) []bot.Finding {
	err := in.openLibrary()
	if errors.Is(err, errInUse) {
		return []bot.Finding{{OK: true, What: "index: kept by the newsie that serves now"}}
	}
	if err != nil {
		return []bot.Finding{{What: "index: " + err.Error(), Advice: "stop newsie and delete the folder index in the data folder: it is built again from the database"}}
	}
	lag, err := in.library.Lag(ctx)
	if err != nil {
		return []bot.Finding{{What: "index: " + err.Error()}}
	}
	f := bot.Finding{OK: true, What: fmt.Sprintf("index: %.1f MB, position %d, %d changes to follow", float64(in.library.Size())/1e6, in.library.Seq(), lag)}
	if lag > 0 {
		f.Advice = "nothing to do: serve and search follow by themselves"
	}
	return []bot.Finding{f}
}

func checkPublicURL(ctx context.Context, config Config, offline bool) []bot.Finding {
	if config.PublicURL == "" {
		f := bot.Finding{OK: true, What: "public_url: not set; links lead to " + config.Listen}
		for _, ch := range config.Channels {
			if ch.Kind != "webchat" {
				f.OK = false
				f.Advice = "readers elsewhere cannot follow links to this machine: set public_url to the address they reach it at"
			}
		}
		return []bot.Finding{f}
	}
	if offline {
		return []bot.Finding{{OK: true, What: "public_url: " + config.PublicURL + " (not asked)"}}
	}
	client := http.Client{Timeout: 10 * time.Second}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, config.PublicURL+"/healthz", nil)
	if err != nil {
		return []bot.Finding{{What: "public_url: " + err.Error()}}
	}
	response, err := client.Do(request)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return []bot.Finding{{What: "public_url: " + config.PublicURL + " does not answer: " + err.Error(),
			Advice: "start newsie serve, and check the name, the proxy and the certificate; from inside some networks the public address cannot be reached"}}
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return []bot.Finding{{What: fmt.Sprintf("public_url: %s/healthz answers %s", config.PublicURL, response.Status), Advice: "point the proxy at " + config.Listen}}
	}
	return []bot.Finding{{OK: true, What: "public_url: " + config.PublicURL + " reaches newsie"}}
}

func (in *installation) checkChannels(ctx context.Context) []bot.Finding {
	cs, done := in.offline()
	defer done()
	if err := cs.connect(); err != nil {
		return []bot.Finding{{What: "channels: " + strings.ReplaceAll(err.Error(), "\n", "; ")}}
	}
	var findings []bot.Finding
	for _, name := range in.config.channelNames() {
		ctx, cancel := context.WithTimeout(ctx, checkTimeout)
		for _, f := range cs.adapters[name].Check(ctx) {
			for _, prefix := range []string{"channel ", in.config.Channels[name].Kind + " "} {
				f.What = strings.TrimPrefix(f.What, prefix+name+": ")
			}
			f.What = "channel " + name + ": " + f.What
			findings = append(findings, f)
		}
		cancel()
	}
	pushes := true
	for _, account := range cs.accounts {
		if account.Name() == in.config.Publisher.Channel {
			able, err := account.Abilities(ctx, false) // an error was told above
			pushes = err == nil && able.Customer
		}
	}
	return append(findings, in.config.publisherFindings(pushes)...)
}

// publisherFindings tell how notices reach the publisher on WeChat, which takes
// no message at any time; pushes: the account may send some.
func (c Config) publisherFindings(pushes bool) []bot.Finding {
	name := c.Publisher.Channel
	if c.Channels[name].Kind != "wechat" {
		return nil
	}
	if pushes {
		return []bot.Finding{{OK: true, What: "publisher: notices reach your chat on " + name + " within 48 hours of your last message there, and otherwise wait for your next"}}
	}
	return []bot.Finding{{OK: true, What: "publisher: " + name + " sends nothing by itself: notices wait there for your next message, and stand in the log",
		Advice: "write to it now and then, or name a chat on a Telegram channel"}}
}

// mayPush: as far as the configuration tells, the channel can send by itself.
func (ch ChannelConfig) mayPush() bool {
	return ch.Kind != "wechat" || ch.AppSecret != "" && ch.Account != "unverified"
}

// checkTimeout is for all that is asked about one channel.
const checkTimeout = time.Minute

// offline are channels that answer nobody, to ask the platforms with; connect
// makes them. done must be called when they are no longer used.
func (in *installation) offline() (cs *channels, done func()) {
	done = func() {}
	if in.library == nil { // another process may have the index; the channels do not need it
		in.library = content.Store(in.db, in.libraryOptions())
		done = func() { in.library = nil }
	}
	public := in.config.pages()
	return &channels{in: in, bot: in.newBot(public, nil), public: public, metrics: newMetrics(), pacer: bot.NewPacer(in.db, time.Now),
		notice:  &notice{settings: bot.NewSettings(in.db, time.Now), log: in.log},
		digests: func() *scheduler.Scheduler { return nil }}, done
}
