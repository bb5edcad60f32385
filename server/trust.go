package server

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"html/template"
	"net/http"
	"time"

	_ "embed"
)

//go:embed trust.html
var trustText string

//go:embed trust.css
var trustStyle string

var trustTemplate = template.Must(template.New("trust").Parse(trustText))

func sum(b []byte) []byte {
	s := sha256.Sum256(b)
	return s[:]
}

// trustPage serves the page /trust and, below it, the authority's certificate:
// as DER for systems that install what they open, as PEM for the others. The
// certificate is public; its fingerprint is for comparing with what the server
// printed at its start.
func trustPage(cert *x509.Certificate, site string) http.Handler {
	var page bytes.Buffer
	err := trustTemplate.Execute(&page, map[string]any{
		"Site": site, "Name": cert.Subject.CommonName, "Until": cert.NotAfter.Format(time.DateOnly),
		"Fingerprint": Fingerprint(cert), "Style": template.CSS(trustStyle),
	})
	if err != nil {
		panic(err) // a test renders it
	}
	style := base64.StdEncoding.EncodeToString(sum([]byte(trustStyle)))
	serve := func(contentType, file string, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Content-Type", contentType)
			h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+style+"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Referrer-Policy", "no-referrer")
			if file != "" {
				h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", file))
			}
			w.Write(body)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /trust", serve("text/html; charset=utf-8", "", page.Bytes()))
	mux.HandleFunc("GET /trust/roamline-ca.crt", serve("application/x-x509-ca-cert", "roamline-ca.crt", cert.Raw))
	mux.HandleFunc("GET /trust/roamline-ca.pem", serve("application/x-pem-file", "roamline-ca.pem",
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})))
	return mux
}
