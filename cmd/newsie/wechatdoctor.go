package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"newsie/bot/wechat"
)

func wechatDoctor(p *program) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "doctor [CHANNEL]", Short: "Ask WeChat what an account may do, and say what is wrong", Args: cobra.MaximumNArgs(1),
		Long: `Doctor asks WeChat what the account may do and how much of it is left today,
looks for what keeps it from working (the secret, the IP whitelist, the clock,
the server address, the menu), and tells in which ways digests will travel. It
sends nothing to readers. Without CHANNEL it looks at every WeChat account. The
exit status is 1 when something is wrong.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withAny(cmd, func(in *installation) error { return p.wechatDoctor(cmd, in, args, asJSON) })
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (p *program) wechatDoctor(cmd *cobra.Command, in *installation, args []string, asJSON bool) error {
	names := in.config.wechatNames()
	if len(args) > 0 || len(names) == 0 {
		name, err := in.config.wechatName(args)
		if err != nil {
			return err
		}
		names = []string{name}
	}
	bad := 0
	reports := []accountJSON{}
	for i, name := range names {
		var report wechat.Report
		err := in.withAccount(name, func(account *wechat.Channel) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), checkTimeout)
			defer cancel()
			report = account.Doctor(ctx)
			return nil
		})
		if err != nil {
			return err
		}
		shown := asAccountJSON(name, in.config.Channels[name].AppID, report)
		bad += shown.Bad
		if reports = append(reports, shown); asJSON {
			continue
		}
		if i > 0 {
			_, _ = fmt.Fprintln(p.stdout)
		}
		_, _ = fmt.Fprintf(p.stdout, "%s, %s\n", name, shown.AppID)
		for _, f := range report.Findings {
			p.printFinding(f)
		}
	}
	if !asJSON {
		return p.verdict(bad)
	}
	if err := p.printJSON(reports); err != nil || bad == 0 {
		return err
	}
	return errReported
}

// accountJSON is a report as scripts read it.
type accountJSON struct {
	Channel   string           `json:"channel"`
	AppID     string           `json:"app_id"`
	Account   string           `json:"account"`
	Abilities wechat.Abilities `json:"abilities"`
	Calls     []callJSON       `json:"calls"` // a day of Beijing, by WeChat's count
	Sent      []sentJSON       `json:"sent"`  // by newsie's
	Findings  []findingJSON    `json:"findings"`
	Bad       int              `json:"bad"` // how many findings are not ok
}

type callJSON struct {
	Path  string `json:"path"`
	Limit int64  `json:"limit"`
	Used  int64  `json:"used"`
	Left  int64  `json:"left"`
}

type sentJSON struct {
	Way    string `json:"way"`
	Used   int64  `json:"used"`
	Limit  int64  `json:"limit,omitempty"`
	Period string `json:"period"` // the day or month in Beijing
}

type findingJSON struct {
	OK     bool   `json:"ok"`
	What   string `json:"what"`
	Advice string `json:"advice,omitempty"`
}

func asAccountJSON(name, appID string, r wechat.Report) accountJSON {
	shown := accountJSON{
		Channel: name, AppID: appID, Account: string(r.Account), Calls: []callJSON{}, Sent: []sentJSON{}, Findings: []findingJSON{},
		Abilities: r.Abilities,
	}
	for _, q := range r.Calls {
		shown.Calls = append(shown.Calls, callJSON(q))
	}
	for _, q := range r.Sent {
		shown.Sent = append(shown.Sent, sentJSON{q.Name, q.Used, q.Limit, q.Period})
	}
	for _, f := range r.Findings {
		shown.Findings = append(shown.Findings, findingJSON(f))
		if !f.OK {
			shown.Bad++
		}
	}
	return shown
}
