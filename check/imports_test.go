package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A house is one line of the table in docs/architecture.md: which packages of
// the project the packages in it may import. Libraries are not listed but
// where a package is to have none, or none but some.
type house struct {
	where string   // a package, or "name/..." for it and all below
	may   []string // packages of the project; "root" is the vocabulary
	only  []string // libraries beyond the standard one; nil: any, empty: none
	never []string // of the standard library
	why   string
}

var (
	none = []string{}
	pure = []string{"net", "net/http", "database/sql", "os", "log", "log/slog", "time.Now"}
)

// table is read from the top; the first line that fits a package counts.
var table = []house{
	{".", nil, none, []string{"net", "net/http", "database/sql", "os", "log/slog"},
		"the vocabulary is spoken by everybody, so it knows nobody"},
	{"binding", []string{"root"}, none, pure, "who is where is a rule: a pure function of what happened"},
	{"call", []string{"root"}, none, pure, "a call is a pure state machine; I/O or a clock would make it impossible to fuzz"},
	{"route", []string{"root"}, []string{"github.com/nyaruka/phonenumbers"}, pure, "a plan follows from facts; only the numbering plans of the world come from a library"},
	{"offer", []string{"root"}, []string{"github.com/pion/sdp/v3"}, pure, "offer and answer are rules; only the parser is a library"},
	{"identify", []string{"root"}, none, []string{"net/http", "database/sql"}, "one door for every way of identifying; each way is a package below"},
	{"identify/...", []string{"root", "identify"}, nil, []string{"net/http", "database/sql"}, "a method implements the door's contract and knows no other method"},
	{"switchboard", []string{"root", "identify", "binding", "route", "call", "offer"}, none, []string{"net/http", "database/sql"},
		"the one place that uses the rules; it asks doors, voice, store and bus by contracts of its own"},
	{"sip", []string{"root"}, nil, nil, "a door translates and decides nothing; SDP passes through it as opaque bytes"},
	{"web", []string{"root"}, nil, nil, "a door translates and decides nothing"},
	{"voice", []string{"root", "voice/sound"}, nil, []string{"net/http", "database/sql"}, "the engine is told what to do; it knows neither signalling nor people"},
	{"voice/...", []string{"root", "voice/..."}, nil, []string{"net/http", "database/sql"}, "parts of the engine"},
	{"story", []string{"root"}, none, []string{"net", "net/http", "database/sql"}, "a bounded memory of entries, and nothing else"},
	{"store", []string{"root"}, nil, nil, "what both engines share"},
	{"store/...", []string{"root", "store", "store/..."}, nil, nil, "an engine implements the contract that root declares"},
	{"bus", []string{"root"}, nil, nil, "implements the contract that root declares"},
	{"bus/...", []string{"root", "bus"}, nil, nil, "the contract's suite"},
	{"config", []string{"root"}, nil, []string{"net/http", "database/sql"}, "one file, read and checked"},
	{"ui", nil, none, nil, "the built pages, as bytes"},
	{"demo/...", []string{"root", "demo/...", "config", "server"}, nil, nil,
		"the pretend carrier and client share no line with sip and voice, or they would prove nothing"},
	{"server", []string{"..."}, nil, nil, "ties the parts together"},
	{"cmd/...", []string{"..."}, nil, nil, "ties the parts together"},
	{"test/...", []string{"..."}, nil, nil, "starts the whole"},
	{"check", nil, none, nil, "reads the others as text"},
}

// fits reports whether a package's folder matches a pattern of the table.
func fits(pattern, dir string) bool {
	if pattern == "..." {
		return true
	}
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return dir == base || strings.HasPrefix(dir, base+"/")
	}
	return pattern == dir || pattern == "root" && dir == "."
}

func lineFor(dir string) (house, bool) {
	for _, h := range table {
		if fits(h.where, dir) {
			return h, true
		}
	}
	return house{}, false
}

// refused says why a file of h may not import path; empty if it may.
func (h house) refused(path string, test bool) string {
	dir, ours := folder(path)
	switch {
	case ours && fits(h.where, dir): // its own external test
		return ""
	case ours:
		if slices.ContainsFunc(h.may, func(p string) bool { return fits(p, dir) }) || test && lends(dir) {
			return ""
		}
		return fmt.Sprintf("of the project it may import %s", list(h.may))
	case test:
		return "" // tests may use what they like outside the project
	case strings.Contains(strings.Split(path, "/")[0], "."):
		if h.only == nil || slices.Contains(h.only, path) {
			return ""
		}
		return fmt.Sprintf("beyond the standard library it may import %s", list(h.only))
	case slices.Contains(h.never, path):
		return "it must do without " + path
	}
	return ""
}

// lends reports whether the tests of any package may use dir: contract suites,
// the small implementations, and what is pure and so needs no pretence.
func lends(dir string) bool {
	h, _ := lineFor(dir)
	return strings.HasSuffix(dir, "test") || dir == "store/sqlite" || dir == "bus" || dir == "story" || slices.Contains(h.never, "time.Now")
}

// folder returns the folder of one of the project's packages.
func folder(path string) (dir string, ours bool) {
	if path == module {
		return ".", true
	}
	return strings.CutPrefix(path, module+"/")
}

func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

func TestImports(t *testing.T) {
	for _, s := range project(t) {
		h, ok := lineFor(s.dir)
		if !ok {
			t.Errorf("%s: package %s has no line in the table of check/imports_test.go: say what it may import, and why, there and in docs/architecture.md", s.path, s.dir)
			continue
		}
		for _, i := range s.file.Imports {
			path := strings.Trim(i.Path.Value, `"`)
			if why := h.refused(path, s.test()); why != "" {
				t.Errorf("%s imports %s, but %s (%s). Declare what you need as an interface in %s and let server hand it in, or speak root", s.at(i.Pos()), path, why, h.why, s.dir)
			}
		}
	}
}

// TestPureRulesReadNoClock holds what an import can't show.
func TestPureRulesReadNoClock(t *testing.T) {
	for _, s := range project(t) {
		h, _ := lineFor(s.dir)
		if s.test() || !slices.Contains(h.never, "time.Now") {
			continue
		}
		for n, line := range strings.Split(s.text, "\n") {
			for _, bad := range []string{"time.Now(", "time.Since(", "time.After(", "time.Sleep(", "time.NewTimer(", "go func("} {
				if code, _, _ := strings.Cut(line, "//"); strings.Contains(code, bad) {
					t.Errorf("%s:%d: %s in a pure package: let the time come in with the event, and timers go out as commands", s.path, n+1, strings.TrimSuffix(bad, "("))
				}
			}
		}
	}
}

func TestEveryLineHasAReason(t *testing.T) {
	for _, h := range table {
		if h.why == "" {
			t.Errorf("%s: why?", h.where)
		}
	}
}

func TestTheTableRefuses(t *testing.T) {
	for name, row := range map[string]struct {
		dir, imports string
		test, want   bool
	}{
		"root knows nobody":                       {".", module + "/call", false, false},
		"rules speak root":                        {"call", module, false, true},
		"rules do not know each other":            {"call", module + "/route", false, false},
		"rules use no library":                    {"binding", "github.com/google/uuid", false, false},
		"but in their tests":                      {"binding", "pgregory.net/rapid", true, true},
		"offer may parse SDP":                     {"offer", "github.com/pion/sdp/v3", false, true},
		"doors do not know the rules":             {"sip", module + "/call", false, false},
		"doors do not know each other":            {"web", module + "/sip", false, false},
		"doors do not know the store":             {"web", module + "/store", false, false},
		"but its tests may have one":              {"web", module + "/store/sqlite", true, true},
		"the switchboard uses the rules":          {"switchboard", module + "/route", false, true},
		"and no door":                             {"switchboard", module + "/sip", false, false},
		"the demo does not lean on what it shows": {"demo/media", module + "/voice", false, false},
		"server ties":                             {"server", module + "/sip", false, true},
		"rules do not open files":                 {"route", "os", false, false},
	} {
		h, ok := lineFor(row.dir)
		if !ok || (h.refused(row.imports, row.test) == "") != row.want {
			t.Errorf("%s: %s importing %s: %q", name, row.dir, row.imports, h.refused(row.imports, row.test))
		}
	}
}
