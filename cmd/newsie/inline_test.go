package main_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"newsie/bot/telegram/telegramtest"
)

// A reader types the bot's name and half a word in a group that the bot is not
// in, scrolls to the end, chooses an article, and another opens it in the bot.
func TestInlineResultsArePosted(t *testing.T) {
	t.Parallel()
	in := install(t, "")
	server := telegramtest.Start(t, telegramtest.Options{Inline: true})
	in.write("newsie.yaml", fmt.Sprintf(`
listen: %s
public_url: https://lantern.example
channels:
  web: {kind: webchat}
  tg: {kind: telegram, token: %q, api_url: %q}
`, freeAddress(t), server.Token(), server.URL()))
	in.serve("--demo")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()

	group := server.Group(-5)
	first := group.AskAs(7, "commer")
	answers, err := first.Wait(ctx)
	if err != nil || len(answers.Results) == 0 {
		t.Fatalf("half a word finds nothing: %+v, %v", answers, err)
	}
	chosen := answers.Results[0]
	pages, seen := 0, map[string]bool{}
	for asked := group.AskAs(7, ""); asked != nil; asked = asked.More() {
		answer, err := asked.Wait(ctx)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, r := range answer.Results {
			if seen[r.ID] {
				t.Errorf("%q comes twice", r.Title)
			}
			seen[r.ID] = true
		}
	}
	if pages < 2 || len(seen) < 11 {
		t.Errorf("%d articles on %d pages", len(seen), pages)
	}
	if _, err := first.Choose(chosen.ID); err != nil {
		t.Fatal(err)
	}
	posted := group.Messages()[0]
	if !posted.ViaBot || posted.From != 7 || !strings.HasPrefix(posted.Text, chosen.Title) || len(posted.Links()) != 1 || !strings.HasPrefix(posted.Links()[0], "http") {
		t.Errorf("posted: %+v", posted)
	}
	var open string
	for _, row := range posted.Buttons {
		for _, b := range row {
			if _, payload, ok := strings.Cut(b.URL, "https://t.me/newsie_bot?start="); ok {
				open = payload
			}
		}
	}
	if open != "a"+chosen.ID {
		t.Fatalf("the buttons are %v", posted.Buttons)
	}
	answer := sayTelegram(t, server.Chat(8), "/start "+open)
	if !strings.Contains(answer.text, chosen.Title) || !slices.ContainsFunc(answer.links, func(link string) bool { return articleAt(link) == chosen.ID }) {
		t.Errorf("opened in the bot: %+v", answer)
	}
	var questions []any
	if in.read(&questions, "questions", "--json"); len(questions) != 0 {
		t.Errorf("questions are counted: %v", questions)
	}
}

func TestInlineModeIsSwitchedOff(t *testing.T) {
	t.Parallel()
	in := install(t, "")
	server := telegramtest.Start(t, telegramtest.Options{Inline: true})
	config := func(web string) string {
		return fmt.Sprintf("listen: %s\nchannels:\n  web: {kind: webchat%s}\n  tg: {kind: telegram, token: %q, api_url: %q, inline: off}\n", freeAddress(t), web, server.Token(), server.URL())
	}
	in.write("newsie.yaml", config(", inline: on"))
	if _, stderr, err := in.run("config", "check"); err == nil || !strings.Contains(stderr, "webchat has no inline mode") {
		t.Errorf("inline mode of a browser: %v, %s", err, stderr)
	}
	in.write("newsie.yaml", config(""))
	in.serve("--demo")
	sayTelegram(t, server.Chat(8), "commerce") // so that an update is confirmed and the poll is listed
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := server.Until(ctx, func() bool { return server.Pending() == 0 }); err != nil {
		t.Fatal(err)
	}
	for _, call := range server.Calls("getUpdates") {
		if strings.Contains(call.Params["allowed_updates"], "inline") {
			t.Errorf("asked for %s", call.Params["allowed_updates"])
		}
	}
	if len(server.Calls("getUpdates")) == 0 {
		t.Error("no poll is listed")
	}
}
