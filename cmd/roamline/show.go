package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

// with opens the API, lets do speak it, and closes it.
func (w *world) with(ctx context.Context, do func(*api) error) (err error) {
	a, err := w.open(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if bad := a.close(); err == nil {
			err = bad
		}
	}()
	return do(a)
}

// asJSON prints v indented.
func (w *world) asJSON(v any) error {
	e := json.NewEncoder(w.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// done says in one line what happened, or prints what it happened to.
func (w *world) done(v any, format string, args ...any) error {
	if w.options.JSON {
		return w.asJSON(v)
	}
	_, err := fmt.Fprintf(w.out, format+"\n", args...)
	return err
}

// A column is one of a table; its text is made of a record.
type column struct {
	title string
	text  func(record) string
}

func field(title, name string) column {
	return column{title, func(r record) string { return show(r[name]) }}
}

// table prints records as a table, or as JSON if that is asked for.
func (w *world) table(records []record, none string, columns ...column) error {
	if w.options.JSON {
		if records == nil {
			records = []record{}
		}
		return w.asJSON(records)
	}
	if len(records) == 0 {
		_, err := fmt.Fprintln(w.out, none)
		return err
	}
	t := tabwriter.NewWriter(w.out, 0, 0, 2, ' ', 0)
	var line []string
	for _, c := range columns {
		line = append(line, c.title)
	}
	fmt.Fprintln(t, strings.Join(line, "\t"))
	for _, r := range records {
		line = line[:0]
		for _, c := range columns {
			line = append(line, oneLine(c.text(r)))
		}
		fmt.Fprintln(t, strings.TrimRight(strings.Join(line, "\t"), "\t "))
	}
	return t.Flush()
}

// sheet prints one record, a field a line, in the given order; empty ones are
// left out.
func (w *world) sheet(r record, columns ...column) error {
	if w.options.JSON {
		return w.asJSON(r)
	}
	t := tabwriter.NewWriter(w.out, 0, 0, 2, ' ', 0)
	for _, c := range columns {
		if s := c.text(r); s != "" && s != "-" {
			fmt.Fprintf(t, "%s\t%s\n", c.title, oneLine(s))
		}
	}
	return t.Flush()
}

// show makes a JSON value readable. Times are local, to the second.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case string:
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return t.Local().Format("2006-01-02 15:04:05")
		}
		if v == "" {
			return "-"
		}
		return v
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case []any:
		var parts []string
		for _, item := range v {
			parts = append(parts, show(item))
		}
		if len(parts) == 0 {
			return "-"
		}
		return strings.Join(parts, ", ")
	}
	return fmt.Sprint(v)
}

// oneLine keeps a name from a caller out of the terminal's control.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}

const maxSecret = 4096 // bytes

// secret gets a secret: from file ("-": standard input), else by asking twice
// on the terminal, else from standard input. Only its first line counts.
func (w *world) secret(what, file string) (string, error) {
	var from io.Reader = w.in
	switch {
	case file != "" && file != "-":
		f, err := os.Open(file)
		if err != nil {
			return "", err
		}
		defer f.Close()
		from = f
	case file == "" && w.readHidden != nil:
		return w.ask(what)
	}
	b, err := io.ReadAll(io.LimitReader(from, maxSecret))
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", &failure{why: "no " + what + " was given", todo: "Write it as the first line of standard input or of the file"}
	}
	return line, nil
}

func (w *world) ask(what string) (string, error) {
	one, err := w.readHidden(strings.ToUpper(what[:1]) + what[1:] + ": ")
	if err != nil {
		return "", err
	}
	two, err := w.readHidden("Again: ")
	switch {
	case err != nil:
		return "", err
	case one != two:
		return "", &failure{why: "the two were not the same", todo: "Try again"}
	case one == "":
		return "", &failure{why: "it was empty", todo: "Try again"}
	}
	return one, nil
}
