"""The sandbox: a small cluster that speaks the Kubernetes HTTP API, with a small Knative Serving inside.

A process of its own (`python -m console.sandbox`) for trying the console and for tests. It imports nothing else of
the console. The folder itself holds the API machinery (store, verbs, watches, identity, discovery); `knative/` holds
what Knative's webhook, controllers, kubelet and ingress do. docs/sandbox.md lists where it differs from a cluster.
"""
