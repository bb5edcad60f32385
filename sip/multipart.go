package sip

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

// sdpPart returns the first description in a multipart body; nil if there is
// none.
func sdpPart(contentType string, body []byte) []byte {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["boundary"] == "" {
		return nil
	}
	r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for range 10 {
		p, err := r.NextRawPart()
		if err != nil {
			return nil
		}
		kind, _, _ := strings.Cut(p.Header.Get("Content-Type"), ";")
		if strings.EqualFold(strings.TrimSpace(kind), sdpType) {
			b, err := io.ReadAll(io.LimitReader(p, maxBody))
			if err != nil {
				return nil
			}
			return b
		}
	}
	return nil
}
