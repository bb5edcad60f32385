package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/roamline/roamline"
)

// syncEvery is how often the embedded server forces what it wrote onto the
// disk. Doing it at each record would make an identification wait for the disk
// (milliseconds); a second is as much as an outage of the machine may undo of
// who is where, and such an outage ends every call anyway.
const syncEvery = time.Second

// Embedded runs a NATS server in this process, with its files in the folder
// dir, which is made if it is not there. It listens nowhere. No other process
// may use the folder at the same time; the caller holds the lock that sees to
// that. What an earlier process left, however it ended, is taken up again.
func Embedded(ctx context.Context, dir string) (*Bus, error) {
	const op = "bus.Embedded"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, &roamline.Error{Op: op, Kind: roamline.Unavailable, Of: dir, Err: err}
	}
	inside, err := start(ctx, dir)
	if err != nil {
		return nil, fail(op, dir, err)
	}
	b, err := open(ctx, inside, "")
	if err != nil {
		inside.Shutdown()
		inside.WaitForShutdown()
		return nil, fail(op, dir, err)
	}
	return b, nil
}

func start(ctx context.Context, dir string) (*server.Server, error) {
	inside, err := server.NewServer(&server.Options{
		ServerName:             "roamline",
		DontListen:             true,
		JetStream:              true,
		StoreDir:               dir,
		SyncInterval:           syncEvery,
		NoSigs:                 true,
		DisableJetStreamBanner: true,
	})
	if err != nil {
		return nil, err
	}
	log := &serverLog{to: slog.Default().With("part", "nats")}
	inside.SetLoggerV2(log, false, false, false)
	go inside.Start()
	for !inside.ReadyForConnections(100 * time.Millisecond) {
		if text := log.last(); text != "" {
			err = errors.New(text)
		} else {
			err = ctx.Err()
		}
		if err != nil {
			inside.Shutdown()
			inside.WaitForShutdown()
			return nil, fmt.Errorf("the NATS server did not start: %w", err)
		}
	}
	return inside, nil
}

// A serverLog passes the server's log on. Its notices tell of every start and
// stream and are only for those who look for them.
type serverLog struct {
	to    *slog.Logger
	mu    sync.Mutex
	fatal string
}

func (l *serverLog) Noticef(format string, v ...any) { l.to.Debug(fmt.Sprintf(format, v...)) }
func (l *serverLog) Warnf(format string, v ...any)   { l.to.Warn(fmt.Sprintf(format, v...)) }
func (l *serverLog) Errorf(format string, v ...any)  { l.to.Error(fmt.Sprintf(format, v...)) }
func (l *serverLog) Debugf(string, ...any)           {}
func (l *serverLog) Tracef(string, ...any)           {}

// Fatalf keeps what start returns as its error.
func (l *serverLog) Fatalf(format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fatal = fmt.Sprintf(format, v...)
}

func (l *serverLog) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fatal
}
