"""A real Kubernetes API server, etcd, controller manager and Knative Serving's own control plane, on loopback.

Compiled from Go modules (kubernetes/go.mod, serving/go.mod) into .cache/cluster/bin. There is no kubelet: revisions
become ready at initial scale 0, and the stand-in ingress answers for their pods (ingress.py says how).
"""
