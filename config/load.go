package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/v2"
	gotoml "github.com/pelletier/go-toml/v2"

	"github.com/roamline/roamline"
)

// Place is where the file is looked for if none is named.
const Place = "/etc/roamline/roamline.toml"

// Variable names the file in the environment. It is the only ROAMLINE_ name
// that is no setting.
const Variable = "ROAMLINE_CONFIG"

const (
	prefix  = "ROAMLINE_"
	maxFile = 1 << 20 // bytes
)

// Load reads the file at path, lets the environment environ ("NAME=value", as
// os.Environ gives it) override it, and checks the whole. With an empty path
// the file is the one that ROAMLINE_CONFIG names, else Place if it is there,
// else none.
//
// The error is Invalid and has one line for each thing that is wrong, with
// file, line, key and a right example; NotFound if a named file is not there.
func Load(path string, environ []string) (Config, error) {
	named := path != ""
	if !named {
		if path = environment(environ)[Variable]; path != "" {
			named = true
		} else {
			path = Place
		}
	}
	data, err := readFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return parse(nil, "", environ)
	case errors.Is(err, fs.ErrNotExist):
		return Config{}, &roamline.Error{Op: "config.Load", Kind: roamline.NotFound, Of: path,
			Err: errors.New("there is no such file; roamline serve --print-config prints one to start from")}
	case err != nil:
		return Config{}, &roamline.Error{Op: "config.Load", Kind: roamline.Invalid, Of: path, Err: err}
	}
	return parse(data, path, environ)
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("is larger than %d bytes", maxFile)
	}
	return os.ReadFile(path)
}

// A document is a file's content, as koanf wants it.
type document []byte

func (d document) ReadBytes() ([]byte, error)  { return d, nil }
func (document) Read() (map[string]any, error) { return nil, errors.New("bytes only") }

// parse is Load without the file system. path is only for messages.
func parse(data []byte, path string, environ []string) (Config, error) {
	var wrong problems
	file := koanf.New(".")
	if err := file.Load(document(data), toml.Parser()); err != nil {
		return Config{}, invalid(problems{syntax(path, err)})
	}
	given := file.All()
	wrong = append(wrong, unknownKeys(file, data, path)...)
	env := environment(environ)
	wrong = append(wrong, unknownNames(env)...)

	c := Config{File: path}
	for _, s := range settings {
		read := s.field(&c)
		if err := read(initial(s)); err != nil {
			panic("config: the default of " + s.key + ": " + err.Error()) // a test reads them all
		}
		if v, ok := env[s.name()]; ok {
			if err := read(v); err != nil {
				wrong = append(wrong, fmt.Sprintf("environment: %s: %s. Example: %s=%s", s.name(), err, s.name(), plain(s.example)))
			}
		} else if v, ok := given[s.key]; ok {
			if err := read(v); err != nil {
				wrong = append(wrong, fmt.Sprintf("%s%s: %s. Example: %s = %s", at(path, lineOf(data, s.key)), s.key, err, last(s.key), s.example))
			}
		}
	}
	if len(wrong) > 0 {
		return Config{}, invalid(wrong)
	}
	c.DataDir = dataDir(c.DataDir, env)
	if wrong = check(c); len(wrong) > 0 {
		return Config{}, invalid(wrong)
	}
	return c, nil
}

// dataDir makes the data folder absolute, so that a command started elsewhere
// finds the same one.
func dataDir(given string, env map[string]string) string {
	dir := given
	switch {
	case dir != "":
	case os.Geteuid() == 0:
		dir = "/var/lib/roamline"
	case filepath.IsAbs(env["XDG_STATE_HOME"]):
		dir = filepath.Join(env["XDG_STATE_HOME"], "roamline")
	case env["HOME"] != "":
		dir = filepath.Join(env["HOME"], ".local", "state", "roamline")
	default:
		dir = "roamline-data"
	}
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}

// initial returns a setting's default as the file's parser would.
func initial(s setting) any {
	var v map[string]any
	if err := gotoml.Unmarshal([]byte("v = "+s.initial), &v); err != nil {
		panic("config: the default of " + s.key + ": " + err.Error())
	}
	return v["v"]
}

func environment(environ []string) map[string]string {
	env := make(map[string]string)
	for _, e := range environ {
		if name, value, ok := strings.Cut(e, "="); ok {
			env[name] = value
		}
	}
	return env
}

// homeOnly keeps what dataDir reads.
func homeOnly(environ []string) []string {
	var kept []string
	for _, e := range environ {
		if strings.HasPrefix(e, "HOME=") || strings.HasPrefix(e, "XDG_STATE_HOME=") {
			kept = append(kept, e)
		}
	}
	return kept
}

// name returns the setting's name in the environment.
func (s setting) name() string {
	if s.env != "" {
		return s.env
	}
	return byRule(s.key)
}

func byRule(key string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

func unknownKeys(file *koanf.Koanf, data []byte, path string) problems {
	known := make(map[string]string) // key: itself
	for _, s := range settings {
		known[s.key] = s.key
	}
	var wrong problems
	for _, key := range file.Keys() {
		if known[key] != "" || isSection(key) {
			continue
		}
		say := at(path, lineOf(data, key)) + key + ": there is no such setting."
		if like := nearest(key, known); like != "" {
			say += " Did you mean " + like + "?"
		}
		wrong = append(wrong, say)
	}
	return wrong
}

// isSection reports whether key is a section, which may be empty.
func isSection(key string) bool {
	for _, s := range settings {
		if strings.HasPrefix(s.key, key+".") {
			return true
		}
	}
	return false
}

func unknownNames(env map[string]string) problems {
	known := make(map[string]string) // as somebody may write it: right name
	for _, s := range settings {
		known[byRule(s.key)] = s.name()
		known[s.name()] = s.name()
	}
	var wrong problems
	for name := range env {
		if !strings.HasPrefix(name, prefix) || known[name] == name || name == Variable {
			continue
		}
		say := "environment: " + name + ": there is no such setting."
		if like := nearest(name, known); like != "" {
			say += " Did you mean " + like + "?"
		}
		wrong = append(wrong, say)
	}
	sort.Strings(wrong)
	return wrong
}
