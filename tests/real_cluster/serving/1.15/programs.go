//go:build programs

// Package programs names what is built, so that `go mod tidy` keeps it.
package programs

import (
	_ "knative.dev/caching/pkg/apis/caching/v1alpha1"
	_ "knative.dev/networking/pkg/apis/networking/v1alpha1"
	_ "knative.dev/serving/cmd/activator"
	_ "knative.dev/serving/cmd/autoscaler"
	_ "knative.dev/serving/cmd/controller"
	_ "knative.dev/serving/cmd/queue"
	_ "knative.dev/serving/cmd/webhook"
)
