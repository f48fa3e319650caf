package bot

// TopicQuery is a topic as follows keep it: in its one form, "*" for everything.
func TopicQuery(topic string) string {
	query := savedQuery(unquote(topic))
	if isEverything(query) {
		return "*"
	}
	return query
}
