"""Talking to Kubernetes: connections, one Gateway, watches, typed errors. Imports knative only; no Django models."""
