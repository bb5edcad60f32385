package config

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/roamline/roamline"
)

var compare = cmp.Options{cmpopts.EquateComparable(netip.AddrPort{}, netip.Addr{}, netip.Prefix{}, roamline.Secret{}),
	cmpopts.IgnoreFields(Config{}, "File"), cmpopts.EquateEmpty()}

func TestAnnotatedFileIsTheDefaults(t *testing.T) {
	got, err := parse([]byte(Annotated()), "annotated", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Default(nil), got, compare); diff != "" {
		t.Errorf("read back, the annotated file changes (-default +file):\n%s", diff)
	}
	for _, s := range settings {
		for _, want := range []string{"\n" + last(s.key) + " = " + s.initial + "\n", "; " + s.name() + ")", "(" + s.unit} {
			if !strings.Contains(Annotated(), want) {
				t.Errorf("%s: the annotated file lacks %q", s.key, want)
			}
		}
	}
}

func TestEveryFieldHasASetting(t *testing.T) {
	var c Config
	for _, s := range settings {
		before := c
		v := initialOf(t, s.example)
		if err := s.field(&c)(v); err != nil {
			t.Errorf("%s: its own example is refused: %v", s.key, err)
		}
		if cmp.Equal(before, c, compare) {
			t.Errorf("%s: its example sets nothing", s.key)
		}
	}
	var walk func(path string, v reflect.Value)
	walk = func(path string, v reflect.Value) {
		if v.Kind() == reflect.Struct && (v.Type().PkgPath() == reflect.TypeFor[Config]().PkgPath() || v.Type() == reflect.TypeFor[roamline.Site]()) {
			for i := range v.NumField() {
				walk(path+"."+v.Type().Field(i).Name, v.Field(i))
			}
			return
		}
		if v.IsZero() && path != "Config.File" {
			t.Errorf("%s: no setting reaches it", path)
		}
	}
	walk("Config", reflect.ValueOf(c))
}

func initialOf(t *testing.T, toml string) any {
	t.Helper()
	return initial(setting{key: "example", initial: toml})
}

func TestWhatIsWrongIsSaidByName(t *testing.T) {
	for name, row := range map[string]struct {
		file string
		env  []string
		want []string // parts of the message
	}{
		"unknown key, the nearest is suggested": {"[http]\nlisten = \"127.0.0.1:80\"\nlissten = \"x\"\n", nil,
			[]string{"f.toml:3: http.lissten: there is no such setting. Did you mean http.listen?"}},
		"key without its section": {"listen = \"127.0.0.1:80\"\n", nil,
			[]string{"f.toml:1: listen: there is no such setting. Did you mean http.listen?"}},
		"unknown section": {"[sipp]\nudp = \":5060\"\n", nil,
			[]string{"f.toml:2: sipp.udp: there is no such setting. Did you mean sip.udp?"}},
		"unknown name in the environment": {"", []string{"ROAMLINE_HTTP_LISTENS=1", "OTHER=1"},
			[]string{"environment: ROAMLINE_HTTP_LISTENS: there is no such setting. Did you mean ROAMLINE_HTTP_LISTEN?"}},
		"the one name that the rule does not give": {"", []string{"ROAMLINE_VOICE_RTP_PORTS=1-2"},
			[]string{"Did you mean ROAMLINE_RTP_PORTS?"}},
		"wrong value, with an example": {"\n[voice]\nudp = \"host:10\"\n", nil,
			[]string{`f.toml:3: voice.udp: "host:10" is not an IP address and a port. Example: udp = ":10000"`}},
		"wrong value in the environment": {"", []string{"ROAMLINE_SITE_GRACE=60"},
			[]string{`environment: ROAMLINE_SITE_GRACE: "60" is not a duration. Example: ROAMLINE_SITE_GRACE=60s`}},
		"number without unit":   {"stop_within = 30\n", nil, []string{"30 has no unit"}},
		"not TOML":              {"[http\n", nil, []string{"f.toml:1: column", "this is not TOML"}},
		"all problems at once":  {"a = 1\nb = 2\n", nil, []string{"f.toml:1: a:", "f.toml:2: b:"}},
		"plain HTTP abroad":     {"[http]\nlisten = \":80\"\nlocal_authority = false\n", nil, []string{"http.listen: 0.0.0.0:80 is not loopback", "http.certificate"}},
		"certificate alone":     {"[http]\ncertificate = \"a\"\n", nil, []string{"one is set without the other"}},
		"certificate and ACME":  {"[http]\ncertificate = \"a\"\nkey = \"b\"\n[http.acme]\nhosts = [\"a.example\"]\n", nil, []string{"only one of them"}},
		"two doors on one port": {"[http]\nlisten = \"127.0.0.1:5060\"\n", nil, []string{"http.listen and sip.tcp: both want TCP port 5060"}},
		"a door among RTP":      {"[voice]\nudp = \":20002\"\n", nil, []string{"20000-29999 holds port 20002 of voice.udp"}},
		"range of one port":     {"[voice]\nrtp_ports = \"20001-20002\"\n", nil, []string{"holds no pair"}},
		"a password stays hidden": {"database_url = \"postgres//u:hunter2@h/d\"\n", nil,
			[]string{"database_url: it is not a URL that begins with postgres://"}},
		"two addresses of a family": {"advertise = [\"192.0.2.1\", \"192.0.2.2\"]\n", nil, []string{"at most one IPv4"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse([]byte(row.file), "f.toml", row.env)
			if err == nil {
				t.Fatal("accepted")
			}
			if roamline.KindOf(err) != roamline.Invalid {
				t.Errorf("kind %v", roamline.KindOf(err))
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("said\n%v\nwanted\n%v", err, want)
				}
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a password is in the message: %v", err)
			}
		})
	}
}

func TestEnvironmentOverridesTheFile(t *testing.T) {
	c, err := parse([]byte("[voice]\nrtp_ports = \"4000-5000\"\n[sip]\ntcp = \"\"\n"), "f.toml", []string{
		"ROAMLINE_DATA_DIR=/tmp/r", "ROAMLINE_HTTP_LISTEN=localhost:0", "ROAMLINE_SIP_UDP=127.0.0.1:0", "ROAMLINE_SIP_TLS=127.0.0.1:5061",
		"ROAMLINE_VOICE_UDP=127.0.0.1:0", "ROAMLINE_RTP_PORTS=30001-30100", "ROAMLINE_ADVERTISE=203.0.113.7, 2001:db8::7",
		"ROAMLINE_DATABASE_URL=postgres://u@h/d", "ROAMLINE_NATS_URL=nats://a:4222,nats://b:4222",
		"ROAMLINE_HTTP_ACME_HOSTS=a.example,b.example", "ROAMLINE_SITE_COUNTRY=es"})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		what      string
		got, want any
	}{
		{"data folder", c.DataDir, "/tmp/r"},
		{"localhost is loopback", c.HTTP.Listen, netip.MustParseAddrPort("127.0.0.1:0")},
		{"an empty door is closed", c.SIP.TCP.IsValid(), false},
		{"a range begins at an even port", c.Voice.RTPPorts, PortRange{30002, 30100}},
		{"lists are separated by commas", len(c.Advertise), 2},
		{"ACME is HTTPS", c.Secure(), true},
		{"country in capitals", c.Site.Country, "ES"},
		{"NATS", c.NATSURL.Reveal(), "nats://a:4222,nats://b:4222"},
	} {
		if row.got != row.want {
			t.Errorf("%s: %v, want %v", row.what, row.got, row.want)
		}
	}
}

func TestLoadFindsTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.toml")
	if err := os.WriteFile(path, []byte("stop_within = \"7s\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, environ := range map[string][]string{"": nil, "by the environment": {Variable + "=" + path}} {
		given := path
		if environ != nil {
			given = ""
		}
		c, err := Load(given, environ)
		if err != nil || c.StopWithin != 7*time.Second || c.File != path {
			t.Errorf("%s: %v %v", name, c, err)
		}
	}
	if _, err := Load(path+".not", nil); roamline.KindOf(err) != roamline.NotFound {
		t.Errorf("a named file that is missing: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(Annotated()), "")
	f.Add([]byte("[http]\nlisten = 1\n"), ":80")
	f.Fuzz(func(t *testing.T, file []byte, value string) {
		c, err := parse(file, "f.toml", []string{"ROAMLINE_SIP_UDP=" + value, "ROAMLINE_SITE_EMERGENCY=" + value})
		if err == nil && !c.HTTP.Listen.IsValid() {
			t.Error("accepted without a door")
		}
	})
}
