package bot

// A Finding is one line of `newsie doctor`.
type Finding struct {
	OK     bool
	What   string // what was looked at and what was found
	Advice string // what to do about it; "" when OK
}
