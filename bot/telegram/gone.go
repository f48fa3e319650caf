package telegram

import (
	"context"
	"time"
)

// goneQuiet is how long nothing more is logged of a chat that takes no answer.
const goneQuiet = time.Hour

// gone notes that a chat takes no answers: its digests end until somebody there
// is heard again, as if one of them had been refused. A group that talks on is
// told of once an hour, by whichever replica.
func (s *session) gone(ctx context.Context, in incoming, err error) {
	chat := in.message.Chat
	if s.config.Gone != nil {
		if err := s.config.Gone(ctx, chat); err != nil {
			s.log.Error("a chat that takes no messages keeps its digests", "update", in.update, "error", err)
		}
	}
	_, first, noted := s.config.Settings.Create(ctx, s.bucket()+":gone:"+chat.ID, "", goneQuiet)
	switch {
	case noted == nil && !first:
	case in.message.Public:
		s.log.Warn("the bot may not write in a group: what is asked there stays without an answer", "chat", chat.ID, "error", err)
	default:
		s.log.Info("the reader left before the answer", "update", in.update)
	}
}

// noPictures reports whether a chat takes texts and no pictures.
func noPictures(err error) bool {
	return refused(err, "not enough rights to send photos", "CHAT_SEND_PHOTOS_FORBIDDEN")
}
