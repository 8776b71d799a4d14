"""A real Kubernetes API server, etcd, controller manager and Knative Serving's own control plane, on loopback.

From Go modules (etcd, kubernetes, serving/<release>) into .cache/cluster/bin. kubelet/ stands in for a node, so
that revisions have pods and sleep and wake as on any cluster (docs/sandbox.md says what is real). The contract suite
takes it without a node: as on the recorded cluster, revisions become ready with no pod, and the ingress answers.
"""
