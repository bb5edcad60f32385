package house

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/roamline/roamline/server"
)

// A Process is a server that runs as a program of its own, so that it can be
// killed.
type Process struct {
	*House
	binary  string
	environ []string
	running *exec.Cmd
}

// Run builds the program and runs it with a temporary data folder on loopback.
// It is killed when the test ends.
func Run(t testing.TB) *Process {
	t.Helper()
	p := &Process{House: &House{TB: t, Config: Configuration(t), clients: map[string]string{}, ctx: t.Context()}}
	p.binary = filepath.Join(t.TempDir(), "roamline")
	build := exec.Command("go", "build", "-o", p.binary, "github.com/roamline/roamline/cmd/roamline")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	c := &p.Config
	c.HTTP.Listen, c.SIP.UDP, c.SIP.TCP, c.Voice.UDP = free(t), free(t), free(t), free(t)
	p.environ = append(os.Environ(),
		"ROAMLINE_DATA_DIR="+c.DataDir, "ROAMLINE_HTTP_LISTEN="+c.HTTP.Listen.String(), "ROAMLINE_VOICE_UDP="+c.Voice.UDP.String(),
		"ROAMLINE_SIP_UDP="+c.SIP.UDP.String(), "ROAMLINE_SIP_TCP="+c.SIP.TCP.String(),
		"ROAMLINE_SITE_COUNTRY=ES", "ROAMLINE_SITE_ANNOUNCE=false", "ROAMLINE_LOG_LEVEL=warn")
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "local"})
	proxy.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return server.DialLocal(ctx, c.DataDir)
	}, DisableKeepAlives: true}
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	p.local = proxy
	p.Again()
	t.Cleanup(p.Kill)
	return p
}

// Again starts the program on the data that are there, and waits until it is
// ready.
func (p *Process) Again() {
	p.Helper()
	p.running = exec.Command(p.binary, "serve")
	p.running.Env, p.running.Stdout, p.running.Stderr = p.environ, p.Output(), p.Output()
	if err := p.running.Start(); err != nil {
		p.Fatal(err)
	}
	p.Until("the server is ready", func() bool {
		status, _ := p.Try("GET", "/bindings", nil, nil)
		return status == http.StatusOK
	})
}

// Kill ends the program as a power cut would: SIGKILL.
func (p *Process) Kill() {
	if p.running == nil {
		return
	}
	p.running.Process.Kill()
	p.running.Wait() // it was killed: what Wait says of that is no news
	p.running = nil
}

// free returns an address on loopback whose port was free a moment ago, for
// UDP and TCP.
func free(t testing.TB) netip.AddrPort {
	t.Helper()
	for {
		at := netip.MustParseAddrPort(FreePort(t))
		if l, err := net.Listen("tcp", at.String()); err == nil {
			l.Close()
			return at
		}
	}
}
