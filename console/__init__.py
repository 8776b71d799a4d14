"""Sluice: a web console for Knative Serving. docs/architecture.md shows its layers."""
