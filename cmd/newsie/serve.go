package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"newsie/bot"
	"newsie/bot/origin"
	"newsie/bot/wechat"
	"newsie/content/ingest"
	"newsie/internal/web"
	"newsie/scheduler"
)

func serveCommand(p *program) *cobra.Command {
	var listen string
	var demo bool
	c := &cobra.Command{
		Use:   "serve",
		Short: "Answer readers and send digests until told to stop",
		Long: `Serve connects every configured channel, answers readers, sends digests and
serves the reader pages. Ctrl-C or SIGTERM stops it: answers under way finish
first.

With --demo it brings a sample library and a chat in the browser, and needs no
account, no configuration and no network.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := p.config()
			if err != nil {
				return err
			}
			if listen != "" {
				if err := checkListen(listen); err != nil {
					return fmt.Errorf("--listen: %w", err)
				}
				config.Listen = listen
			}
			if demo {
				config = demoConfig(config)
			}
			return p.serve(cmd.Context(), config, demo)
		},
	}
	c.Flags().StringVar(&listen, "listen", "", "address to listen on (default 127.0.0.1:8080; NEWSIE_LISTEN)")
	c.Flags().BoolVar(&demo, "demo", false, "bring a sample library")
	return c
}

// A server is a running newsie.
type server struct {
	*installation
	p         *program
	public    string
	metrics   *metrics
	bot       *bot.Bot
	credits   *origin.Credits
	links     *origin.Links // to articles; who opens them is counted
	channels  *channels
	scheduler *scheduler.Scheduler
	listener  net.Listener
	notices   *noticeQueue     // of the bot, whose readers wait
	sources   *ingest.Ingester // one for all refreshes: it remembers what it told
}

func (p *program) serve(ctx context.Context, config Config, demo bool) (err error) {
	started := time.Now()
	if err := config.notMoved(); err != nil {
		return err
	}
	in, err := p.openDatabase(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	if err := in.openLibrary(); err != nil {
		return err
	}
	if err := in.loadSynonyms(); err != nil {
		return err
	}
	if !in.db.Postgres() { // the lock of the folder says that no other process answers
		if err := bot.NewInbox(in.db, time.Now).Abandon(ctx); err != nil {
			return err
		}
	}
	if demo {
		if err := in.bringDemo(ctx); err != nil {
			return err
		}
	}
	s := &server{installation: in, p: p, metrics: newMetrics(), sources: in.ingester()}
	if err := s.assemble(ctx); err != nil {
		return err
	}
	// Whoever reads the greeting may ask: the way to this process comes first.
	control, err := s.control()
	if err != nil {
		return err
	}
	s.greet(started, demo)
	return s.run(ctx, control)
}

// assemble connects the parts.
func (s *server) assemble(ctx context.Context) error {
	var err error
	if s.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", s.config.Listen); err != nil {
		hint := ""
		if errors.Is(err, syscall.EADDRINUSE) {
			hint = " (another program may use it: choose one with --listen)"
		}
		return fmt.Errorf("listen on %s: %w%s", s.config.Listen, err, hint)
	}
	s.public = s.config.PublicURL
	if s.public == "" {
		s.public = "http://" + reachable(s.listener.Addr().String())
	}
	s.metrics.watch(s.db, s.library)
	s.bot = s.newBot(s.public, s.metrics.observe)
	key, err := s.linkKey(ctx)
	if err != nil {
		return err
	}
	s.links, s.credits = origin.NewLinks(key, s.public), s.newCredits(key)
	s.bot.UseOrigins(&bot.Origins{Credits: s.credits, Book: origin.NewBook(s.db, time.Now)})
	for _, name := range s.config.channelNames() {
		if s.config.counts(name) {
			s.bot.CountOpens(name, s.links)
		}
	}
	if err := s.loadRules(s.bot); err != nil {
		return err
	}
	tell := &notice{settings: bot.NewSettings(s.db, time.Now), log: s.log, to: bot.ChatID{Channel: s.config.Publisher.Channel, ID: s.config.Publisher.Chat}}
	s.notices = newNoticeQueue(tell.give, s.log)
	s.bot.Notifies(s.notices.put)
	s.channels = &channels{in: s.installation, bot: s.bot, public: s.public, metrics: s.metrics, notice: tell, pacer: bot.NewPacer(s.db, time.Now),
		digests: func() *scheduler.Scheduler { return s.scheduler }}
	if err := s.channels.connect(); err != nil {
		return err
	}
	tell.sender = func(channel string) bot.Sender {
		if a, ok := s.channels.adapters[channel]; ok {
			return a
		}
		return nil
	}
	s.scheduler, err = scheduler.New(scheduler.Config{
		DB: s.db, Finder: s.library, Newest: s.library.Newest, Articles: s.library, Cards: s.bot.Cards, Lists: bot.NewLists(s.db, time.Now), Catalog: s.catalog,
		Pacer: s.channels.pacer, Channels: s.channels.outlets(), Silent: s.bot.Silent, Counted: s.bot.Counted, Pages: s.config.readOn(), Pinned: s.library.Pinned, Jobs: s.jobs(tell), Received: s.received, Gone: s.gone, Moved: s.moved, Notify: tell.give, Logger: s.log,
		Fresh: time.Duration(s.config.CatchUp),
	})
	if err != nil {
		return err
	}
	if !s.db.Postgres() { // the lock of the folder says that no other process delivers
		if _, err := s.scheduler.Abandon(ctx); err != nil {
			return err
		}
	}
	tell.hold = s.scheduler.Hold
	s.metrics.registry.MustRegister(s.scheduler.Collector(), newWeChatCollector(s.channels.accounts))
	s.bot.UseDigests(s.scheduler)
	s.bot.Forgets(s.scheduler.Forget)
	return s.keepAudiences(ctx)
}

// jobs are what is done again and again beside digests.
func (s *server) jobs(tell *notice) []scheduler.Job {
	jobs := []scheduler.Job{
		{Name: "housekeeping", Every: time.Hour, AtStart: true, Run: s.prune},
		{Name: "origins", Every: 10 * time.Minute, AtStart: true, Run: s.credits.Stay},
		{Name: "codes of invitations", Every: 15 * time.Second, Run: s.inviteCodes},
	}
	for _, name := range sortedKeys(s.config.Sources) {
		source := s.config.Sources[name]
		jobs = append(jobs, scheduler.Job{Name: "source " + name, Every: time.Minute, AtStart: true, Run: func(ctx context.Context) error {
			return s.refresh(ctx, tell, ingest.SourceConfig{Name: name, Kind: source.Kind, Location: source.Location}, time.Duration(source.Every))
		}})
	}
	return jobs
}

// deadSource is how many failures in a row make the publisher hear of a source.
const deadSource = 5

func (s *server) refresh(ctx context.Context, tell *notice, source ingest.SourceConfig, every time.Duration) error {
	done, err := s.sources.RefreshDue(ctx, []ingest.SourceConfig{source}, every)
	for _, d := range done {
		for change, n := range map[string]int{"added": d.Result.Added, "updated": d.Result.Updated, "refused": len(d.Refused)} {
			s.metrics.articles.WithLabelValues(source.Name, change).Add(float64(n))
		}
		if d.Err != nil {
			s.log.Warn("a source could not be read; it is tried again", "source", source.Name, "failures", d.Status.Failures, "error", d.Err)
		} else if d.Result.Added+d.Result.Updated > 0 {
			s.log.Info("articles came in", "source", source.Name, "added", d.Result.Added, "updated", d.Result.Updated)
		}
		if d.Status.Failures >= deadSource {
			tell.give(ctx, "source:"+source.Name, fmt.Sprintf("The source %s has failed %d times in a row: %v", source.Name, d.Status.Failures, d.Err))
		}
	}
	return err
}

// How long things are kept that only the near past needs.
const (
	keepInbox     = 48 * time.Hour
	keepLists     = 30 * 24 * time.Hour
	keepQuestions = 400 * 24 * time.Hour
	keepLedger    = 90 * 24 * time.Hour // unless the configuration says otherwise
	leastLedger   = 48 * time.Hour
)

func (s *server) prune(ctx context.Context) error {
	now := time.Now()
	_, err := s.scheduler.Compact(ctx, now.Add(-time.Duration(s.config.Keep.Deliveries)))
	return errors.Join(err,
		bot.NewInbox(s.db, time.Now).Prune(ctx, now.Add(-keepInbox)),
		bot.NewLists(s.db, time.Now).Prune(ctx, now.Add(-keepLists), now.Add(-keepQuestions)),
		bot.NewSettings(s.db, time.Now).Prune(ctx),
		s.users().Prune(ctx),
		bot.NewPacer(s.db, time.Now).Prune(ctx, now.Add(-time.Hour)),
		scheduler.NewLaunches(s.db, time.Now).Prune(ctx, now.Add(-keepLedger)),
		s.db.ForgetDead(ctx))
}

// grace is how long answers under way may take when the program is told to stop.
const grace = 8 * time.Second

func (s *server) run(ctx context.Context, control *control) error {
	publishers, err := s.console()
	if err != nil {
		return err
	}
	pages, err := web.New(web.Config{
		Console: publishers,
		Library: s.library, Catalog: s.catalog, PublicURL: s.public, Name: s.config.Name,
		Channels: s.channels.handlers, Chat: s.channels.chat, Ready: s.library.Ready, Pinned: s.library.Pinned, Tokens: s.links, Opens: s.opens(), Doors: s.channels.doors(),
		Metrics: s.metrics.handler(s.config.MetricsToken), Logger: s.log,
	})
	if err != nil {
		return err
	}
	// Requests do not end with ctx: those under way may finish.
	httpServer := &http.Server{
		Handler: pages, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10, ErrorLog: nil,
	}
	// What is under way when the program is told to stop must not seem a dead
	// replica's: the others see this one live until all has ended.
	signals := newSignals(s)
	living, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	listened := make(chan error, 1)
	go func() { listened <- signals.run(living) }()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.library.Run(ctx) })
	group.Go(func() error { return s.scheduler.Run(ctx) })
	group.Go(func() error { return control.run(ctx) })
	group.Go(func() error { return s.notices.run(ctx) })
	group.Go(func() error { return s.credits.Run(ctx) })
	for _, file := range s.published {
		group.Go(func() error { return file.watch(ctx) })
	}
	for name, a := range s.channels.adapters {
		group.Go(func() error {
			if err := a.Run(ctx); err != nil && ctx.Err() == nil {
				return fmt.Errorf("channel %s: %w", name, err)
			}
			return nil
		})
	}
	group.Go(func() error {
		if err := httpServer.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		stopping, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		if err := httpServer.Shutdown(stopping); err != nil {
			return httpServer.Close()
		}
		return nil
	})
	err = group.Wait()
	end()
	err = errors.Join(err, <-listened)
	s.countTheRest(ctx)
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := s.db.Leave(leaving); err != nil {
		s.log.Warn("the other replicas find out by themselves that this one has ended", "error", err)
	}
	s.log.Info("stopped")
	return err
}

// reachable turns a listening address into one a browser can open.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

func (s *server) greet(started time.Time, demo bool) {
	articles := "no articles yet: newsie import FOLDER"
	if n := s.countArticles(); n > 0 {
		articles = plural(n, "article")
	}
	data, err := filepath.Abs(s.config.Data)
	if err != nil {
		data = s.config.Data
	}
	lines := []string{"", fmt.Sprintf("  %s is ready after %.1f s, with %s.", s.config.Name, time.Since(started).Seconds(), articles), ""}
	if s.channels.chat != "" {
		lines = append(lines, "  Chat          "+s.public+s.channels.chat)
	}
	lines = append(lines, "  Reader pages  "+s.public+"/", "  Data          "+data)
	there := map[string]bool{}
	for _, name := range s.config.channelNames() {
		c := s.config.Channels[name]
		there[c.Kind] = true
		switch c.Kind {
		case "telegram":
			lines = append(lines, "  Telegram      channel "+name+": open your bot there and press Start")
		case "wechat":
			lines = append(lines, "  WeChat        channel "+name+", server address "+s.public+wechat.Path(name))
		}
	}
	if demo {
		lines = append(lines, demoHints(there)...)
	}
	lines = append(lines, "", "  Ctrl-C stops it; everything is kept.", "")
	_, _ = fmt.Fprintln(s.p.stdout, strings.Join(lines, "\n"))
}

// plural counts things: "1 article", "2 articles".
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func (s *server) countArticles() int {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	n, err := s.library.Count(ctx, noFilter)
	if err != nil {
		return 0
	}
	return n
}
