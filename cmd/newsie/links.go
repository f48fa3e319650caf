package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"time"

	"newsie/bot"
)

// linkKeySetting names the key by which readers are named and links are signed.
const linkKeySetting = "links.key"

// linkKey is that key, which is made once: replicas share it, and links that are
// in chats hold as long as it is kept.
func (in *installation) linkKey(ctx context.Context) ([]byte, error) {
	fresh := make([]byte, 32)
	_, _ = rand.Read(fresh) // it never fails
	kept, _, err := bot.NewSettings(in.db, time.Now).Create(ctx, linkKeySetting, base64.StdEncoding.EncodeToString(fresh), 0)
	if err != nil {
		return nil, fmt.Errorf("make the key of links: %w", err)
	}
	key, err := base64.StdEncoding.DecodeString(kept)
	if err != nil || len(key) < 16 {
		return nil, fmt.Errorf("the setting %s is damaged: restore it from a backup, or delete it to have a new one made (links that readers have lead nowhere then)", linkKeySetting)
	}
	return key, nil
}
