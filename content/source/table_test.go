package source_test

import (
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"

	"newsie/content/source"
)

// Tables are short, and of names more than of words.
func TestDecodeATable(t *testing.T) {
	for name, tt := range map[string]struct {
		encoding encoding.Encoding
		text     string
	}{
		"UTF-8 with a mark": {unicode.UTF8BOM, "name,parent\n南京路店,华东\n"},
		"Excel's Unicode":   {unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "name\tparent\n南京路店\t华东\n"},
		"GBK":               {simplifiedchinese.GBK, "name,parent,welcome\n上海,,\n南京路店,上海,欢迎光临！\n淮海路店,上海,\n徐家汇店,上海,\n"},
		"GBK, one name":     {simplifiedchinese.GBK, "name\n南京路店\n"},
		"GBK, names alone":  {simplifiedchinese.GBK, "name,parent\n华东,\n浦东机场店,华东\n西湖银泰店,华东\n观前街店,华东\n"},
		"Big5":              {traditionalchinese.Big5, "name,parent\n台北,\n信義門市,台北\n忠孝東路店,台北\n士林夜市店,台北\n"},
		"Western":           {charmap.Windows1252, "name;parent\nCittà di Castello;\nCaffè Perù;Città di Castello\n"},
		"Western, German":   {charmap.Windows1252, "name;parent\nMünchen;\nGrünwald;München\nGroße Straße;München\n"},
		"Polish":            {charmap.Windows1250, "name;parent\nŁódź;\nPiotrkowska – księgarnia;Łódź\n"},
	} {
		data, err := tt.encoding.NewEncoder().Bytes([]byte(tt.text))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := source.Decode(data, ""); err != nil || got != tt.text {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, tt.text)
		}
	}
}

// Where there is too little to tell an encoding by, it is said.
func TestDecodeWhatIsSaid(t *testing.T) {
	for name, tt := range map[string]struct {
		encoding encoding.Encoding
		text     string
	}{
		"gbk":          {simplifiedchinese.GBK, "name,parent,code\nTea House 茶馆,,th\nShop 12 豫园,Tea House 茶馆,s12\n"},
		"Windows-1252": {charmap.Windows1252, "name;notes\nShop 1;da 5 €\n"},
		"big5":         {unicode.UTF8, "name\n南京路店\n"}, // which it is not
	} {
		data, err := tt.encoding.NewEncoder().Bytes([]byte(tt.text))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := source.Decode(data, name); err != nil || got != tt.text {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, tt.text)
		}
		if !source.Encoding(name) || source.Encoding(name+"x") {
			t.Errorf("%s is no encoding, or %sx is one", name, name)
		}
	}
}
