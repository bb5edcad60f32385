package check

import (
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"
)

var (
	cited  = regexp.MustCompile(`\bRFC[ -]?(\d{3,5})\b`)
	listed = regexp.MustCompile(`(?m)^\| (\d{3,5}) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$`)
)

func TestEveryCitedRFCIsListed(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(top, "docs", "rfc.md"))
	if err != nil {
		t.Fatal(err)
	}
	known := make(map[string]string) // number: packages
	for _, row := range listed.FindAllStringSubmatch(string(text), -1) {
		if known[row[1]] != "" {
			t.Errorf("docs/rfc.md: RFC %s stands there twice", row[1])
		}
		known[row[1]] = row[3]
	}
	missing := make(map[string][]string) // "number package": places
	for _, s := range project(t) {
		if s.test() || s.dir == "check" {
			continue
		}
		for _, group := range s.file.Comments {
			for _, c := range group.List {
				for _, m := range cited.FindAllStringSubmatch(c.Text, -1) {
					if _, ok := known[m[1]]; !ok {
						missing[m[1]] = append(missing[m[1]], s.at(c.Pos()))
					}
				}
			}
		}
	}
	var numbers []string
	for n := range missing {
		numbers = append(numbers, n)
	}
	sort.Strings(numbers)
	for _, n := range numbers {
		t.Errorf("RFC %s is cited (%s) and not in docs/rfc.md: add a line with its title, the package, and what of it is honoured", n, strings.Join(missing[n], ", "))
	}
}

func TestRFCsAreCitedWithTheirNumber(t *testing.T) {
	for text, want := range map[string]string{
		"// (RFC 3261 section 10)": "3261", "// RFC3550": "3550", "// see RFC-4733": "4733", "// RFC nnnn": "",
	} {
		got := ""
		if m := cited.FindStringSubmatch(text); m != nil {
			got = m[1]
		}
		if got != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}
