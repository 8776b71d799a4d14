"""Changing clusters: operations, their timelines, the engine and its tasks. docs/architecture.md shows the packages.

May import access, audit, cluster and knative; only web imports it. What the web must know of clusters' answers is
named here, so that it need not import console.cluster.
"""

from console.cluster.errors import ClusterError, is_passing

__all__ = ["ClusterError", "is_passing"]
