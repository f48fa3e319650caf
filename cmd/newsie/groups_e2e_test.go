package main_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"newsie/bot/telegram/telegramtest"
)

// Of two bots one lets everybody in a group decide, the other, as all do that
// are told nothing, its administrators; their menus say so.
func TestWhoDecidesInAGroupIsConfigured(t *testing.T) {
	t.Parallel()
	in := install(t, "")
	closed := telegramtest.Start(t, telegramtest.Options{})
	open := telegramtest.Start(t, telegramtest.Options{Token: "110201544:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"})
	in.write("newsie.yaml", fmt.Sprintf("listen: %s\nchannels:\n  closed: {kind: telegram, token: %q, api_url: %q}\n  open: {kind: telegram, token: %q, api_url: %q, groups: everyone}\n",
		freeAddress(t), closed.Token(), closed.URL(), open.Token(), open.URL()))
	in.serve()
	for _, test := range []struct {
		name   string
		server *telegramtest.Server
		want   string
		menu   bool
	}{
		{"by default", closed, "only its administrators", false},
		{"with groups: everyone", open, "You follow “tea”", true},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		g := test.server.Supergroup(-100).Language("en")
		g.SayAs(telegramtest.Said{From: 2}, "/follow tea")
		if answers, err := g.Wait(ctx, 1); err != nil || !strings.Contains(answers[0].Text, test.want) {
			t.Errorf("%s a member is answered %+v, %v", test.name, answers, err)
		}
		if err := test.server.Until(ctx, func() bool { return len(test.server.CommandsFor("all_chat_administrators")) == 4 }); err != nil {
			t.Fatal(err)
		}
		for who, want := range map[int64]bool{2: test.menu, 3: true} {
			g.Administrator(3)
			if got := strings.Contains(strings.Join(g.MenuOf(who), " "), "/follow "); got != want {
				t.Errorf("%s the menu of %d has follow: %v", test.name, who, got)
			}
		}
	}
}
