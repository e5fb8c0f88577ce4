package picture

import (
	"strings"
	"testing"
	"unicode/utf8"

	"gonum.org/v1/plot/vg"
)

func TestCut(t *testing.T) {
	const room = 100
	for _, text := range []string{"", "short", "a\nb\xff\x00c", strings.Repeat("i", 27), strings.Repeat("W", 9), strings.Repeat("季节", 20), strings.Repeat("long ", 1e4)} {
		got := cut(text, small, room)
		if width(got, small) > room*px {
			t.Errorf("%.20q: %v points, want %v", text, width(got, small), room*px)
		}
		if strings.ContainsAny(got, "\n\x00") || !utf8.ValidString(got) {
			t.Errorf("%.20q: %q", text, got)
		}
		head, isCut := strings.CutSuffix(got, "…")
		if isCut != (width(text, small) > room*px) {
			t.Errorf("%.20q: %q", text, got)
		}
		if next := []rune(strings.TrimPrefix(text, head)); isCut && width(head+string(next[:1])+"…", small) <= room*px {
			t.Errorf("%.20q: %q has room for more", text, got)
		}
	}
	if got := cut("a\nb\xff\x00c", small, room); got != "a b� c" {
		t.Errorf("%q", got)
	}
	for _, text := range []string{"just fits", "Wednesday"} {
		w := width(text, small)
		if got := cut(text, small, int(w/px)+1); got != text {
			t.Errorf("%q becomes %q", text, got)
		}
		if got := cut(text, small, int(w/px)-1); got == text || vg.Length(0) == width(got, small) {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}
