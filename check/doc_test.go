package check

import (
	"go/ast"
	"go/token"
	"strings"
	"testing"
)

func TestExportedThingsAreDocumented(t *testing.T) {
	packages := make(map[string]bool) // has a package comment
	for _, s := range project(t) {
		if s.test() || s.generated() {
			continue
		}
		packages[s.dir] = packages[s.dir] || s.file.Doc != nil
		for _, d := range s.file.Decls {
			for _, bare := range undocumented(d) {
				t.Errorf("%s: %s is exported and has no comment: say what it is, with units, limits and errors", s.at(bare.Pos()), bare.Name)
			}
		}
	}
	for dir, ok := range packages {
		if !ok {
			t.Errorf("%s: no file has a package comment: say in a sentence what the package is for", dir)
		}
	}
}

// undocumented returns the exported names of a declaration that neither have a
// comment nor stand in a group that has one. Methods of unexported types, and
// those that only carry out a well-known interface, need none.
func undocumented(d ast.Decl) []*ast.Ident {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && !hiddenMethod(d) && !wellKnown[d.Name.Name] {
			return []*ast.Ident{d.Name}
		}
	case *ast.GenDecl:
		if d.Tok == token.IMPORT || d.Doc != nil {
			return nil
		}
		var bare []*ast.Ident
		for _, spec := range d.Specs {
			bare = append(bare, bareNames(spec, d)...)
		}
		return bare
	}
	return nil
}

var wellKnown = map[string]bool{"Error": true, "String": true, "Unwrap": true, "Len": true, "Less": true, "Swap": true, "ServeHTTP": true,
	"Op": true, "Read": true, "Write": true, "Close": true, "MarshalJSON": true, "UnmarshalJSON": true}

func hiddenMethod(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return false
	}
	of := d.Recv.List[0].Type
	for {
		switch x := of.(type) {
		case *ast.StarExpr:
			of = x.X
		case *ast.IndexExpr:
			of = x.X
		case *ast.IndexListExpr:
			of = x.X
		case *ast.Ident:
			return !x.IsExported()
		default:
			return false
		}
	}
}

func bareNames(spec ast.Spec, d *ast.GenDecl) []*ast.Ident {
	var bare []*ast.Ident
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		if spec.Doc == nil && spec.Comment == nil && spec.Name.IsExported() {
			bare = append(bare, spec.Name)
		}
	case *ast.ValueSpec:
		// Values of a type that is documented speak by their names: type LegState.
		if spec.Doc != nil || spec.Comment != nil || spec.Type != nil || d.Lparen.IsValid() && spec.Values == nil {
			return nil
		}
		for _, name := range spec.Names {
			if name.IsExported() {
				bare = append(bare, name)
			}
		}
	}
	return bare
}

func TestWhatCountsAsDocumented(t *testing.T) {
	for name, row := range map[string]struct {
		code string
		want string
	}{
		"a function without":          {"func F() {}", "F"},
		"a function with":             {"// F does.\nfunc F() {}", ""},
		"an unexported one":           {"func f() {}", ""},
		"a method of a hidden type":   {"type t struct{}\nfunc (*t) M() {}", ""},
		"a method of a shown type":    {"// T is.\ntype T struct{}\nfunc (T) M() {}", "M"},
		"a generic type's method":     {"// T is.\ntype T[A any] struct{}\nfunc (*T[A]) M() {}", "M"},
		"String needs none":           {"// T is.\ntype T int\nfunc (T) String() string { return \"\" }", ""},
		"a group with one comment":    {"// Words.\nvar (\n\tA = 1\n\tB = 2\n)", ""},
		"a comment behind":            {"type T int // T is", ""},
		"a bare value in a group":     {"var (\n\tA = 1\n)", "A"},
		"a typed value of an own set": {"const (\n\tA T = \"a\"\n)", ""},
	} {
		var got []string
		for _, d := range parsedText(t, row.code).Decls {
			for _, bare := range undocumented(d) {
				got = append(got, bare.Name)
			}
		}
		if strings.Join(got, " ") != row.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
