"""Talking to Kubernetes: connections, one Gateway, watches, typed errors.

The `kubernetes` package gives configuration, authentication and the connection pool; bytes are decoded by msgspec
(docs/decisions/0003). Imports knative only; no Django models.
"""

from console.cluster import lean_kubernetes

lean_kubernetes.install()
