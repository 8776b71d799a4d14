"""The clusters that people added in the console: their addresses, their sealed credentials, tests of a connection.

May import audit, cluster and knative; knows no teams and no grants. Its source is connected to console.clusters when
the apps start, so that web, worker and watcher all see what was added, changed or removed without a restart.
What the web must know of clusters and their answers is named here, so that it need not import console.cluster.
"""

from console.cluster.connections import is_host_and_port
from console.cluster.probe import ProbeResult, Report
from console.registry.credentials import Credential, InvalidCredential
from console.registry.kubeconfig import Kubeconfig

__all__ = ["Credential", "InvalidCredential", "Kubeconfig", "ProbeResult", "Report", "is_host_and_port"]
