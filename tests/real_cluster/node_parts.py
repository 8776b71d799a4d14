"""What stands in for machines in a control plane with pods: a node, cluster DNS, and the way to services."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from tests.real_cluster.box import ControlPlane
from tests.real_cluster.dns import ClusterDns
from tests.real_cluster.ingress import StandInIngress
from tests.real_cluster.kubelet.network import ADDRESS
from tests.real_cluster.kubelet.node import Node
from tests.real_cluster.services import ServiceFront, Services


class NodeParts:
    """Started in two steps: the network with its names before Knative's programs, the pods once the API answers."""

    def __init__(self, box: ControlPlane, binaries: Path) -> None:
        self.address = ADDRESS
        self._ending = ExitStack()
        try:
            self.node = Node(box, binaries)
            self._ending.callback(self.node.stop)
            self.dns = ClusterDns(ADDRESS, box.folder)
            self._ending.callback(self.dns.stop)
            self.services = Services(box)
            self._ending.callback(self.services.stop)
        except BaseException:
            self._ending.close()
            raise

    def start(self, ingress: StandInIngress) -> None:
        """Take pods, and answer at the names of services."""
        self.services.start()
        self._ending.callback(ServiceFront(ADDRESS, self.services, ingress).stop)
        self.node.start_serving()

    def stop(self) -> None:
        self._ending.close()
