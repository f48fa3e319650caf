package telegramtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

type params map[string]string

// A method checks a call and does it, under the lock. What takes long is
// brought by load before, under no lock.
type method struct {
	allowed map[string]bool // the parameters it knows
	run     func(s *Server, p params) (any, *refusal)

	load  func(s *Server, ctx context.Context, p params, got *loaded)
	media func(s *Server, p params, got loaded) (any, *refusal) // instead of run
}

const (
	sending = "chat_id message_thread_id disable_notification allow_paid_broadcast protect_content reply_parameters reply_markup "
	editing = "chat_id message_id inline_message_id reply_markup "
)

func methods(rich bool) map[string]method {
	all := map[string]method{}
	add := func(name, allowed string, run func(s *Server, p params) (any, *refusal)) {
		all[name] = method{allowed: set(allowed), run: run}
	}
	add("getMe", "", (*Server).getMe)
	add("sendMessage", sending+"text parse_mode entities link_preview_options", (*Server).sendMessage)
	add("editMessageCaption", editing+"caption parse_mode caption_entities show_caption_above_media", (*Server).editMessageCaption)
	add("editMessageReplyMarkup", editing, (*Server).editMessageReplyMarkup)
	add("deleteMessage", "chat_id message_id", (*Server).deleteMessage)
	add("answerCallbackQuery", "callback_query_id text show_alert url cache_time", (*Server).answerCallback)
	add("answerInlineQuery", "inline_query_id results cache_time is_personal next_offset button", (*Server).answerInlineQuery)
	add("sendChatAction", "chat_id message_thread_id action", (*Server).chatAction)
	add("setMyCommands", "commands scope language_code", (*Server).setMyCommands)
	add("getMyCommands", "scope language_code", (*Server).getMyCommands)
	add("deleteMyCommands", "scope language_code", (*Server).deleteMyCommands)
	add("getChat", "chat_id", (*Server).getChat)
	add("getChatMember", "chat_id user_id", (*Server).getChatMember)
	add("getChatAdministrators", "chat_id", (*Server).getChatAdministrators)
	add("setWebhook", "url secret_token allowed_updates max_connections drop_pending_updates", (*Server).setWebhook)
	add("deleteWebhook", "drop_pending_updates", (*Server).deleteWebhook)
	add("getWebhookInfo", "", (*Server).webhookInfo)
	all["getUpdates"] = method{allowed: set("offset limit timeout allowed_updates")}
	all["sendPhoto"] = method{
		allowed: set(sending + "photo caption parse_mode caption_entities show_caption_above_media has_spoiler"),
		load:    func(s *Server, ctx context.Context, p params, got *loaded) { s.load(ctx, got, p["photo"]) },
		media:   (*Server).sendPhoto,
	}
	all["editMessageText"] = method{
		allowed: set(editing + "text parse_mode entities link_preview_options rich_message"),
		load:    (*Server).loadRich, media: (*Server).editMessageText,
	}
	if rich {
		all["sendRichMessage"] = method{allowed: set(sending + "rich_message"), load: (*Server).loadRich, media: (*Server).sendRichMessage}
	}
	all["editMessageMedia"] = method{allowed: set(editing + "media"), load: (*Server).loadMedia, media: (*Server).editMessageMedia}
	return all
}

func set(names string) map[string]bool {
	all := map[string]bool{}
	for _, name := range strings.Fields(names) {
		all[name] = true
	}
	return all
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	token, name, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/bot"), "/")
	if !ok || !strings.HasPrefix(r.URL.Path, "/bot") || !strings.Contains(token, ":") {
		respond(w, nil, &refusal{code: 404, words: "Not Found"})
		return
	}
	if s.Token() != token {
		respond(w, nil, &refusal{code: 401, words: "Unauthorized"})
		return
	}
	p, got, refused := read(w, r)
	if refused != nil {
		respond(w, nil, refused)
		return
	}
	if s.options.Latency > 0 {
		select {
		case <-time.After(s.options.Latency):
		case <-s.stop:
		}
	}
	fault := s.nextFault(name)
	if fault == "" {
		fault = s.chaos(r.Context())
	}
	s.breaks(name, fault)
	if fault.before(w, r, s.stop) {
		return
	}
	result, refused := s.run(r, name, p, got)
	if fault == ResetAfter {
		hangUp(w)
		return
	}
	respond(w, result, refused)
}

// read takes the parameters and files of a call.
func read(w http.ResponseWriter, r *http.Request) (params, loaded, *refusal) {
	var got loaded
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "multipart/form-data" {
		r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
		if err := r.ParseMultipartForm(maxUpload); err != nil {
			return nil, got, tooLarge()
		}
		got.files = map[string][]byte{}
		for name, files := range r.MultipartForm.File {
			f, err := files[0].Open()
			if err != nil {
				return nil, got, bad("can't read the file %q", name)
			}
			data, err := io.ReadAll(f)
			_ = f.Close()
			if err != nil {
				return nil, got, bad("can't read the file %q", name)
			}
			got.files[name] = data
		}
		return first(r.MultipartForm.Value), got, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, got, tooLarge()
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, got, bad("can't parse the request")
	}
	return first(form), got, nil
}

const (
	maxBody   = 1 << 20
	maxUpload = 50 << 20
)

func tooLarge() *refusal { return &refusal{code: 413, words: "Request Entity Too Large"} }

func first(form map[string][]string) params {
	p := make(params, len(form))
	for key, values := range form {
		p[key] = values[0]
	}
	return p
}

// run does what a call asks for and keeps the call. Both happen under one lock:
// who sees what the bot did finds the call as well.
func (s *Server) run(r *http.Request, name string, p params, got loaded) (result any, refused *refusal) {
	m, refused := s.method(name, p)
	if refused == nil && name == "getUpdates" {
		result, refused = s.getUpdates(r, p)
	}
	if refused == nil && m.load != nil {
		m.load(s, r.Context(), p, &got)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.wake()
	switch {
	case refused != nil:
	case m.media != nil:
		result, refused = m.media(s, p, got)
	case m.run != nil:
		result, refused = m.run(s, p)
	}
	s.record(name, p, refused)
	return result, refused
}

// method finds a call's method and refuses parameters that it does not have.
func (s *Server) method(name string, p params) (method, *refusal) {
	m, ok := s.methods[name]
	if !ok {
		return m, &refusal{code: 404, words: "Not Found"}
	}
	for key := range p {
		if !m.allowed[key] {
			return m, bad("unknown parameter %q", key)
		}
	}
	return m, nil
}

// record keeps a call; the lock is held.
func (s *Server) record(name string, p params, refused *refusal) {
	code := 200
	if refused != nil {
		code = refused.code
	}
	if code == http.StatusTooManyRequests {
		s.meter.TooMany++
	}
	if !s.options.NoCalls {
		s.calls = append(s.calls, Call{Method: name, Params: p, At: s.options.Now(), Code: code})
	}
}

type answer struct {
	OK     bool              `json:"ok"`
	Result any               `json:"result,omitempty"`
	Code   int               `json:"error_code,omitempty"`
	Words  string            `json:"description,omitempty"`
	More   *answerParameters `json:"parameters,omitempty"`
}

type answerParameters struct {
	RetryAfter int   `json:"retry_after,omitempty"`
	MigrateTo  int64 `json:"migrate_to_chat_id,omitempty"`
}

func respond(w http.ResponseWriter, result any, refused *refusal) {
	answer := answer{OK: refused == nil, Result: result}
	code := http.StatusOK
	if refused != nil {
		code = refused.code
		answer.Result, answer.Code, answer.Words = nil, refused.code, refused.words
		if refused.retryAfter > 0 || refused.migrateTo != 0 {
			answer.More = &answerParameters{refused.retryAfter, refused.migrateTo}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(answer)
}

// strict decodes JSON in which every field must be known.
func strict(text string, into any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return fmt.Errorf("something follows the value")
	}
	return nil
}

func integer(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}
