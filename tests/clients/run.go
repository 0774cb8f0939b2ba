// Asks as a client of tests/clients/go does, and prints what it saw as run.py does. tools/clients-env
// compiles it together with each of them:
//
//	BASE_URL=http://127.0.0.1:8000 API_KEY=... MODEL=... $(tools/clients-env go)/bin/CLIENT
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"runtime/debug"
	"strings"
)

const question = "What is greater between 7.8 and 7.11 ?"

// Client is what a file says of itself; Settings are those that turn thinking on and off.
type Client[Settings any] struct {
	Title   string
	Package string
	On, Off Settings
	Sees    Sees
	Whole   func(question string, settings Settings) Seen
	Stream  func(question string, settings Settings) Seen
}

// Sees says where the thinking is shown; nil for what is dropped.
type Sees struct {
	Whole    *string `json:"whole"`
	Streamed *string `json:"streamed"`
	Tokens   *string `json:"tokens"`
}

// Seen is one answer, with all that came in Reply.
type Seen struct {
	Thinks   bool   `json:"thinks"`
	Streamed bool   `json:"streamed"`
	Thinking string `json:"thinking"`
	Answer   string `json:"answer"`
	Tokens   int64  `json:"tokens"`
	Reply    any    `json:"reply"`
}

func place(name string) *string { return &name }

// check ends the program where something went wrong.
func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// code returns settings as they stand in a call: ReasoningEffort: "none".
func code(settings any) string {
	text := fmt.Sprintf("%#v", settings)
	fields := text[strings.Index(text, "{")+1 : len(text)-1]
	return regexp.MustCompile(`(\w):`).ReplaceAllString(fields, "$1: ")
}

func version(name string) string {
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			if module.Path == name {
				return strings.TrimPrefix(module.Version, "v")
			}
		}
	}
	check(fmt.Errorf("%s is not in this program", name))
	return ""
}

func run[Settings any](client Client[Settings]) {
	out := json.NewEncoder(os.Stdout)
	check(out.Encode(map[string]any{
		"title": client.Title, "version": version(client.Package),
		"off": code(client.Off), "sees": client.Sees,
	}))
	for _, thinks := range []bool{true, false} {
		for _, streamed := range []bool{false, true} {
			settings, ask := client.Off, client.Whole
			if thinks {
				settings = client.On
			}
			if streamed {
				ask = client.Stream
			}
			seen := ask(question, settings)
			seen.Thinks, seen.Streamed = thinks, streamed
			check(out.Encode(seen))
		}
	}
}
