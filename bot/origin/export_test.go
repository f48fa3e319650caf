package origin

// Shown is how so many are shown, of so many readers at least.
func Shown(n, first, onOneDay int64) Figure {
	var t tally
	t.n[firstAction], t.fresh[firstAction], t.peak[firstAction] = n, first, onOneDay
	return t.figures().Follows
}
