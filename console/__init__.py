"""Sluice: a web console for Knative Serving. docs/architecture.md shows the rooms of this house."""
