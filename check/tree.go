// Package check holds the project's own rules: who may import whom, which RFCs
// are cited, that exported things are documented, that files and functions
// stay small. Its tests are the rules; each failure says what to do.
package check

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const module = "github.com/roamline/roamline"

// A source is one Go file of the project.
type source struct {
	path string // from the top, with slashes: "call/step.go"
	dir  string // "call"; "." for the root package
	file *ast.File
	fset *token.FileSet
	text string
}

// at returns the place of a node, as editors understand it.
func (s source) at(p token.Pos) string {
	return s.path + ":" + strconv.Itoa(s.fset.Position(p).Line)
}

func (s source) test() bool { return strings.HasSuffix(s.path, "_test.go") }

// suite reports whether the file belongs to tests that every implementation of
// a contract passes: store/storetest, bus/bustest.
func (s source) suite() bool { return strings.HasSuffix(s.dir, "test") }

// generated reports whether a tool wrote the file.
func (s source) generated() bool { return ast.IsGenerated(s.file) }

// sources parses every Go file below top, but for those that are not ours:
// node_modules, testdata, hidden folders.
func sources(top string) ([]source, error) {
	var all []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != top && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata" || name == "dist" || name == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		s, err := parse(fset, top, path)
		if err == nil {
			all = append(all, s)
		}
		return err
	})
	return all, err
}

func parse(fset *token.FileSet, top, path string) (source, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return source{}, err
	}
	f, err := parser.ParseFile(fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return source{}, err
	}
	from, err := filepath.Rel(top, path)
	from = filepath.ToSlash(from)
	return source{path: from, dir: filepath.ToSlash(filepath.Dir(from)), file: f, fset: fset, text: string(text)}, err
}
