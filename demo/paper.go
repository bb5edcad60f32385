package demo

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// A paper is what a story is written on: a line a happening, with the time at
// the left and the figure at the right.
type paper struct {
	w      io.Writer
	began  time.Time
	colour bool
}

const paperWidth = 79

func newPaper(w io.Writer) *paper {
	p := &paper{w: w, began: time.Now()}
	if f, ok := w.(*os.File); ok && os.Getenv("NO_COLOR") == "" {
		if st, err := f.Stat(); err == nil {
			p.colour = st.Mode()&os.ModeCharDevice != 0
		}
	}
	fmt.Fprintf(w, "\n  %s\n\n", p.bold("A phone line that follows the person"))
	return p
}

func (p *paper) code(code, s string) string {
	if !p.colour {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p *paper) bold(s string) string  { return p.code("1", s) }
func (p *paper) quiet(s string) string { return p.code("2", s) }

// mark is a tick or a cross.
func (p *paper) mark(good bool) string {
	if good {
		return p.code("32", "✓")
	}
	return p.code("31", "✗")
}

func (p *paper) line(format string, a ...any) { p.figure(fmt.Sprintf(format, a...), "") }

// figure writes a line with a figure at its right.
func (p *paper) figure(text, figure string) {
	at := fmt.Sprintf("%6.2f s", time.Since(p.began).Seconds())
	if figure == "" {
		fmt.Fprintf(p.w, "  %s  %s\n", p.quiet(at), text)
		return
	}
	gap := max(paperWidth-len(at)-utf8.RuneCountInString(text)-utf8.RuneCountInString(figure)-4, 1)
	fmt.Fprintf(p.w, "  %s  %s%s%s\n", p.quiet(at), text, strings.Repeat(" ", gap), figure)
}

// scene writes what both ends heard.
func (p *paper) scene(s *scene, other string) {
	for _, w := range s.Ways {
		route := fmt.Sprintf("%s → %s", first(w.Of), first(w.To))
		pad := strings.Repeat(" ", max(18-utf8.RuneCountInString(route), 0))
		fmt.Fprintf(p.w, "            %s %s%s tone %4.0f Hz, words %3.0f %%   %s  %s late  %d lost\n", p.mark(w.heard()), route, pad,
			w.Hz, 100*w.Likeness, w.Codec, millis(w.Delay), w.Lost)
	}
	word := "stayed silent"
	if !s.OnlyHere {
		word = "rang too"
	}
	fmt.Fprintf(p.w, "            %s %s %s\n", p.mark(s.OnlyHere), other, word)
}

func first(name string) string {
	word, _, _ := strings.Cut(name, " ")
	return word
}

// verdict ends the story.
func (p *paper) verdict(good bool, err error, folder string) {
	word := "Every voice was heard, and only where Ana was."
	if !good {
		word = "Not every voice was heard."
	}
	if err != nil {
		word = "The story broke off: " + err.Error()
	}
	fmt.Fprintf(p.w, "\n  %s %s\n", p.mark(good), p.bold(word))
	fmt.Fprintf(p.w, "    Recordings, SIP ladders and figures: %s\n\n", folder)
}

// millis writes d in milliseconds, as exactly as a reader cares.
func millis(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	if ms < 10 {
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.0f ms", ms)
}
