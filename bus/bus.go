// Package bus keeps the live state in NATS JetStream: who is where (the
// binding log), where clients can be reached, and the calls that a crash must
// not forget.
//
// Embedded runs the NATS server inside this process, for a site of one node;
// Connect uses an outside one that several nodes share. After that there is
// one code path, and both pass bus/bustest.
//
// What is acknowledged has been given to the operating system by the server
// that keeps it, so the end of a process (kill -9) loses nothing. The embedded
// server writes it to the disk within a second (syncEvery); an outage of the
// machine can lose that second.
package bus

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/roamline/roamline"
)

// A Bus implements roamline.Bus. It may be used from any goroutine.
//
// A context without a deadline waits for an answer for five seconds at most.
type Bus struct {
	conn      *nats.Conn
	js        jetstream.JetStream
	log       jetstream.Stream
	contacts  jetstream.KeyValue
	snapshots jetstream.KeyValue
	server    *server.Server // nil if it is an outside one

	closed chan struct{}
	once   sync.Once
}

var _ roamline.Bus = (*Bus)(nil)

// Connect uses the NATS server, or the cluster, at url: one address
// ("nats://host:4222", "tls://user:password@host") or several with commas. It
// must have JetStream, and be of version 2.11 or newer. In a cluster
// everything is kept three times. A connection that breaks is made again, for
// as long as it takes; meanwhile everything is Unavailable.
//
// Errors and logs never repeat the password.
func Connect(ctx context.Context, url string) (*Bus, error) {
	const op = "bus.Connect"
	if err := checkURL(url); err != nil {
		return nil, &roamline.Error{Op: op, Kind: roamline.Invalid, Of: "nats url", Err: err}
	}
	b, err := open(ctx, nil, url)
	return b, fail(op, "", err)
}

// open connects and makes what is not there yet.
func open(ctx context.Context, inside *server.Server, url string) (*Bus, error) {
	conn, err := dial(ctx, inside, url)
	if err != nil {
		return nil, err
	}
	b := &Bus{conn: conn, closed: make(chan struct{})}
	if err := b.prepare(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	b.server = inside
	return b, nil
}

func dial(ctx context.Context, inside *server.Server, url string) (*nats.Conn, error) {
	wait := 5 * time.Second
	if until, ok := ctx.Deadline(); ok {
		wait = max(min(wait, time.Until(until)), time.Millisecond)
	}
	log := slog.Default().With("part", "bus")
	options := []nats.Option{
		nats.Name("roamline"),
		nats.Timeout(wait),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(200 * time.Millisecond),
		nats.ReconnectJitter(100*time.Millisecond, 100*time.Millisecond),
		// A change that can't be sent now must fail now: the caller decides.
		nats.ReconnectBufSize(-1),
		nats.DisconnectErrHandler(func(c *nats.Conn, err error) {
			if !c.IsClosed() {
				log.Warn("connection to NATS lost", "error", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { log.Info("connected to NATS again") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { log.Warn("NATS", "error", err) }),
	}
	if inside != nil {
		options = append(options, nats.InProcessServer(inside))
	}
	return nats.Connect(url, options...)
}

func (b *Bus) prepare(ctx context.Context) (err error) {
	if b.js, err = jetstream.New(b.conn); err != nil {
		return err
	}
	replicas := 1
	if b.conn.ConnectedClusterName() != "" {
		replicas = 3
	}
	if b.log, err = openLog(ctx, b.js, replicas); err != nil {
		return err
	}
	b.contacts, err = openBucket(ctx, b.js, contactsBucket, "where registered clients can be reached", replicas)
	if err != nil {
		return err
	}
	b.snapshots, err = openBucket(ctx, b.js, snapshotsBucket, "the calls that a crash must not forget", replicas)
	return err
}

// checkURL refuses addresses that can't be read. The parser's own errors repeat
// the address, with its password.
func checkURL(addresses string) error {
	if addresses == "" {
		return errors.New("no address of a NATS server")
	}
	for _, address := range splitList(addresses) {
		if u, err := url.Parse(address); err != nil || u.Host == "" {
			return errors.New("not an address of a NATS server, such as nats://host:4222")
		}
	}
	return nil
}

// Ping asks JetStream for an answer; Unavailable if there is none.
func (b *Bus) Ping(ctx context.Context) error {
	_, err := b.js.AccountInfo(ctx)
	return fail("bus.Ping", "", err)
}

// Close ends every Follow and the connection, and stops the embedded server
// after it has written what it holds. It may be called again.
func (b *Bus) Close() error {
	b.once.Do(func() {
		close(b.closed)
		b.conn.Close()
		if b.server != nil {
			b.server.Shutdown()
			b.server.WaitForShutdown()
		}
	})
	return nil
}
