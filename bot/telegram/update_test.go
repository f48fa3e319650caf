package telegram_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/bot/telegram"
)

func TestUpdatesAsTheBotHearsThem(t *testing.T) {
	private := `"chat":{"id":7,"type":"private"},"from":{"id":7,"language_code":"zh-hans"},"date":1000`
	group := `"chat":{"id":-5,"type":"supergroup"},"from":{"id":7,"language_code":"it"},"date":1000`
	message := func(m bot.Message) *bot.Message {
		m.ID, m.Chat.Channel = "u9", "tg"
		if m.At.IsZero() {
			m.At = time.Unix(1000, 0)
		}
		return &m
	}
	at := func(id string) bot.ChatID { return bot.ChatID{ID: id} }
	inGroup := func(text string) *bot.Message {
		return message(bot.Message{Kind: bot.Text, Chat: at("-5"), From: "7", Text: text, Lang: "it", Public: true})
	}
	inPrivate := func(kind bot.Kind, text string) *bot.Message {
		return message(bot.Message{Kind: kind, Chat: at("7"), Text: text, Lang: "zh-hans"})
	}
	for _, test := range []struct {
		name, update string
		want         *bot.Message
	}{
		{"a text", `"message":{"message_id":1,` + private + `,"text":"微店"}`, inPrivate(bot.Text, "微店")},
		{"a deep link", `"message":{"message_id":1,` + private + `,"text":"/start a4711"}`, inPrivate(bot.Text, "/start a4711")},
		{"a command to us by name", `"message":{"message_id":1,` + private + `,"text":"/search@NEWSIE_bot tea"}`, inPrivate(bot.Text, "/search tea")},
		{"a sticker", `"message":{"message_id":1,` + private + `,"sticker":{"emoji":"x"}}`, inPrivate(bot.Media, "sticker")},
		{"a picture", `"message":{"message_id":1,` + private + `,"photo":[{}]}`, inPrivate(bot.Media, "picture")},
		{"a picture with words", `"message":{"message_id":1,` + private + `,"photo":[{}],"caption":"tea"}`, inPrivate(bot.Text, "tea")},
		{"a place", `"message":{"message_id":1,` + private + `,"location":{"latitude":1}}`, inPrivate(bot.Media, "place")},
		{"a service message", `"message":{"message_id":1,` + private + `,"pinned_message":{"message_id":2}}`, nil},
		{"what our own inline results post", `"message":{"message_id":1,` + private + `,"via_bot":{"id":1},"text":"x"}`, nil},
		{"another bot", `"message":{"message_id":1,"chat":{"id":-5,"type":"group"},"from":{"id":8,"is_bot":true},"text":"/help@newsie_bot"}`, nil},
		{"a channel post", `"channel_post":{"message_id":1,"chat":{"id":-9,"type":"channel"},"text":"x"}`, nil},
		{"an inline query", `"inline_query":{"id":"1","from":{"id":7},"query":"tea","offset":""}`, nil},
		{"a business message", `"business_message":{"message_id":1,` + private + `,"text":"x"}`, nil},

		{"an edit", `"edited_message":{"message_id":1,` + private + `,"text":"tea"}`,
			message(bot.Message{Kind: bot.Text, Chat: at("7"), Text: "tea", Lang: "zh-hans", Edited: true})},
		{"a place that moves", `"edited_message":{"message_id":1,` + private + `,"location":{"latitude":1}}`, nil},

		{"a tap", `"callback_query":{"id":"1","from":{"id":7,"language_code":"en"},"message":{"message_id":3,"chat":{"id":7,"type":"private"},"date":5},"data":"/read 4711"}`,
			message(bot.Message{Kind: bot.Tap, Chat: at("7"), Text: "/read 4711", Lang: "en", At: time.Unix(0, 0)})},
		{"a tap in a topic", `"callback_query":{"id":"1","from":{"id":7},"message":{"message_id":3,"is_topic_message":true,"message_thread_id":44,"chat":{"id":-5,"type":"supergroup"},"date":5},"data":"/more 1 2"}`,
			message(bot.Message{Kind: bot.Tap, Chat: at("-5:44"), From: "7", Text: "/more 1 2", Public: true, At: time.Unix(0, 0)})},
		{"a tap on an inline message", `"callback_query":{"id":"1","from":{"id":7},"inline_message_id":"x","data":"/read 1"}`, nil},
		{"a game", `"callback_query":{"id":"1","from":{"id":7},"message":{"message_id":3,"chat":{"id":7,"type":"private"}},"game_short_name":"x"}`, nil},

		{"talk in a group", `"message":{"message_id":1,` + group + `,"text":"tea"}`, nil},
		{"a sticker in a group", `"message":{"message_id":1,` + group + `,"sticker":{}}`, nil},
		{"a command in a group", `"message":{"message_id":1,` + group + `,"text":"/search tea"}`, inGroup("/search tea")},
		{"a command to us in a group", `"message":{"message_id":1,` + group + `,"text":"/roll@newsie_bot 6"}`, inGroup("/roll 6")},
		{"a command to another bot", `"message":{"message_id":1,` + group + `,"text":"/search@other_bot tea"}`, nil},
		{"a command nobody knows", `"message":{"message_id":1,` + group + `,"text":"/roll 6"}`, nil},
		{"a mention", `"message":{"message_id":1,` + group + `,"text":"😀 @newsie_bot, tea","entities":[{"type":"mention","offset":3,"length":11}]}`, inGroup("😀 , tea")},
		{"a mention in front", `"message":{"message_id":1,` + group + `,"text":"@newsie_bot: tea","entities":[{"type":"mention","offset":0,"length":11}]}`, inGroup("tea")},
		{"a mention of another", `"message":{"message_id":1,` + group + `,"text":"@other_bot tea","entities":[{"type":"mention","offset":0,"length":10}]}`, nil},
		{"a mention and nothing more", `"message":{"message_id":1,` + group + `,"text":"@newsie_bot","entities":[{"type":"mention","offset":0,"length":11}]}`, inGroup("")},
		{"entities that do not fit", `"message":{"message_id":1,` + group + `,"text":"@newsie_bot","entities":[{"type":"mention","offset":5,"length":9223372036854775807},{"type":"mention","offset":-1,"length":2}]}`, nil},
		{"a mention by id", `"message":{"message_id":1,` + group + `,"text":"News, tea","entities":[{"type":"text_mention","offset":0,"length":4,"user":{"id":1}}]}`, inGroup("tea")},
		{"a mention in a caption", `"message":{"message_id":1,` + group + `,"photo":[{}],"caption":"@newsie_bot tea","caption_entities":[{"type":"mention","offset":0,"length":11}]}`, inGroup("tea")},
		{"a reply to us", `"message":{"message_id":1,` + group + `,"text":"2","reply_to_message":{"message_id":2,"from":{"id":1},"chat":{"id":-5}}}`, inGroup("2")},
		{"a reply to another", `"message":{"message_id":1,` + group + `,"text":"2","reply_to_message":{"message_id":2,"from":{"id":3},"chat":{"id":-5}}}`, nil},
		{"the first of a topic we opened is no reply", `"message":{"message_id":1,` + group + `,"text":"2","reply_to_message":{"message_id":2,"from":{"id":1},"chat":{"id":-5},"forum_topic_created":{"name":"x"}}}`, nil},
		{"in a topic", `"message":{"message_id":1,"is_topic_message":true,"message_thread_id":44,` + group + `,"text":"/help"}`,
			message(bot.Message{Kind: bot.Text, Chat: at("-5:44"), From: "7", Text: "/help", Lang: "it", Public: true})},
		{"in General", `"message":{"message_id":1,"is_topic_message":true,"message_thread_id":1,` + group + `,"text":"/help"}`, inGroup("/help")},
		{"a thread of replies is no topic", `"message":{"message_id":1,"message_thread_id":44,` + group + `,"text":"/help"}`, inGroup("/help")},
		{"an anonymous administrator", `"message":{"message_id":1,"chat":{"id":-5,"type":"supergroup"},"from":{"id":1087968824,"is_bot":true},"sender_chat":{"id":-5},"date":1000,"text":"/help"}`,
			message(bot.Message{Kind: bot.Text, Chat: at("-5"), From: "-5", Text: "/help", Public: true})},
		{"a post of the linked channel", `"message":{"message_id":1,"is_automatic_forward":true,` + group + `,"text":"/help"}`, nil},

		{"blocked", `"my_chat_member":{` + private + `,"old_chat_member":{"status":"member"},"new_chat_member":{"status":"kicked"}}`, inPrivate(bot.Leave, "")},
		{"unblocked", `"my_chat_member":{` + private + `,"old_chat_member":{"status":"kicked"},"new_chat_member":{"status":"member"}}`, inPrivate(bot.Join, "")},
		{"made an administrator", `"my_chat_member":{` + group + `,"old_chat_member":{"status":"member"},"new_chat_member":{"status":"administrator"}}`, nil},
		{"silenced but still there", `"my_chat_member":{` + group + `,"old_chat_member":{"status":"member"},"new_chat_member":{"status":"restricted","is_member":true}}`, nil},
		{"silenced", `"my_chat_member":{` + group + `,"old_chat_member":{"status":"member"},"new_chat_member":{"status":"restricted","is_member":true,"can_send_messages":false}}`, nil},
		{"may write again", `"my_chat_member":{` + group + `,"old_chat_member":{"status":"restricted","is_member":true,"can_send_messages":false},"new_chat_member":{"status":"member"}}`,
			message(bot.Message{Kind: bot.Join, Chat: at("-5"), From: "7", Lang: "it", Public: true})},
		{"added as an administrator", `"my_chat_member":{` + group + `,"old_chat_member":{"status":"left"},"new_chat_member":{"status":"administrator"}}`,
			message(bot.Message{Kind: bot.Join, Chat: at("-5"), From: "7", Lang: "it", Public: true})},
		{"banned while it was restricted", `"my_chat_member":{` + group + `,"old_chat_member":{"status":"restricted","is_member":true},"new_chat_member":{"status":"kicked"}}`,
			message(bot.Message{Kind: bot.Leave, Chat: at("-5"), From: "7", Lang: "it", Public: true})},
		{"a topic that is open again", `"message":{"message_id":1,"is_topic_message":true,"message_thread_id":44,` + group + `,"forum_topic_reopened":{}}`,
			message(bot.Message{Kind: bot.Join, Chat: at("-5:44"), From: "", Public: true})},
		{"a topic that closes", `"message":{"message_id":1,"is_topic_message":true,"message_thread_id":44,` + group + `,"forum_topic_closed":{}}`, nil},
		{"a group that says it has a new member", `"message":{"message_id":1,` + group + `,"new_chat_members":[{"id":1,"is_bot":true}]}`, nil},
		{"a deep link into a group", `"message":{"message_id":1,` + group + `,"text":"/start@newsie_bot a4711"}`, inGroup("/start a4711")},
		{"a sticker that answers us", `"message":{"message_id":1,` + group + `,"sticker":{},"reply_to_message":{"message_id":2,"from":{"id":1},"chat":{"id":-5}}}`,
			message(bot.Message{Kind: bot.Media, Chat: at("-5"), From: "7", Text: "sticker", Lang: "it", Public: true})},
		{"an edit in a group that is for us", `"edited_message":{"message_id":1,` + group + `,"text":"/search tea"}`,
			message(bot.Message{Kind: bot.Text, Chat: at("-5"), From: "7", Text: "/search tea", Lang: "it", Public: true, Edited: true})},
		{"an edit in a group that is not", `"edited_message":{"message_id":1,` + group + `,"text":"tea"}`, nil},
		{"a tap in a channel", `"callback_query":{"id":"1","from":{"id":7},"message":{"message_id":3,"chat":{"id":-9,"type":"channel"},"date":5},"data":"/read 1"}`, nil},
		{"a comment below a channel's post", `"message":{"message_id":1,"message_thread_id":9,` + group + `,"text":"/search tea","reply_to_message":{"message_id":9,"is_automatic_forward":true,"from":{"id":777000},"chat":{"id":-5}}}`, inGroup("/search tea")},
		{"removed", `"my_chat_member":{` + group + `,"old_chat_member":{"status":"administrator"},"new_chat_member":{"status":"left"}}`,
			message(bot.Message{Kind: bot.Leave, Chat: at("-5"), From: "7", Lang: "it", Public: true})},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, ok, err := telegram.Decode([]byte(`{"update_id":9,` + test.update + `}`))
			if err != nil {
				t.Fatal(err)
			}
			var got *bot.Message
			if ok {
				got = &m
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestUndecodableUpdatesAreErrorsWithoutTheirText(t *testing.T) {
	for _, body := range []string{``, `[]`, `{}`, `{"update_id":0}`, `{"update_id":-3}`, `{"update_id":"x"}`, `{"update_id":5,"message":{"text":{"secret":1}}}`, `{"update_id":1e400}`} {
		_, _, err := telegram.Decode([]byte(body))
		if err == nil {
			t.Errorf("%s was decoded", body)
		}
		if err != nil && len(err.Error()) > 80 {
			t.Errorf("%s: %v", body, err)
		}
	}
}
