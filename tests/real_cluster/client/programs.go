//go:build programs

// Package programs names what is built, so that `go mod tidy` keeps it.
package programs

import (
	_ "knative.dev/client/cmd/kn"
)
