// Command webhook says what Knative Serving's own code makes of objects: accepted with which defaults, or refused with
// which words. It is compiled from Serving's module and reads one case a line from standard input:
//
//	{"kind": "Service", "create": {...}, "patch": {...} or null, "configuration": {"config-features": {...}}}
//
// A case is a create, or a merge patch of what that create stores. The answer to each, again one a line, is a verdict.
// Around Serving's defaulting and validation it does what an API server does for a custom resource, with the same
// libraries: pruning and defaults by the CustomResourceDefinition's schema, its types, and the rules of list maps.
//
// The first argument is the folder of the CustomResourceDefinitions.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

const author, editor = "alice", "bob" // who creates, and who patches

type request struct {
	Kind          string                       `json:"kind"`
	Create        map[string]any               `json:"create"`
	Patch         map[string]any               `json:"patch"`
	Configuration map[string]map[string]string `json:"configuration"`
}

type verdict struct {
	Code     int            `json:"code"` // of HTTP: 200, 400 or 422
	Message  string         `json:"message,omitempty"`
	Warnings []string       `json:"warnings,omitempty"`
	Object   map[string]any `json:"object,omitempty"` // what is stored
}

func main() {
	if err := run(os.Args[1], bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(definitions string, in *bufio.Reader, out *bufio.Writer) error {
	schemas, err := readSchemas(definitions)
	if err != nil {
		return err
	}
	cases := json.NewDecoder(in)
	for cases.More() {
		var asked request
		if err := cases.Decode(&asked); err != nil {
			return err
		}
		answer, err := json.Marshal(judge(schemas, asked))
		if err != nil {
			return err
		}
		if _, err := out.Write(append(answer, '\n')); err != nil {
			return err
		}
	}
	return out.Flush()
}

// judge answers for the create, or for the patch where there is one: then the create has to be good.
func judge(schemas map[string]*schema, asked request) (answer verdict) {
	defer func() {
		if found := recover(); found != nil {
			answer = verdict{Code: 500, Message: fmt.Sprint("panic: ", found)}
		}
	}()
	ctx, err := withConfiguration(asked.Configuration)
	if err != nil {
		return verdict{Code: 500, Message: err.Error()}
	}
	one := schemas[asked.Kind]
	stored := admit(ctx, one, nil, asked.Create, author)
	if asked.Patch == nil {
		return stored
	}
	if stored.Code != 200 {
		return verdict{Code: 500, Message: "the create is refused: " + stored.Message}
	}
	return admit(ctx, one, stored.Object, merged(stored.Object, asked.Patch), editor)
}

// merged is the target with a JSON merge patch (RFC 7386) applied; the target stays as it is.
func merged(target, patch map[string]any) map[string]any {
	result := map[string]any{}
	for key, value := range target {
		result[key] = value
	}
	for key, value := range patch {
		switch change := value.(type) {
		case nil:
			delete(result, key)
		case map[string]any:
			inner, _ := result[key].(map[string]any)
			result[key] = merged(inner, change)
		default:
			result[key] = value
		}
	}
	return copied(result)
}

// copied goes through JSON as between client and server, whole numbers becoming int64 as an API server has them.
func copied(object map[string]any) map[string]any {
	text, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var result map[string]any
	if err := decoder.Decode(&result); err != nil {
		panic(err)
	}
	return numbers(result).(map[string]any)
}

func numbers(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, each := range value {
			value[key] = numbers(each)
		}
	case []any:
		for index, each := range value {
			value[index] = numbers(each)
		}
	case json.Number:
		if whole, err := value.Int64(); err == nil {
			return whole
		}
		float, _ := value.Float64()
		return float
	}
	return value
}
