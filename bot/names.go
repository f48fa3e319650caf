package bot

// These names are understood whatever language the reader speaks, so they are
// no catalog's.

// everything are the topics that stand for the whole library.
func everything() []string {
	return []string{"everything", "all", "*", "tutto", "tutti", "全部", "所有", "一切", "everything new", "tutte le novità", "全部新文章"}
}

// switches are what turns something off and on.
func switches() []named {
	return []named{
		{quietOff, []string{"off", "no", "none", "never", "mai", "disattiva", "disattivato", "spento", "关", "关闭", "取消", "不用", "關", "關閉"}},
		{"on", []string{"on", "yes", "sì", "si", "attiva", "attivo", "acceso", "开", "开启", "打开", "開", "開啟", "打開"}},
	}
}

// named is a thing with the names readers give it.
type named struct {
	id    string
	names []string
}

func meaning(table []named, text string) (string, bool) {
	folded := plain(text)
	for _, entry := range table {
		for _, name := range entry.names {
			if folded == plain(name) {
				return entry.id, true
			}
		}
	}
	return "", false
}

// languages are the names of the catalog languages.
func languages() []named {
	return []named{
		{"zh-Hans", []string{"zh-Hans", "zh", "zh-CN", "简体", "简体中文", "简中", "中文", "chinese", "cinese", "simplified chinese", "cinese semplificato"}},
		{"zh-Hant", []string{"zh-Hant", "zh-TW", "zh-HK", "繁體", "繁体", "繁體中文", "繁体中文", "繁中", "正體中文", "traditional chinese", "cinese tradizionale"}},
		{"en", []string{"en", "english", "inglese", "英文", "英语", "英語"}},
		{"it", []string{"it", "italian", "italiano", "意大利语", "義大利文", "意大利文", "意大利語"}},
	}
}

// cities are names of places that are no part of an IANA zone's name.
func cities() []named {
	return []named{
		{"Asia/Shanghai", []string{"北京", "上海", "广州", "深圳", "中国", "china", "beijing", "peking", "pechino", "成都", "杭州"}},
		{"Asia/Hong_Kong", []string{"香港"}},
		{"Asia/Taipei", []string{"台北", "臺北", "台灣", "台湾", "taiwan"}},
		{"Asia/Tokyo", []string{"东京", "東京", "日本"}},
		{"Asia/Seoul", []string{"首尔", "首爾", "서울"}},
		{"Asia/Singapore", []string{"新加坡"}},
		{"Europe/Rome", []string{"roma", "罗马", "羅馬", "milano", "milan", "米兰", "italy", "italia", "意大利"}},
		{"Europe/London", []string{"伦敦", "倫敦", "londra"}},
		{"Europe/Paris", []string{"巴黎", "parigi"}},
		{"Europe/Berlin", []string{"柏林", "berlino"}},
		{"Europe/Moscow", []string{"москва", "莫斯科", "mosca"}},
		{"America/New_York", []string{"纽约", "紐約"}},
		{"America/Los_Angeles", []string{"洛杉矶", "洛杉磯"}},
	}
}
