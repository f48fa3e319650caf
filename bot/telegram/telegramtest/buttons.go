package telegramtest

import (
	"strings"
	"unicode/utf8"
)

// A Button is one key of an inline keyboard.
type Button struct {
	Text  string    `json:"text"`
	Data  string    `json:"callback_data,omitempty"`
	URL   string    `json:"url,omitempty"`
	Copy  *CopyText `json:"copy_text,omitempty"`
	Style string    `json:"style,omitempty"` // danger, success or primary

	Switch     *string   `json:"switch_inline_query,omitempty"`              // "@bot …" in a chat that the reader chooses
	SwitchHere *string   `json:"switch_inline_query_current_chat,omitempty"` // in this one
	SwitchTo   *SwitchTo `json:"switch_inline_query_chosen_chat,omitempty"`  // in one of some kinds
}

// CopyText is what a button puts on the clipboard.
type CopyText struct {
	Text string `json:"text"`
}

// SwitchTo says in which chats a button starts inline mode.
type SwitchTo struct {
	Query    string `json:"query,omitempty"`
	Users    bool   `json:"allow_user_chats,omitempty"`
	Bots     bool   `json:"allow_bot_chats,omitempty"`
	Groups   bool   `json:"allow_group_chats,omitempty"`
	Channels bool   `json:"allow_channel_chats,omitempty"`
}

const (
	maxData        = 64  // bytes
	maxCopy        = 256 // characters
	maxRowButtons  = 8
	maxAllButtons  = 100
	unparsableKeys = "can't parse inline keyboard button: "
)

func markup(text string) ([][]Button, *refusal) {
	if text == "" {
		return nil, nil
	}
	var keyboard keyboardMarkup
	if err := strict(text, &keyboard); err != nil {
		return nil, bad("can't parse reply keyboard markup JSON object: %v", err)
	}
	return keyboard.Rows, keyboard.check()
}

type keyboardMarkup struct {
	Rows [][]Button `json:"inline_keyboard"`
}

func (k keyboardMarkup) check() *refusal {
	count := 0
	for _, row := range k.Rows {
		if len(row) > maxRowButtons {
			return bad("REPLY_MARKUP_TOO_LONG")
		}
		for _, b := range row {
			count++
			if refused := b.check(); refused != nil {
				return refused
			}
		}
	}
	if count > maxAllButtons {
		return bad("REPLY_MARKUP_TOO_LONG")
	}
	return nil
}

func (b Button) check() *refusal {
	kinds := 0
	for _, there := range []bool{b.Data != "", b.URL != "", b.Copy != nil, b.Switch != nil, b.SwitchHere != nil, b.SwitchTo != nil} {
		if there {
			kinds++
		}
	}
	switch {
	case strings.TrimSpace(b.Text) == "":
		return bad(unparsableKeys + "Field \"text\" must be of type String and non-empty")
	case kinds == 0:
		return bad(unparsableKeys + "Text buttons are unallowed in the inline keyboard")
	case kinds > 1:
		return bad(unparsableKeys + "more than one kind")
	case len(b.Data) > maxData:
		return bad("BUTTON_DATA_INVALID")
	case b.URL != "" && checkURL(b.URL) == "":
		return bad("inline keyboard button URL '%s' is invalid: Wrong HTTP URL", b.URL)
	case b.Copy != nil && (b.Copy.Text == "" || utf8.RuneCountInString(b.Copy.Text) > maxCopy):
		return bad("BUTTON_COPY_TEXT_INVALID")
	case b.SwitchTo != nil && !b.SwitchTo.Users && !b.SwitchTo.Bots && !b.SwitchTo.Groups && !b.SwitchTo.Channels:
		return bad(unparsableKeys + "At least one chat type must be allowed")
	case b.Style != "" && b.Style != "danger" && b.Style != "success" && b.Style != "primary":
		return bad(unparsableKeys + "invalid button style specified")
	}
	return nil
}

// does is what a button does in the app alone: the address it opens, the text
// it copies, the "@bot query" it types. "": it asks the bot.
func (b Button) does(bot string) string {
	switch {
	case b.Copy != nil:
		return b.Copy.Text
	case b.Switch != nil:
		return "@" + bot + " " + *b.Switch
	case b.SwitchHere != nil:
		return "@" + bot + " " + *b.SwitchHere
	case b.SwitchTo != nil:
		return "@" + bot + " " + b.SwitchTo.Query
	}
	return b.URL
}

// switches reports whether a keyboard needs inline mode.
func switches(rows [][]Button) bool {
	for _, row := range rows {
		for _, b := range row {
			if b.Switch != nil || b.SwitchHere != nil || b.SwitchTo != nil {
				return true
			}
		}
	}
	return false
}
