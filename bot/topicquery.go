package bot

// TopicQuery is a topic as follows keep it: in its one form, "*" for everything.
func TopicQuery(topic string) string {
	query := savedQuery(unquote(topic))
	if isEverything(query) {
		return "*"
	}
	return query
}

// Topic is what somebody wrote as a topic in the form in which it is followed; ok is
// false when it cannot be.
func Topic(text string) (topic string, ok bool) {
	topic = unquote(clean(text))
	return topic, isTopic(topic)
}
