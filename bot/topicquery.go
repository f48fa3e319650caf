package bot

// TopicQuery is a topic as follows keep it: folded, "*" for everything.
func TopicQuery(topic string) string {
	query := plain(unquote(topic))
	if isEverything(query) {
		return "*"
	}
	return query
}
