//go:build programs

// Package programs names what is built, so that `go mod tidy` keeps it.
package programs

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
)
