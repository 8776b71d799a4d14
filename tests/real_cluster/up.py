"""`make cluster`: bring the control plane up, print a kubeconfig, take it down on Ctrl-C.

With --no-pods (`make cluster PODS=no`) revisions have no pods and the ingress answers by itself, as the contract suite
expects. The same happens, and is said, where the machine gives no network namespaces.
"""

import signal
import sys
import threading

from tests.real_cluster.control_plane import control_plane
from tests.real_cluster.kubelet.network import NotPossible, check
from tests.real_cluster.releases import NEWEST, chosen


def main(arguments: list[str]) -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with control_plane(*chosen(NEWEST)[:1], pods="--no-pods" not in arguments and _can_have_pods()) as box:
        print(f"  export KUBECONFIG={box.folder / 'kubeconfig'}")
        print(f"  curl -H 'Host: hello.default.example.com' http://127.0.0.1:{box.ingress_port}/")
        print("  Ctrl-C takes it down", flush=True)
        stop.wait()


def _can_have_pods() -> bool:
    try:
        check()
    except NotPossible as why:
        print(f"  WITHOUT PODS: {why}")
        print("  Revisions become ready with no pod, and the ingress answers by itself.", flush=True)
        return False
    return True


if __name__ == "__main__":
    main(sys.argv[1:])
