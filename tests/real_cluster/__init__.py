"""A real Kubernetes API server, etcd, controller manager and Knative Serving's own control plane, on loopback.

Compiled from Go modules (kubernetes/go.mod, serving/go.mod) into .cache/cluster/bin. kubelet/ stands in for a node, so
that revisions have pods and sleep and wake as on any cluster (docs/sandbox.md says what is real). The contract suite
takes it without a node: as on the recorded cluster, revisions become ready with no pod, and the ingress answers.
"""
