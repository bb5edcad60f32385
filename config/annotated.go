package config

import (
	"fmt"
	"strings"
)

const width = 78 // columns of the annotated file's comments

// Annotated returns the whole file with every setting at its default, what it
// is for, its unit and its name in the environment. Read back, it changes
// nothing.
func Annotated() string {
	var b strings.Builder
	b.WriteString("# Roamline's configuration. Every setting is here, at its default: keep the\n" +
		"# lines that you change, and leave out the rest. The environment overrides the\n" +
		"# file, under the name given beside each setting; lists are then separated by\n" +
		"# commas. Durations are written like \"30s\", \"5m\", \"8h\".\n")
	section := ""
	for _, s := range settings {
		in := ""
		if dot := strings.LastIndex(s.key, "."); dot > 0 {
			in = s.key[:dot]
		}
		if in != section {
			section = in
			fmt.Fprintf(&b, "\n[%s]\n", section)
		}
		b.WriteString("\n")
		comment(&b, s.about)
		fmt.Fprintf(&b, "# (%s; %s)\n", s.unit, s.name())
		fmt.Fprintf(&b, "%s = %s\n", last(s.key), s.initial)
	}
	return b.String()
}

// comment writes text as lines of at most width columns.
func comment(b *strings.Builder, text string) {
	line := "#"
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > width {
			b.WriteString(line + "\n")
			line = "#"
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
}
