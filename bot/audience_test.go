package bot_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"newsie/bot"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// audiences lists the schedules of audiences: "gzh/* tea @0 8 * * * due 5 since 3".
func audiences(t *testing.T, chats *bot.Chats) string {
	t.Helper()
	all, err := chats.Listed(t.Context(), bot.FollowFilter{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, f := range all {
		if f.Audience() {
			list = append(list, fmt.Sprintf("%s/%s %s @%s due %d since %d", f.Channel, f.Chat, f.Topic, f.Spec, f.NextDueAt, f.SinceSeq))
		}
	}
	return strings.Join(list, "; ")
}

func TestAudiencesFollowTheConfiguration(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		chats := bot.NewChats(db, time.Now)
		reader := bot.ChatID{Channel: "gzh", ID: "reader"}
		if _, _, err := chats.Follow(t.Context(), bot.Follow{Channel: "gzh", Chat: "reader", Topic: "tea", Query: "tea", Spec: "0 8 * * *", Zone: "UTC"}); err != nil {
			t.Fatal(err)
		}
		keep := func(want string, list ...bot.Follow) {
			t.Helper()
			if err := chats.KeepAudiences(t.Context(), list); err != nil {
				t.Fatal(err)
			}
			if got := audiences(t, chats); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		}
		f := bot.Follow{Channel: "gzh", Chat: "*", Topic: "*", Query: "*", Spec: "0 18 * * *", Zone: "Asia/Shanghai", NextDueAt: 100, SinceSeq: 7}
		keep("gzh/* * @0 18 * * * due 100 since 7", f)
		f.NextDueAt, f.SinceSeq = 200, 9 // a restart, after a slot was missed
		keep("gzh/* * @0 18 * * * due 100 since 7", f)
		f.Topic, f.Query, f.Chat = "tea", "tea", "*2"
		keep("gzh/*2 tea @0 18 * * * due 100 since 7", f)
		f.Spec = "0 19 * * *"
		keep("gzh/*2 tea @0 19 * * * due 200 since 7", f)
		g := f
		g.Channel, g.NextDueAt = "fwh", 300
		keep("gzh/*2 tea @0 19 * * * due 200 since 7; fwh/*2 tea @0 19 * * * due 300 since 9", f, g)
		keep("fwh/*2 tea @0 19 * * * due 300 since 9", g)
		keep("")
		keep("gzh/*2 tea @0 19 * * * due 200 since 9", f)
		if err := chats.KeepAudiences(t.Context(), []bot.Follow{{Channel: "gzh", Chat: "reader"}}); err == nil {
			t.Error("a reader is taken for an audience")
		}
		if follows, err := chats.Follows(t.Context(), reader); err != nil || len(follows) != 1 {
			t.Errorf("the reader's own follows: %v (%v)", follows, err)
		}
	})
}

func TestReplicasThatStartTogetherKeepOneSchedule(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		chats := bot.NewChats(db, time.Now)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				err := chats.KeepAudiences(t.Context(), []bot.Follow{{Channel: "gzh", Chat: "*", Topic: "*", Query: "*", Spec: "0 18 * * *", Zone: "UTC", NextDueAt: 1}})
				if err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if got, want := audiences(t, chats), "gzh/* * @0 18 * * * due 1 since 0"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// One bot posts to several places, and several topics to one.
func TestSeveralAudiencesOfAChannel(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		chats := bot.NewChats(db, time.Now)
		post := func(chat, topic string, due int64) bot.Follow {
			return bot.Follow{Channel: "news", Chat: "*" + chat, Topic: topic, Query: topic, Spec: "0 18 * * *", Zone: "UTC", NextDueAt: due, SinceSeq: due}
		}
		keep := func(want string, list ...bot.Follow) {
			t.Helper()
			if err := chats.KeepAudiences(t.Context(), list); err != nil {
				t.Fatal(err)
			}
			if got := audiences(t, chats); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		}
		keep("news/*@a tea @0 18 * * * due 1 since 1; news/*@a coffee @0 18 * * * due 2 since 2; news/*@b tea @0 18 * * * due 3 since 3",
			post("@a", "tea", 1), post("@a", "coffee", 2), post("@b", "tea", 3))
		// In another order they are the same.
		keep("news/*@a tea @0 18 * * * due 1 since 1; news/*@a coffee @0 18 * * * due 2 since 2; news/*@b tea @0 18 * * * due 3 since 3",
			post("@b", "tea", 9), post("@a", "coffee", 9), post("@a", "tea", 9))
		// Queries that were kept before they had one form are the same ones.
		if _, err := db.ExecContext(t.Context(), "UPDATE follows SET query = query || ' lang:\"en\"'"); err != nil {
			t.Fatal(err)
		}
		keep("news/*@a tea lang:en @0 18 * * * due 1 since 1; news/*@a coffee lang:en @0 18 * * * due 2 since 2; news/*@b tea lang:en @0 18 * * * due 3 since 3",
			post("@b", "tea lang:en", 9), post("@a", "coffee lang:en", 9), post("@a", "tea lang:en", 9))
		if _, err := db.ExecContext(t.Context(), "UPDATE follows SET query = replace(query, ' lang:en', '')"); err != nil {
			t.Fatal(err)
		}
		// Another topic at the same place, another place for the same topic.
		keep("news/*@a tea @0 18 * * * due 1 since 1; news/*@a cocoa @0 18 * * * due 2 since 2; news/*@c tea @0 18 * * * due 3 since 3",
			post("@c", "tea", 9), post("@a", "cocoa", 9), post("@a", "tea", 9))
		// A topic that another schedule had a moment ago.
		keep("news/*@a tea @0 18 * * * due 1 since 1; news/*@c cocoa @0 18 * * * due 3 since 3",
			post("@a", "tea", 9), post("@c", "cocoa", 9))
		// Of several, one that has nothing of an old one is new.
		keep("news/*@a tea @0 18 * * * due 1 since 1; news/*@d rice @0 18 * * * due 9 since 9", post("@a", "tea", 9), post("@d", "rice", 9))
	})
}
