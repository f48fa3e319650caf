package telegram

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"
)

// An account is what is known of the bot's public name.
type account struct {
	mu     sync.Mutex
	name   string    // "" is not known
	looked time.Time // when the settings had none
}

var payloadShape = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// DeepLink is the address that opens the bot and, once the reader presses
// Start, has it hear "/start PAYLOAD". It is "" for a payload that is not 1 to
// 64 of A-Z a-z 0-9 _ -, and while the bot's name is not known: Run learns it,
// and the settings keep it for the next start and for other processes.
func (c *Channel) DeepLink(payload string) string {
	if !payloadShape.MatchString(payload) {
		return ""
	}
	name := c.username()
	if name == "" {
		return ""
	}
	return "https://t.me/" + name + "?start=" + payload
}

// usernameKey holds the bot's id, which every token begins with: another bot's
// name is not taken for this one's after the token changed.
func (c *Channel) usernameKey() string {
	id, _, _ := strings.Cut(c.config.Token, ":")
	return c.bucket() + ":username:" + id
}

// username is the bot's name as far as it is known; it asks the settings at
// most every ten seconds.
func (c *Channel) username() string {
	c.account.mu.Lock()
	defer c.account.mu.Unlock()
	now := c.config.Now()
	if c.account.name != "" || !c.account.looked.IsZero() && now.Sub(c.account.looked) < 10*time.Second {
		return c.account.name
	}
	c.account.looked = now
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	kept, _, err := c.config.Settings.Load(ctx, c.usernameKey())
	if err != nil {
		c.log.Warn("links into the bot are left out", "error", err)
		return ""
	}
	c.account.name = kept
	return kept
}

// remember keeps what getMe told.
func (c *Channel) remember(ctx context.Context, me user) {
	if me.Username == "" || me.Username == c.username() {
		return
	}
	c.account.mu.Lock()
	c.account.name = me.Username
	c.account.mu.Unlock()
	if err := c.config.Settings.Save(ctx, c.usernameKey(), me.Username, 0); err != nil {
		c.log.Warn("other processes do not know the bot's name yet", "error", err)
	}
}

// Learn asks for the bot's name if it is not known, so that DeepLink has it.
func (c *Channel) Learn(ctx context.Context) error {
	if c.username() != "" {
		return nil
	}
	var me user
	if err := c.client.call(ctx, "getMe", nil, sendTimeout, &me); err != nil {
		return fmt.Errorf("ask for the bot's name: %w", err)
	}
	c.remember(ctx, me)
	return nil
}
