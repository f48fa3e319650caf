package telegram

// beginInline starts the answer to a query of inline mode.
func (s *session) beginInline(update) { s.count("update_ignored") }
