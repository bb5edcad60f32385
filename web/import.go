package web

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roamline/roamline"
)

// Bounds of an import: each secret costs a password hash.
const (
	maxRows       = 2000
	maxRowErrors  = 100
	importColumns = "login, name, number, password, pin, language, roles"
)

type importInput struct {
	RawBody []byte `contentType:"text/csv"`
}

type importJSON struct {
	Users   int `json:"users" doc:"People added."`
	Numbers int `json:"numbers" doc:"Numbers that lead to them."`
}

func (d *Door) registerImport() {
	handle(d, forAdministrator, huma.Operation{
		OperationID: "import", Method: http.MethodPost, Path: "/import", Tags: []string{"people"},
		Summary: "Add people and numbers from a table, all or none",
		Description: "CSV with a first line that names the columns, in any order: " + importColumns + ". login and name are needed. " +
			"number may hold several, separated by semicolons. Errors say which line and column.",
		MaxBodyBytes: maxImport, SkipValidateBody: true,
	}, d.importCSV)
}

// A row is one line of an import, before anything is checked against the store.
type row struct {
	line int
	user newUserJSON
}

// importCSV reads the whole table and hashes its secrets before it touches the
// store; then everything is written at once.
func (d *Door) importCSV(ctx context.Context, _ caller, in *importInput) (*body[importJSON], error) {
	rows, bad := readCSV(in.RawBody)
	if bad != nil {
		return nil, bad
	}
	problems := refuse(http.StatusUnprocessableEntity, "", "Nothing was imported")
	people := make([]person, 0, len(rows))
	for _, r := range rows {
		p, err := d.readPerson(ctx, r.user, r.where())
		if err == nil {
			people = append(people, p)
		} else if err := problems.collect(err, r); err != nil {
			return nil, err
		}
		if len(problems.Errors) >= maxRowErrors {
			break
		}
	}
	if len(problems.Errors) > 0 {
		return nil, problems
	}
	var done importJSON
	err := d.Store.Atomic(ctx, func(s roamline.Store) error {
		done = importJSON{}
		for i, p := range people {
			if _, err := p.write(ctx, s); err != nil {
				if err := problems.collect(err, rows[i]); err != nil {
					return err
				}
				return problems // a failed statement may have broken the transaction: the first one counts
			}
			done.Users++
			done.Numbers += len(p.numbers)
		}
		return nil
	})
	return &body[importJSON]{done}, err
}

func (r row) where() string { return fmt.Sprintf("line %d, ", r.line) }

// collect adds what is wrong with a row; an error that is not the row's fault
// comes back.
func (r *refusal) collect(err error, of row) error {
	var bad *refusal
	if !errors.As(err, &bad) {
		return err
	}
	for _, e := range bad.Errors {
		where := e.Location
		if !strings.HasPrefix(where, "line ") {
			where = of.where() + strings.TrimPrefix(where, "body.")
		}
		r.at(where, e.Message)
	}
	return nil
}

// readCSV reads the table (RFC 4180). A byte order mark is passed over; the
// separator is a comma, or a semicolon if the first line holds one and no
// comma, as spreadsheets write it in much of Europe.
func readCSV(text []byte) ([]row, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	first, _, _ := bytes.Cut(text, []byte("\n"))
	read := csv.NewReader(bytes.NewReader(text))
	if bytes.ContainsRune(first, ';') && !bytes.ContainsRune(first, ',') {
		read.Comma = ';'
	}
	read.TrimLeadingSpace = true
	head, err := read.Read()
	if err != nil {
		return nil, badTable("line 1", "the first line must name the columns: "+importColumns)
	}
	columns, err := readHead(head)
	if err != nil {
		return nil, err
	}
	var rows []row
	seen := map[string]int{}
	for {
		cells, err := read.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			var at *csv.ParseError
			if errors.As(err, &at) {
				return nil, badTable(fmt.Sprintf("line %d", at.Line), at.Err.Error())
			}
			return nil, badTable("table", err.Error())
		}
		line, _ := read.FieldPos(0)
		r := row{line: line, user: readRow(columns, cells)}
		login := strings.ToLower(r.user.Login)
		if before, twice := seen[login]; twice {
			return nil, badTable(r.where()+"login", fmt.Sprintf("is the same as in line %d", before))
		}
		seen[login] = line
		if rows = append(rows, r); len(rows) > maxRows {
			return nil, badTable(r.where(), fmt.Sprintf("at most %d lines at once", maxRows))
		}
	}
	if len(rows) == 0 {
		return nil, badTable("table", "there is nobody in it")
	}
	return rows, nil
}

func badTable(where, what string) error {
	r := refuse(http.StatusUnprocessableEntity, "", "Nothing was imported")
	return r.at(strings.TrimSuffix(where, ", "), what)
}

func readHead(head []string) ([]string, error) {
	known := strings.Split(importColumns, ", ")
	var columns []string
	for _, h := range head {
		h = strings.ToLower(strings.TrimSpace(h))
		if !slices.Contains(known, h) {
			return nil, badTable("line 1", fmt.Sprintf("there is no column %q; there are %s", h, importColumns))
		}
		if slices.Contains(columns, h) {
			return nil, badTable("line 1", fmt.Sprintf("column %q is there twice", h))
		}
		columns = append(columns, h)
	}
	for _, needed := range []string{"login", "name"} {
		if !slices.Contains(columns, needed) {
			return nil, badTable("line 1", fmt.Sprintf("column %q is missing", needed))
		}
	}
	return columns, nil
}

func readRow(columns, cells []string) (u newUserJSON) {
	for i, c := range columns {
		cell := strings.TrimSpace(cells[i])
		switch c {
		case "login":
			u.Login = cell
		case "name":
			u.Name = cell
		case "password":
			u.Password = cells[i]
		case "pin":
			u.PIN = cell
		case "language":
			u.Language = cell
		case "number":
			u.Numbers = pieces(cell)
		case "roles":
			u.Roles = pieces(cell)
		}
	}
	return u
}

func pieces(cell string) (out []string) {
	for _, p := range strings.Split(cell, ";") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}
