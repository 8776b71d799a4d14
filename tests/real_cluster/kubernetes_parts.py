"""etcd, the API server and the controller manager, on loopback."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.console_process import free_port
from tests.real_cluster.box import TOKENS, ControlPlane
from tests.real_cluster.kubelet.network import SERVICE_RANGE


def start_kubernetes(box: ControlPlane, binaries: Path) -> None:
    client, peer = free_port(), free_port()
    at, beside = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
    etcd = [
        str(binaries / "etcd"),
        "--data-dir",
        str(box.folder / "etcd"),
        "--listen-client-urls",
        at,
        "--advertise-client-urls",
        at,
    ]
    etcd += [
        "--listen-peer-urls",
        beside,
        "--initial-advertise-peer-urls",
        beside,
        "--initial-cluster",
        f"default={beside}",
    ]
    box.start("etcd", [*etcd, "--unsafe-no-fsync"])
    key = _write_key(box.folder / "service-accounts.key")
    tokens = box.folder / "tokens.csv"
    tokens.write_text(
        "".join(f'{box.tokens[user]},{user},{user},"{",".join(groups)}"\n' for user, groups in TOKENS.items())
    )
    box.start(
        "apiserver",
        [
            str(binaries / "kube-apiserver"),
            f"--etcd-servers={at}",
            f"--secure-port={box.port}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--cert-dir={box.folder / 'apiserver'}",
            f"--token-auth-file={tokens}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            f"--service-cluster-ip-range={SERVICE_RANGE}",
            "--endpoint-reconciler-type=none",
            "--disable-admission-plugins=ServiceAccount",
        ],
    )
    box.wait_until_ready()
    config = box.kubeconfig(box.folder / "kubeconfig")
    manager = [
        str(binaries / "kube-controller-manager"),
        f"--kubeconfig={config}",
        "--leader-elect=false",
        "--secure-port=0",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
    ]
    manager += [f"--service-account-private-key-file={key}", f"--root-ca-file={box.ca}"]
    box.start("controller-manager", manager)


def _write_key(path: Path) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    path.chmod(0o600)
    return path
