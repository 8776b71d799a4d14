"""Sluice: a web console for Knative Serving. docs/architecture.md shows its layers."""

VERSION = "0.1.0"  # as in pyproject.toml, which an installation without its sources may lack
