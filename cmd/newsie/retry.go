package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"newsie/scheduler"
)

// retryFresh is how old an edition may be that is sent again without --old: as
// long as newsie itself tries.
const retryFresh = 24 * time.Hour

// retryOptions are the flags of deliveries retry.
type retryOptions struct {
	filter                scheduler.RetryFilter
	unknown, failed, gone bool
	old, yes, dry, asJSON bool
}

// A retried is what deliveries retry did, for programs.
type retried struct {
	Planned int               `json:"planned"` // again
	IDs     []int64           `json:"ids"`
	Found   []scheduler.Count `json:"found"`
	Old     int64             `json:"old"` // left alone without --old
}

func deliveriesRetry(p *program) *cobra.Command {
	var o retryOptions
	c := &cobra.Command{
		Use: "retry [DELIVERY…]", Short: "Send again what is in doubt, failed or gone: your decision",
		Long: `Retry plans deliveries again: those given by their numbers, or all that are in
doubt (--unknown), were refused (--failed) or could not be reached (--gone), which
takes their chats and follows up again. Nobody can tell whether one in doubt
arrived: its reader may get it twice, so retry asks first, or wants --yes.

Digests older than a day are left alone unless --old is given; such are tried
once. A newsie that serves, also on another machine, sends them at once or within
seconds; without one they wait for the next.`,
		Example: "  newsie deliveries retry --unknown --channel news\n  newsie deliveries retry 4711 4712 --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.complete(args); err != nil {
				return err
			}
			return p.with(cmd, func(in *installation) error {
				ledger := scheduler.NewLedger(in.db, time.Now)
				if err := o.exist(cmd.Context(), in, ledger, p.stderr); err != nil {
					return err
				}
				err := p.retry(cmd.Context(), ledger, o)
				in.wakeServing(cmd.Context())
				return err
			})
		},
	}
	flags := c.Flags()
	flags.BoolVar(&o.unknown, "unknown", false, "those in doubt")
	flags.BoolVar(&o.failed, "failed", false, "those refused for good")
	flags.BoolVar(&o.gone, "gone", false, "those whose chats could not be reached")
	flags.Int64Var(&o.filter.Edition, "edition", 0, "only of this edition")
	flags.StringVar(&o.filter.Channel, "channel", "", "only on this channel")
	flags.BoolVar(&o.old, "old", false, "also what is older than a day")
	flags.BoolVar(&o.yes, "yes", false, "do not ask")
	flags.BoolVar(&o.dry, "dry-run", false, "only say what would be sent again")
	flags.BoolVar(&o.asJSON, "json", false, "print JSON")
	return c
}

func (o *retryOptions) complete(args []string) error {
	for _, arg := range args {
		id, err := strconv.ParseInt(arg, 10, 64)
		if err != nil {
			return fmt.Errorf("%q is no number of a delivery; newsie deliveries lists them", arg)
		}
		o.filter.IDs = append(o.filter.IDs, id)
	}
	for state, wanted := range map[scheduler.State]bool{scheduler.Unknown: o.unknown, scheduler.Failed: o.failed, scheduler.Gone: o.gone} {
		if wanted {
			o.filter.States = append(o.filter.States, state)
		}
	}
	if len(o.filter.IDs) == 0 && len(o.filter.States) == 0 {
		return errors.New("say what to send again: --unknown, --failed, --gone, or the numbers of deliveries")
	}
	if len(o.filter.IDs) > 1000 {
		return fmt.Errorf("%d numbers are too many at once: --unknown and the like name them all", len(o.filter.IDs))
	}
	return nil
}

// exist is an error about what is named and is not there, or has nothing to be sent
// again; of some of those that are named it says so to out.
func (o *retryOptions) exist(ctx context.Context, in *installation, ledger *scheduler.Ledger, out io.Writer) error {
	if err := in.channelOrLedger(ctx, ledger, o.filter.Channel); err != nil {
		return err
	}
	if id := o.filter.Edition; id != 0 {
		if ok, err := ledger.HasEdition(ctx, id); err != nil || !ok {
			return cmp.Or(err, fmt.Errorf("there is no edition %d; newsie deliveries shows them", id))
		}
	}
	if len(o.filter.IDs) == 0 {
		return nil
	}
	states, err := ledger.StatesOf(ctx, o.filter.IDs)
	if err != nil {
		return err
	}
	var none []string
	for _, id := range o.filter.IDs {
		state, ok := states[id]
		if !ok {
			return fmt.Errorf("there is no delivery %d; newsie deliveries lists them", id)
		}
		if !slices.Contains(scheduler.Retryable(), state) {
			none = append(none, fmt.Sprintf("delivery %d is %s: nothing to send again", id, state))
		}
	}
	if len(none) == len(o.filter.IDs) {
		return errors.New(strings.Join(none, "\n"))
	}
	for _, words := range none {
		_, _ = fmt.Fprintln(out, words)
	}
	return nil
}

func (p *program) retry(ctx context.Context, ledger *scheduler.Ledger, o retryOptions) error {
	all, err := ledger.Retries(ctx, o.filter)
	if err != nil {
		return err
	}
	done := retried{IDs: []int64{}, Found: all}
	if !o.old {
		o.filter.Since = time.Now().Add(-retryFresh)
		if done.Found, err = ledger.Retries(ctx, o.filter); err != nil {
			return err
		}
	}
	if done.Found == nil {
		done.Found = []scheduler.Count{}
	}
	doubtful, total := int64(0), countOf(done.Found)
	for _, n := range done.Found {
		if n.State == scheduler.Unknown {
			doubtful += n.Count
		}
	}
	done.Old = countOf(all) - total
	if !o.asJSON {
		p.tellRetry(done, total, doubtful)
	}
	if total > 0 && !o.dry {
		if !o.yes {
			if ok, err := p.mayRetry(ctx); err != nil || !ok {
				return err
			}
		}
		if done.IDs, err = ledger.RetryAll(ctx, o.filter); err != nil {
			return err
		}
		if done.Planned = len(done.IDs); done.IDs == nil {
			done.IDs = []int64{}
		}
	}
	if o.asJSON {
		return p.printJSON(done)
	}
	if total > 0 && !o.dry {
		_, err = fmt.Fprintf(p.stdout, "%s planned again.\n", isAre(int64(done.Planned)))
	}
	return err
}

func countOf(counts []scheduler.Count) (n int64) {
	for _, c := range counts {
		n += c.Count
	}
	return n
}

// isAre is "1 delivery is", "2 deliveries are".
func isAre(n int64) string {
	if n == 1 {
		return "1 delivery is"
	}
	return fmt.Sprintf("%d deliveries are", n)
}

func (p *program) tellRetry(done retried, total, doubtful int64) {
	for _, n := range done.Found {
		_, _ = fmt.Fprintf(p.stdout, "channel %s: %s %s\n", n.Channel, isAre(n.Count), n.State)
	}
	if done.Old > 0 {
		_, _ = fmt.Fprintf(p.stdout, "%s older than a day and left alone (--old).\n", isAre(done.Old))
	}
	if total == 0 {
		_, _ = fmt.Fprintln(p.stdout, "There is nothing to send again.")
	}
	if doubtful > 0 {
		_, _ = fmt.Fprintln(p.stdout, "Nobody can tell whether those in doubt arrived: their readers may get them twice.")
	}
}

// mayRetry asks the publisher, where there is a terminal to ask on.
func (p *program) mayRetry(ctx context.Context) (bool, error) {
	if file, ok := p.stdin.(*os.File); !ok || !term.IsTerminal(int(file.Fd())) {
		return false, errors.New("there is no terminal to ask on: --yes sends them again without asking, --dry-run only says what would be")
	}
	ok, err := p.confirm(ctx, "Send again?")
	if err == nil && !ok {
		_, err = fmt.Fprintln(p.stdout, "Nothing is sent again.")
	}
	return ok, err
}

func channelCommand(p *program) *cobra.Command {
	c := &cobra.Command{Use: "channel", Short: "Let a channel go on that stands still", Args: subcommand, RunE: showHelp}
	c.AddCommand(&cobra.Command{
		Use: "resume NAME", Short: "Try a channel again at once that stands still",
		Long: `Resume lets a channel send again that stands still: its platform refused three
messages in a row for a reason that is the channel's, such as a token, or five in a
row are in doubt because no answer told whether they arrived. newsie
tries one message by itself, after a minute at first and every half hour in the
end, and at once when the channel's configuration has changed. newsie deliveries
summary and newsie doctor show which channels stand still.`,
		Args: one("which channel; newsie deliveries summary names those that stand still"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, func(in *installation) error {
				name := args[0]
				if _, ok := in.config.Channels[name]; !ok {
					return fmt.Errorf("there is no channel %q; the configuration has %s", name, strings.Join(in.config.channelNames(), ", "))
				}
				ok, err := scheduler.NewLedger(in.db, time.Now).ResumeChannel(cmd.Context(), name)
				if err != nil {
					return err
				}
				text := "The channel " + name + " goes on; what waits goes out within seconds when newsie serves."
				if !ok {
					text = "The channel " + name + " does not stand still."
				}
				_, err = fmt.Fprintln(p.stdout, text)
				return err
			})
		},
	})
	return c
}
