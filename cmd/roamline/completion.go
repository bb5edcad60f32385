package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Each script asks the program itself for the words that may come next, so
// that it never grows old.
var completions = map[string]string{
	"bash": `_roamline() {
  local IFS=$'\n'
  COMPREPLY=($(compgen -W "$(roamline complete-words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _roamline roamline
`,
	"zsh": `#compdef roamline
_roamline() {
  local -a found
  found=("${(@f)$(roamline complete-words -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found" ]]; then compadd -a found; else _files; fi
}
if [[ "$funcstack[1]" = _roamline ]]; then _roamline "$@"; else compdef _roamline roamline; fi
`,
	"fish": `function __roamline_words
  set -l words (commandline -opc) (commandline -ct)
  roamline complete-words -- $words[2..-1] 2>/dev/null
end
complete -c roamline -a '(__roamline_words)'
`,
}

// Run prints the script. To use it: source <(roamline completion bash).
func (c *completionCmd) Run(w *world) error {
	_, err := fmt.Fprint(w.out, completions[c.Shell])
	return err
}

type completeCmd struct {
	Words []string `arg:"" optional:"" passthrough:""`
}

// Run prints the words that may stand where the last of Words is being typed.
func (c *completeCmd) Run(w *world) error {
	typed := c.Words
	if len(typed) > 0 && typed[0] == "--" {
		typed = typed[1:]
	}
	at := ""
	if len(typed) > 0 {
		at, typed = typed[len(typed)-1], typed[:len(typed)-1]
	}
	for _, word := range nextWords(w.model.Model.Node, typed) {
		if strings.HasPrefix(word, at) {
			fmt.Fprintln(w.out, word)
		}
	}
	return nil
}

// nextWords walks down the commands by the words typed so far.
func nextWords(node *kong.Node, typed []string) []string {
	for _, word := range typed {
		for _, child := range node.Children {
			if child.Name == word {
				node = child
				break
			}
		}
	}
	var next []string
	for _, child := range node.Children {
		if child.Type == kong.CommandNode && !child.Hidden {
			next = append(next, child.Name)
		}
	}
	for _, arg := range node.Positional {
		next = append(next, arg.EnumSlice()...)
	}
	slices.Sort(next)
	for _, group := range node.AllFlags(true) {
		for _, flag := range group {
			next = append(next, "--"+flag.Name)
		}
	}
	return slices.DeleteFunc(next, func(s string) bool { return s == "" })
}
