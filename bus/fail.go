package bus

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/roamline/roamline"
)

// fail says what err means in the words of the root package; nil stays nil, and
// an error that says it already stays as it is.
func fail(op, of string, err error) error {
	if err == nil {
		return nil
	}
	var said *roamline.Error
	if errors.As(err, &said) {
		return err
	}
	e := &roamline.Error{Op: op, Of: of, Err: err}
	var api *jetstream.APIError
	switch {
	case errors.As(err, &api) && wrongLast(api.ErrorCode):
		e.Kind, e.Err = roamline.Conflict, errors.New("somebody else appended first")
	case errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamMessageExceedsMaximum,
		errors.Is(err, nats.ErrMaxPayload):
		e.Kind = roamline.Invalid
	case errors.As(err, &api) && (api.Code == 503 || api.Code == 500), away(err):
		e.Kind = roamline.Unavailable
	}
	return e
}

// wrongLast: a replicated stream has a code of its own for it.
func wrongLast(code jetstream.ErrorCode) bool {
	return code == jetstream.JSErrCodeStreamWrongLastSequence || code == jetstream.JSErrCodeStreamWrongLastSequenceConstant
}

// away reports whether err is about the way to the server and not about the
// question.
func away(err error) bool {
	for _, e := range []error{context.Canceled, context.DeadlineExceeded, nats.ErrTimeout, nats.ErrNoResponders,
		nats.ErrConnectionClosed, nats.ErrDisconnected, nats.ErrNoServers, nats.ErrReconnectBufExceeded,
		nats.ErrConnectionReconnecting, nats.ErrConnectionDraining, nats.ErrInvalidConnection, nats.ErrStaleConnection,
		nats.ErrAuthorization, jetstream.ErrJetStreamNotEnabled, jetstream.ErrNoStreamResponse,
		jetstream.ErrConsumerDeleted, jetstream.ErrNoHeartbeat} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// note logs what Follow overcomes by itself, so that nobody above hears of it.
func (b *Bus) note(what string, err error) {
	slog.Default().With("part", "bus").Warn(what, "error", err)
}

// splitList splits a list of addresses at its commas.
func splitList(text string) []string {
	parts := strings.Split(text, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}
