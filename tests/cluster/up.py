"""`make cluster`: bring the control plane up, print a kubeconfig, take it down on Ctrl-C."""

import signal
import threading

from tests.cluster.control_plane import control_plane


def main() -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with control_plane() as box:
        print(f"  export KUBECONFIG={box.folder / 'kubeconfig'}")
        print(f"  curl -H 'Host: hello.default.example.com' http://127.0.0.1:{box.ingress_port}/")
        print("  Ctrl-C takes it down", flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
