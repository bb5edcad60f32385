package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"
)

// An entry is one line of a call's story, as the API gives it.
type entry struct {
	At   time.Time `json:"at"`
	Leg  string    `json:"leg,omitempty"`
	Kind string    `json:"kind"` // "sip", "event", "route", "who", "voice"
	From string    `json:"from,omitempty"`
	To   string    `json:"to,omitempty"`
	Text string    `json:"text"`
	Body string    `json:"body,omitempty"`
}

// tell prints a story, each line with its time since the first. With ladder,
// SIP messages become arrows between columns, one for each party.
func tell(out io.Writer, story []entry, ladder, full bool) {
	if len(story) == 0 {
		return
	}
	parties := columnsOf(story)
	if !ladder {
		parties = nil
	}
	start := story[0].At
	fmt.Fprintf(out, "\n%s\n", start.Local().Format("2006-01-02 15:04:05.000"))
	if len(parties) > 0 {
		fmt.Fprintf(out, "%10s  %s\n", "", heads(parties))
	}
	for _, e := range story {
		line := rail(parties) + marker(e) + oneLine(e.Text)
		if e.Kind == "sip" {
			line = arrow(parties, e)
		}
		fmt.Fprintf(out, "%+9.3fs  %s\n", e.At.Sub(start).Seconds(), strings.TrimRight(line, " "))
		if full && e.Body != "" {
			for body := range strings.Lines(e.Body) {
				fmt.Fprintf(out, "%10s  %s    %s\n", "", rail(parties), oneLine(strings.TrimRight(body, "\r\n")))
			}
		}
	}
}

func marker(e entry) string {
	if e.Leg == "" {
		return fmt.Sprintf("%-6s ", e.Kind)
	}
	return fmt.Sprintf("%-6s %s: ", e.Kind, e.Leg)
}

const (
	columnWidth = 34
	maxColumns  = 6 // parties beyond share the last column
)

// columnsOf returns the parties of the SIP messages in order, with the server
// between the first and the others, as calls go.
func columnsOf(story []entry) []string {
	var parties []string
	for _, e := range story {
		if e.Kind != "sip" {
			continue
		}
		for _, p := range []string{e.From, e.To} {
			if !slices.Contains(parties, p) && len(parties) < maxColumns {
				parties = append(parties, p)
			}
		}
	}
	return parties
}

// heads centres each party's name over its rail.
func heads(parties []string) string {
	var b strings.Builder
	for i, p := range parties {
		p = cut(oneLine(p), columnWidth-2)
		at := i*columnWidth + columnWidth/2 - utf8.RuneCountInString(p)/2
		b.WriteString(strings.Repeat(" ", max(1, at-utf8.RuneCountInString(b.String()))) + p)
	}
	return b.String()
}

func cut(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-1]) + "…"
}

func middle(column int) int { return column*columnWidth + columnWidth/2 }

// rail draws the parties' lines, for what is no message.
func rail(parties []string) string {
	if len(parties) == 0 {
		return ""
	}
	return string(rails(parties)) + " "
}

func rails(parties []string) []rune {
	line := []rune(strings.Repeat(" ", middle(len(parties)-1)+columnWidth/2))
	for i := range parties {
		line[middle(i)] = '|'
	}
	return line
}

// arrow draws a message from one rail to another, its text upon it.
func arrow(parties []string, e entry) string {
	if len(parties) == 0 {
		return fmt.Sprintf("%-6s %s -> %s: %s", e.Kind, oneLine(e.From), oneLine(e.To), oneLine(e.Text))
	}
	from, to := column1(parties, e.From), column1(parties, e.To)
	line := rails(parties)
	if from == to {
		return string(line) + " " + oneLine(e.Text)
	}
	left, right := middle(min(from, to)), middle(max(from, to))
	for i := left + 1; i < right; i++ {
		line[i] = '-'
	}
	if from < to {
		line[right-1] = '>'
	} else {
		line[left+1] = '<'
	}
	text := []rune(" " + cut(oneLine(e.Text), right-left-7) + " ")
	copy(line[left+(right-left-len(text))/2+1:], text)
	return string(line)
}

// column1 returns the column of a party; those beyond maxColumns share the last.
func column1(parties []string, p string) int {
	if i := slices.Index(parties, p); i >= 0 {
		return i
	}
	return len(parties) - 1
}

// figures prints what is known of each leg's voice.
func figures(out io.Writer, call record) {
	legs, _ := call["legs"].([]any)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	head := "\nLEG\tAT\tCODEC\tRECEIVED\tLOST\tJITTER\tSENT\tFAR LOST\tROUND TRIP\n"
	for _, one := range legs {
		leg, _ := one.(record)
		v, ok := leg["figures"].(record) // of a running call
		if !ok {
			v, ok = leg["voice"].(record) // of a record
		}
		if !ok {
			continue
		}
		at := str(leg, "clientName") + str(leg, "trunkName")
		fmt.Fprintf(t, "%s%s\t%s\t%s\t%s\t%s\t%s ms\t%s\t%s\t%s ms\n", head, str(leg, "id")+str(leg, "leg"), oneLine(at), show(v["codec"]), show(v["received"]),
			show(v["lost"]), tenths(v["jitterMs"]), show(v["sent"]), show(v["farLost"]), tenths(v["roundTripMs"]))
		head = ""
	}
	t.Flush()
	if c := str(call, "cause"); c != "" {
		fmt.Fprintf(out, "\nEnded: %s%s\n", c, endedBy(call))
	}
}

func tenths(v any) string {
	ms, _ := v.(float64)
	return strconv.FormatFloat(ms, 'f', 1, 64)
}

func endedBy(call record) string {
	if by := str(call, "endedBy"); by != "" {
		return ", by the " + by
	}
	return ""
}
