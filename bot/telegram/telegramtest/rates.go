package telegramtest

import (
	"math"
	"time"
)

// rates are the platform's: 30 messages in a second over all chats, about one a
// second in a chat with short bursts (here 3 in a second and 3 over the average in
// 20 seconds), 20 a minute in a group. A refused message does not count.
type rates struct {
	all   []time.Time
	chats map[int64][]time.Time
}

// over tells how many seconds a message to the chat must wait; 0: it may go.
func (r *rates) over(chat *Chat, now time.Time) int {
	wait := excess(&r.all, now, 30, time.Second)
	sent := r.chats[chat.ID]
	limit, window := 23, 20*time.Second
	if chat.Type != "private" {
		limit, window = 20, time.Minute
	}
	wait = max(wait, excess(&sent, now, limit, window), excessOf(sent, now, 3, time.Second))
	r.chats[chat.ID] = sent
	if wait > 0 {
		return max(1, int(math.Ceil(wait.Seconds())))
	}
	r.all = append(r.all, now)
	r.chats[chat.ID] = append(sent, now)
	return 0
}

// excess forgets what is older than the window and tells how long until fewer
// than limit are left in it.
func excess(sent *[]time.Time, now time.Time, limit int, window time.Duration) time.Duration {
	list := *sent
	for len(list) > 0 && now.Sub(list[0]) >= window {
		list = list[1:]
	}
	*sent = list
	return excessOf(list, now, limit, window)
}

func excessOf(list []time.Time, now time.Time, limit int, window time.Duration) time.Duration {
	if len(list) < limit {
		return 0
	}
	return max(0, window-now.Sub(list[len(list)-limit]))
}
