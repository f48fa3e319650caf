package telegram

import "sync"

const (
	workers = 256 // updates handled at the same time
	ackers  = 32  // callbacks acknowledged at the same time, whatever the others wait for
)

// lanes run the tasks of one chat in order and those of different chats in
// parallel, so many at a time.
type lanes struct {
	slots chan struct{}

	mu      sync.Mutex
	waiting map[string][]func() // a key that is present has a goroutine
	closed  bool
	running sync.WaitGroup
}

func newLanes(width int) *lanes {
	return &lanes{slots: make(chan struct{}, width), waiting: map[string][]func(){}}
}

// do puts a task at the end of a chat's lane; false: the lanes are closed.
func (l *lanes) do(key string, task func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	queue, busy := l.waiting[key]
	l.waiting[key] = append(queue, task)
	if !busy {
		l.running.Add(1)
		go l.run(key)
	}
	return true
}

// size is how many keys have tasks.
func (l *lanes) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
}

func (l *lanes) run(key string) {
	defer l.running.Done()
	for {
		l.mu.Lock()
		queue := l.waiting[key]
		if len(queue) == 0 {
			delete(l.waiting, key)
			l.mu.Unlock()
			return
		}
		task := queue[0]
		l.waiting[key] = queue[1:]
		l.mu.Unlock()
		l.slots <- struct{}{}
		task()
		<-l.slots
	}
}

// wait closes the lanes and returns when every one is empty.
func (l *lanes) wait() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.running.Wait()
}
