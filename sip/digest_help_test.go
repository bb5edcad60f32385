package sip

import (
	"encoding/hex"
	"hash"
)

func ha1(h func() hash.Hash, login, realm string) string {
	x := h()
	x.Write([]byte(login + ":" + realm + ":" + phonePassword))
	return hex.EncodeToString(x.Sum(nil))
}
