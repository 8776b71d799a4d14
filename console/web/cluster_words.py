"""What can be wrong with a cluster's address, credential or connection, in words for people, with what to do."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.registry import InvalidCredential, ProbeResult, Report

_INVALID_CREDENTIAL = {
    "address-invalid": gettext_lazy("Enter the API server's URL, for example https://cluster.example.com:6443."),
    "address-not-https": gettext_lazy(
        "The URL must start with https://. Over plain HTTP, anyone on the network path could read the token."
    ),
    "ca-invalid": gettext_lazy("This is not a PEM certificate (-----BEGIN CERTIFICATE-----)."),
    "credential-missing": gettext_lazy("Enter a bearer token, or a client certificate with its private key."),
    "credential-twice": gettext_lazy("Enter either a token or a client certificate, not both."),
    "token-invalid": gettext_lazy(
        "This is not a bearer token: it contains spaces, line breaks or other invalid characters."
    ),
    "key-missing": gettext_lazy("A client certificate and its private key are a pair. Enter both."),
    "certificate-invalid": gettext_lazy(
        "The client certificate and key cannot be used: both must be PEM, they must match, and the key must "
        "not have a passphrase."
    ),
    "kubeconfig-not-yaml": gettext_lazy(
        "This is not a kubeconfig: it must be YAML, at most 256 KiB, without aliases. Paste the output of "
        "“kubectl config view --raw --flatten --minify”."
    ),
    "kubeconfig-no-contexts": gettext_lazy("The kubeconfig has no contexts. Paste a complete one."),
    "kubeconfig-too-many": gettext_lazy(
        "The kubeconfig has more than %(limit)s contexts. Use “--minify” to paste only one."
    ),
    "kubeconfig-context-unknown": gettext_lazy("The kubeconfig has no context “%(name)s”."),
    "kubeconfig-incomplete": gettext_lazy(
        "The context “%(name)s” refers to a cluster or user that is not in the file."
    ),
    "kubeconfig-exec": gettext_lazy(
        "The context “%(name)s” uses a credential plugin (%(key)s), which the console does not run. Create a "
        "service account in the cluster and use its token."
    ),
    "kubeconfig-file": gettext_lazy(
        "The context “%(name)s” refers to a file (%(key)s), which the console does not read. Paste the "
        "output of “kubectl config view --raw --flatten”."
    ),
    "kubeconfig-password": gettext_lazy(
        "The context “%(name)s” uses a user name and password, which Kubernetes no longer supports. Use a token."
    ),
    "kubeconfig-as": gettext_lazy(
        "The context “%(name)s” impersonates another user (%(key)s). Remove that setting; the console "
        "handles impersonation itself."
    ),
    "kubeconfig-proxy": gettext_lazy(
        "The context “%(name)s” uses a proxy (%(key)s), which the console does not support."
    ),
    "kubeconfig-server-name": gettext_lazy(
        "The context “%(name)s” expects a different name in the certificate (%(key)s). Use an address that "
        "the certificate covers."
    ),
    "kubeconfig-insecure": gettext_lazy(
        "The context “%(name)s” skips verification of the server's certificate (insecure-skip-tls-verify). "
        "Provide the cluster's CA certificate instead."
    ),
    "kubeconfig-not-text": gettext_lazy("“%(key)s” is not a string."),
    "kubeconfig-not-base64": gettext_lazy("“%(key)s” is not base64-encoded PEM."),
}

_PROBE_RESULTS = {
    ProbeResult.NONE: gettext_lazy("Connected. Knative Serving found."),
    ProbeResult.ADDRESS: gettext_lazy(
        "This address cannot be used for a cluster: it is a loopback, link-local or cloud metadata address."
    ),
    ProbeResult.NAME: gettext_lazy(
        "The host name could not be resolved. Check its spelling and the console's DNS server."
    ),
    ProbeResult.CONNECTION: gettext_lazy(
        "Connection refused: nothing is listening there. Check the port; 6443 and 443 are common."
    ),
    ProbeResult.TIMEOUT: gettext_lazy(
        "Connection timed out. A firewall may be dropping packets, or the address is wrong."
    ),
    ProbeResult.AUTHORITY: gettext_lazy(
        "The server's certificate is signed by an untrusted authority. Provide the cluster's CA certificate "
        "(certificate-authority-data in its kubeconfig)."
    ),
    ProbeResult.HOST: gettext_lazy(
        "The server's certificate does not cover this address. Use an address that it covers."
    ),
    ProbeResult.EXPIRED: gettext_lazy(
        "The server's certificate has expired or is not yet valid, or the console's clock is wrong."
    ),
    ProbeResult.TLS: gettext_lazy("The TLS handshake failed. Is this the API server's port?"),
    ProbeResult.UNREACHABLE: gettext_lazy("The connection failed or was interrupted."),
    ProbeResult.REDIRECT: gettext_lazy(
        "The server redirects elsewhere. The console does not follow redirects, because that would expose "
        "the credential. Enter the API server's own URL."
    ),
    ProbeResult.NOT_KUBERNETES: gettext_lazy("Something responds there, but it is not a Kubernetes API server."),
    ProbeResult.UNAUTHORIZED: gettext_lazy("The cluster rejected the credential (401): it is wrong or has expired."),
    ProbeResult.FORBIDDEN: gettext_lazy("The credential is valid but has no permissions in the cluster (403)."),
    ProbeResult.NO_KNATIVE: gettext_lazy("Connected, but Knative Serving is not installed."),
    ProbeResult.MAY_NOT_READ: gettext_lazy(
        "The account cannot list and watch what the console shows. Bind the roles in "
        "deploy/kubernetes/roles.yaml to it."
    ),
    ProbeResult.FAILED: gettext_lazy("The cluster returned an error."),
}


def invalid_credential(found: InvalidCredential) -> str:
    """Return why a text cannot be used, and what to do."""
    return str(_INVALID_CREDENTIAL[found.code]) % found.facts


def verdict(report: Report) -> str:
    """Return what a test of a connection found, in one or two sentences."""
    return str(_PROBE_RESULTS[report.result])


def origin(text: str) -> str:
    """Return where a cluster comes from."""
    known = {
        "console": _("added in the console"),
        "in-cluster": _("the cluster the console runs in"),
        "url": "CONSOLE_CLUSTERS",
    }
    return known.get(text, text)
