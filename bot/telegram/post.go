package telegram

import (
	"errors"
	"fmt"
	"strings"

	"newsie/bot"
)

// postError says what a failed post to a channel or group means. An audience's
// new id is an audience too, and where the bot may not write, only who looks
// after the channel can help: the error tells how.
func postError(err error, to bot.ChatID) error {
	var moved *bot.MovedError
	switch {
	case !to.Audience():
		return err
	case errors.As(err, &moved):
		moved.To.ID = bot.Everybody + moved.To.ID
		return err
	case refused(err, "message thread not found", "TOPIC_DELETED"):
		return fmt.Errorf("%w; the forum's topic was deleted: take its number out of posts, or put another one in", err)
	case errors.Is(err, bot.ErrGone):
		return fmt.Errorf("%w; %s", err, postAdvice)
	case refused(err, "need administrator rights", "not enough rights", "CHAT_ADMIN_REQUIRED", "CHAT_WRITE_FORBIDDEN", "have no rights to send a message"):
		return fmt.Errorf("%w: %w; %s", bot.ErrGone, err, postAdvice)
	}
	return err
}

const postAdvice = "make the bot an administrator there who may post messages, and see newsie doctor"

// address is a chat without the mark of an audience.
func address(to bot.ChatID) string { return strings.TrimPrefix(to.ID, bot.Everybody) }
