package demo

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// An entry is one line of a call's story, as the API gives it.
type entry struct {
	At   time.Time `json:"at"`
	Leg  string    `json:"leg"`
	Kind string    `json:"kind"`
	From string    `json:"from"`
	To   string    `json:"to"`
	Text string    `json:"text"`
	Body string    `json:"body"`
}

const lane = 30 // characters between two ends

// ladder draws the messages between the ends, with the server in its place, and
// below them every message in full.
func ladder(entries []entry) []byte {
	var b bytes.Buffer
	if len(entries) == 0 {
		return []byte("The server has no story of this call.\n")
	}
	ends := endsOf(entries)
	began := entries[0].At
	var head strings.Builder
	for _, e := range ends {
		head.WriteString(e + strings.Repeat(" ", max(lane-utf8.RuneCountInString(e), 1)))
	}
	fmt.Fprintf(&b, "%10s  %s\n", "ms", strings.TrimRight(head.String(), " "))
	for _, e := range entries {
		ms := float64(e.At.Sub(began)) / float64(time.Millisecond)
		if e.Kind != "sip" {
			fmt.Fprintf(&b, "%10.1f  %s  · %s\n", ms, lanes(len(ends)), e.Text)
			continue
		}
		fmt.Fprintf(&b, "%10.1f  %s\n", ms, arrow(slices.Index(ends, e.From), slices.Index(ends, e.To), len(ends), e.Text))
	}
	for _, e := range entries {
		if e.Kind == "sip" && e.Body != "" {
			fmt.Fprintf(&b, "\n--- %.1f ms  %s -> %s\n%s\n", float64(e.At.Sub(began))/float64(time.Millisecond), e.From, e.To,
				strings.TrimSpace(strings.ReplaceAll(e.Body, "\r\n", "\n")))
		}
	}
	return b.Bytes()
}

// endsOf returns who speaks, in the order of appearance; the server second.
func endsOf(entries []entry) []string {
	var ends []string
	for _, e := range entries {
		for _, name := range []string{e.From, e.To} {
			if e.Kind == "sip" && !slices.Contains(ends, name) && len(ends) < 8 {
				ends = append(ends, name)
			}
		}
	}
	return ends
}

func lanes(n int) string {
	return strings.TrimRight(strings.Repeat("│"+strings.Repeat(" ", lane-1), n), " ")
}

// arrow draws one message from lane a to lane b.
func arrow(a, b, n int, text string) string {
	row := []rune(strings.Repeat("│"+strings.Repeat(" ", lane-1), n))
	if a < 0 || b < 0 || a == b {
		return strings.TrimRight(string(row), " ") + "  " + text
	}
	left, right := min(a, b)*lane, max(a, b)*lane
	for i := left + 1; i < right; i++ {
		row[i] = '─'
	}
	if b > a {
		row[right-1] = '▶'
	} else {
		row[left+1] = '◀'
	}
	label := []rune(" " + text + " ")
	label = label[:min(len(label), right-left-5)]
	copy(row[left+1+(right-left-1-len(label))/2:], label)
	return strings.TrimRight(string(row), " ")
}
