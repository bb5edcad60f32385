package web

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/base64"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"
)

// nonceMark stands in index.html where the page needs the nonce of its policy.
const nonceMark = "__CSP_NONCE__"

const missingPages = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Roamline: the pages are missing</title>
<h1>The pages are missing</h1>
<p>The server runs, but this program was built without its pages. They need Node:
<pre>make build</pre>
<p>builds pages and program. The API answers under <a href="/api/openapi.json">/api</a>.
</html>
`

// A file is one page or asset, ready to be sent.
type file struct {
	text   []byte
	zipped []byte // nil if that would not be shorter
	kind   string
	ever   bool // its name holds a hash of its content
}

// hashed names end in a hash: "index-B3x_a9Qz.js".
var hashedName = regexp.MustCompile(`[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+$`)

// pages serves the built pages. A path without an extension that names no file
// is a place within the application: it gets index.html.
func (d *Door) pages() http.Handler {
	files := &folder{fs: d.Pages, read: map[string]*file{}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			p := refuse(http.StatusMethodNotAllowed, "", "That can't be done here")
			p.header.Set("Allow", "GET, HEAD")
			writeProblem(w, p)
			return
		}
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		if name != "" && path.Ext(name) != "" && name != "index.html" {
			f := files.open(name)
			if f == nil {
				writeProblem(w, refuse(http.StatusNotFound, "", "There is nothing at this address"))
				return
			}
			d.sendFile(w, r, f)
			return
		}
		d.sendIndex(w, r, files)
	})
}

func (d *Door) sendFile(w http.ResponseWriter, r *http.Request, f *file) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if f.ever {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	text := f.text
	if f.zipped != nil && takesGzip(r) {
		h.Set("Content-Encoding", "gzip")
		text = f.zipped
	}
	if r.Method != http.MethodHead {
		w.Write(text)
	}
}

func takesGzip(r *http.Request) bool {
	for _, part := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		coding, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") && strings.ReplaceAll(q, " ", "") != "q=0" {
			return true
		}
	}
	return false
}

func (d *Door) sendIndex(w http.ResponseWriter, r *http.Request, files *folder) {
	var b [16]byte
	rand.Read(b[:])
	nonce := base64.RawStdEncoding.EncodeToString(b[:])
	text, status := []byte(missingPages), http.StatusServiceUnavailable
	if f := files.open("index.html"); f != nil {
		text, status = bytes.ReplaceAll(f.text, []byte(nonceMark), []byte(nonce)), http.StatusOK
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", d.pagePolicy(r, nonce))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(text)
	}
}

// A folder reads each file once. It holds no more than what was built.
type folder struct {
	fs   fs.FS
	mu   sync.Mutex
	read map[string]*file
}

// open returns a file, or nil if there is none.
func (f *folder) open(name string) *file {
	if f.fs == nil || !fs.ValidPath(name) {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if known, ok := f.read[name]; ok {
		return known
	}
	text, err := fs.ReadFile(f.fs, name)
	if err != nil {
		return nil
	}
	known := &file{text: text, kind: kindOf(name), ever: hashedName.MatchString(name)}
	if z := zip(text); len(z) < len(text)*9/10 {
		known.zipped = z
	}
	f.read[name] = known
	return known
}

func zip(text []byte) []byte {
	var out bytes.Buffer
	z, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	z.Write(text)
	z.Close()
	return out.Bytes()
}

// kindOf does not ask the machine's own tables: they differ.
func kindOf(name string) string {
	switch path.Ext(name) {
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".ico":
		return "image/x-icon"
	case ".woff2":
		return "font/woff2"
	case ".wav":
		return "audio/wav"
	case ".ogg", ".opus":
		return "audio/ogg"
	case ".mp3":
		return "audio/mpeg"
	case ".wasm":
		return "application/wasm"
	}
	if kind := mime.TypeByExtension(path.Ext(name)); kind != "" {
		return kind
	}
	return "application/octet-stream"
}
