package wechattest

import "net/http"

// publish puts a draft online without telling followers. The platform needs a
// moment for it and tells the result as an event; here it is done at once.
func (s *Server) publish(r *http.Request) any {
	id, ok := s.mediaID(r)
	if !ok {
		return 47001
	}
	d, ok := s.draft(id)
	if !ok {
		return 40007
	}
	article := "ARTICLE_" + s.serial()
	s.published[article] = s.newsOf(d, article)
	s.dropDraft(id)
	s.queue(event{massHelper, "PUBLISHJOBFINISH", "<PublishEventInfo>" + element("publish_id", s.serial()) +
		number("publish_status", 0) + element("article_id", article) + "</PublishEventInfo>"})
	return s.success(map[string]any{"publish_id": article, "msg_data_id": s.messageID})
}
