package bot

// savedQuery folds a topic for comparing it.
func savedQuery(topic string) string { return plain(topic) }

func sameQuery(a, b string) bool { return a == b }
