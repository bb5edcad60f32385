// Package ui holds the pages, built by `npm run build`, inside the binary. A
// binary built without them still works and has no pages.
package ui

import (
	"embed"
	"io/fs"
)

// dist always holds .gitkeep, so that a Go build needs no Node.
//
//go:embed all:dist
var dist embed.FS

// Pages returns the built pages: index.html is the phone, console.html the
// administration console, everything else lies under assets/ with a hash of
// its content in its name. It reports false if they were not built.
func Pages() (fs.FS, bool) {
	pages, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, false
	}
	if _, err := fs.Stat(pages, "index.html"); err != nil {
		return nil, false
	}
	return pages, true
}
