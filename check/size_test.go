package check

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"sync"
	"testing"
)

const (
	top       = ".." // of the repository, from this package
	mostFile  = 500  // lines
	mostFunc  = 60   // lines, from its name to its closing brace
	mostTests = 1000 // lines of a test file: tables are long and easy to read
)

// excused are the places that may be larger, each with its reason. A place
// that no longer needs its excuse must lose it.
var excused = map[string]string{}

var project = func() func(*testing.T) []source {
	read := sync.OnceValues(func() ([]source, error) { return sources(top) })
	return func(t *testing.T) []source {
		t.Helper()
		all, err := read()
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
}()

func TestFilesAndFunctionsAreSmall(t *testing.T) {
	needed := make(map[string]bool)
	large := func(what, where, format string, args ...any) {
		if excused[what] != "" {
			needed[what] = true
			return
		}
		t.Errorf("%s: "+format, append([]any{where}, args...)...)
	}
	for _, s := range project(t) {
		if s.generated() {
			continue
		}
		most := mostFile
		if s.test() || s.suite() {
			most = mostTests
		}
		if n := strings.Count(s.text, "\n"); n > most {
			large(s.path, s.path, "%d lines; a file is about one thing and has at most %d. Split it along the words of the domain, or excuse it in check/size_test.go with a reason", n, most)
		}
		if s.test() || s.suite() {
			continue // a table of cases is one thing, however long
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			if n := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1; n > mostFunc {
				large(s.dir+"."+f.Name.Name, s.at(f.Pos()), "%s has %d lines; a function does one thing in at most %d. Give a part of it a name, or excuse it in check/size_test.go as %q with a reason", f.Name.Name, n, mostFunc, s.dir+"."+f.Name.Name)
			}
		}
	}
	for what, why := range excused {
		if !needed[what] {
			t.Errorf("%s is excused (%s) and needs it no longer: take it out of the list", what, why)
		}
	}
}

// promises are words of code that is not finished.
var promises = []string{"TODO", "FIXME", "XXX", "not implemented"}

func TestNothingIsLeftForLater(t *testing.T) {
	for _, s := range project(t) {
		if s.dir == "check" {
			continue
		}
		for n, line := range strings.Split(s.text, "\n") {
			for _, word := range promises {
				if strings.Contains(line, word) {
					t.Errorf("%s:%d: %q: do it now, or leave it out and say so in docs/", s.path, n+1, word)
				}
			}
			if s.test() && strings.Contains(line, "time.Sleep(") {
				t.Errorf("%s:%d: a test that sleeps: wait for what it needs, or use testing/synctest", s.path, n+1)
			}
		}
	}
}

func parsedText(t *testing.T, code string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+code, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
