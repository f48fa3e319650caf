package content

import "newsie/content/index"

// SetSynonyms makes s the publisher's synonyms from the next search on; nil is
// none. Answers and topics use them.
func (l *Library) SetSynonyms(s *index.Synonyms) { l.index.SetSynonyms(s) }
