package config

import (
	"errors"
	"fmt"
	"strings"

	gotoml "github.com/pelletier/go-toml/v2"

	"github.com/roamline/roamline"
)

// problems are all that is wrong, so that one look at the file mends it.
type problems []string

func invalid(p problems) error {
	return &roamline.Error{Op: "config.Load", Kind: roamline.Invalid, Err: errors.New(strings.Join(p, "\n  "))}
}

// syntax says where a file stops being TOML.
func syntax(path string, err error) string {
	var bad *gotoml.DecodeError
	if errors.As(err, &bad) {
		row, column := bad.Position()
		return fmt.Sprintf("%scolumn %d: this is not TOML: %s", at(path, row), column, strings.TrimPrefix(bad.Error(), "toml: "))
	}
	return at(path, 0) + "this is not TOML: " + err.Error()
}

// at begins a message with the place in the file; line 0 is unknown.
func at(path string, line int) string {
	switch {
	case path == "":
		return ""
	case line == 0:
		return path + ": "
	}
	return fmt.Sprintf("%s:%d: ", path, line)
}

// lineOf finds the line on which key is set; 0 if it is written in a way that
// this does not follow (inline tables). Only messages depend on it.
func lineOf(data []byte, key string) int {
	section, n := "", 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			if name, _, ok := strings.Cut(strings.Trim(line, "["), "]"); ok {
				section = strings.TrimSpace(name) + "."
			}
			if section == key+"." {
				return n
			}
			continue
		}
		name, _, ok := strings.Cut(line, "=")
		if full := section + strings.TrimSpace(name); ok && full == key || ok && strings.HasPrefix(key, full+".") {
			return n
		}
	}
	return 0
}

// last returns the last part of a key, as it is written inside its section.
func last(key string) string { return key[strings.LastIndex(key, ".")+1:] }

// plain returns a TOML value as the environment would hold it.
func plain(value string) string {
	return strings.NewReplacer(`"`, "", "[", "", "]", "", ", ", ",").Replace(value)
}

// nearest returns the value of the key that is spelled most like name; empty
// if none is near. A key's last part counts too, so that "listen" finds
// "http.listen".
func nearest(name string, known map[string]string) string {
	best, found := len(name)/2+1, ""
	for key, value := range known {
		d := distance(name, key)
		if last(key) == last(name) {
			d = min(d, 2)
		}
		if d < best || d == best && found != "" && value < found {
			best, found = d, value
		}
	}
	return found
}

// distance counts the letters to insert, remove or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
