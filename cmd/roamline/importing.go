package main

import (
	"context"
	"io"
	"net/http"
	"os"
)

const maxImport = 2 << 20 // bytes; the API's limit

type importCmd struct {
	File string `arg:"" help:"CSV in UTF-8 with a head line: login,name,number,password,pin,language,roles; - is standard input."`
}

// Run imports users and numbers: all lines or none.
func (c *importCmd) Run(ctx context.Context, w *world) error {
	from := w.in
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		from = f
	}
	text, err := io.ReadAll(io.LimitReader(from, maxImport+1))
	if err != nil {
		return err
	}
	if len(text) > maxImport {
		return &failure{why: "the file is larger than 2 MiB", todo: "Import it in parts"}
	}
	return w.with(ctx, func(a *api) error {
		var made record
		if err := a.send(ctx, http.MethodPost, "/import", csvText(text), &made); err != nil {
			return err
		}
		return w.done(made, "Imported: %s users, %s numbers.", show(made["users"]), show(made["numbers"]))
	})
}
