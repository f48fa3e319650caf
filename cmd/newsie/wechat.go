package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"newsie/bot/wechat"
)

func wechatCommand(p *program) *cobra.Command {
	c := &cobra.Command{
		Use: "wechat", Short: "See what a WeChat account may do, and keep its menu", Args: subcommand, RunE: showHelp,
		Long: `These commands ask WeChat about an Official Account, and change its menu. They
may be used while newsie serves. CHANNEL is the account's name in the
configuration; where there is one account only, it can be left out.`,
	}
	c.AddCommand(wechatDoctor(p), wechatMenu(p))
	return c
}

// wechatNames are the channels that are WeChat accounts.
func (c Config) wechatNames() []string {
	return slices.DeleteFunc(c.channelNames(), func(name string) bool { return c.Channels[name].Kind != "wechat" })
}

// wechatName is the account that a command means.
func (c Config) wechatName(args []string) (string, error) {
	names := c.wechatNames()
	switch {
	case len(names) == 0:
		return "", errors.New("no channel is of kind wechat; the README tells how to connect an account")
	case len(args) > 0 && !slices.Contains(names, args[0]):
		return "", fmt.Errorf("there is no WeChat channel %q, there is %s", args[0], strings.Join(names, ", "))
	case len(args) > 0:
		return args[0], nil
	case len(names) > 1:
		return "", fmt.Errorf("say which account: %s", strings.Join(names, ", "))
	}
	return names[0], nil
}

// withAccount opens the account that a command means.
func (p *program) withAccount(cmd *cobra.Command, args []string, do func(name string, account *wechat.Channel) error) error {
	return p.withAny(cmd, func(in *installation) error {
		name, err := in.config.wechatName(args)
		if err != nil {
			return err
		}
		return in.withAccount(name, func(account *wechat.Channel) error { return do(name, account) })
	})
}

func (in *installation) withAccount(name string, do func(account *wechat.Channel) error) error {
	cs, done := in.offline()
	defer done()
	account, err := cs.account(name, in.config.Channels[name])
	if err != nil {
		return err
	}
	return do(account)
}
