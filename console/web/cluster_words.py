"""What can be wrong with a cluster's address, credential or connection, in words for people, with what to do."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.registry import Report, Trouble, Unfit

_UNFIT = {
    "address-invalid": gettext_lazy("Write the API server's address, as https://cluster.example.com:6443."),
    "address-not-https": gettext_lazy(
        "The address must begin with https://: over plain HTTP anybody on the way could read the token."
    ),
    "ca-invalid": gettext_lazy("This is no certificate in PEM (-----BEGIN CERTIFICATE-----)."),
    "credential-missing": gettext_lazy("Give a bearer token, or a client certificate with its key."),
    "credential-twice": gettext_lazy("Give either a token or a client certificate, not both."),
    "token-invalid": gettext_lazy("This is no bearer token: it has spaces, line breaks or signs that no token has."),
    "key-missing": gettext_lazy("A client certificate and its key belong together: give both."),
    "certificate-invalid": gettext_lazy(
        "The client certificate and key cannot be used: both must be PEM and belong together, and the key must have "
        "no password."
    ),
    "kubeconfig-not-yaml": gettext_lazy(
        "This is no kubeconfig: it must be YAML of at most 256 KiB, without aliases. Paste what “kubectl config view "
        "--raw --flatten --minify” prints."
    ),
    "kubeconfig-no-contexts": gettext_lazy("There is no context in it. Paste a whole kubeconfig."),
    "kubeconfig-too-many": gettext_lazy("It has more than %(limit)s contexts; paste one with “--minify”."),
    "kubeconfig-context-unknown": gettext_lazy("There is no context “%(name)s” in it."),
    "kubeconfig-incomplete": gettext_lazy("The context “%(name)s” names a cluster or user that is not in the file."),
    "kubeconfig-exec": gettext_lazy(
        "The context “%(name)s” signs in by a program (%(key)s), which the console does not run. Make a service "
        "account in the cluster and use its token."
    ),
    "kubeconfig-file": gettext_lazy(
        "The context “%(name)s” refers to a file (%(key)s), which the console does not read. Paste what “kubectl "
        "config view --raw --flatten” prints."
    ),
    "kubeconfig-password": gettext_lazy(
        "The context “%(name)s” signs in with a name and password, which Kubernetes no longer accepts. Use a token."
    ),
    "kubeconfig-as": gettext_lazy(
        "The context “%(name)s” acts as somebody else (%(key)s). Leave that out; the console impersonates by itself."
    ),
    "kubeconfig-proxy": gettext_lazy(
        "The context “%(name)s” goes through a proxy (%(key)s), which the console does not do."
    ),
    "kubeconfig-server-name": gettext_lazy(
        "The context “%(name)s” expects another name in the certificate (%(key)s). Use an address that the "
        "certificate names."
    ),
    "kubeconfig-insecure": gettext_lazy(
        "The context “%(name)s” does not check the server's certificate (insecure-skip-tls-verify). Give the cluster's "
        "CA certificate instead."
    ),
    "kubeconfig-not-text": gettext_lazy("“%(key)s” is not a text."),
    "kubeconfig-not-base64": gettext_lazy("“%(key)s” is not base64 of a PEM text."),
}

_TROUBLES = {
    Trouble.NONE: gettext_lazy("The cluster answers, and Knative is there."),
    Trouble.ADDRESS: gettext_lazy(
        "This address must not be used for a cluster: it leads into this machine, to the local link or to a cloud's "
        "metadata service."
    ),
    Trouble.NAME: gettext_lazy("The host name is not known. Check how it is written, and the console's name server."),
    Trouble.CONNECTION: gettext_lazy(
        "Nothing listens there: the connection is refused. Check the port; 6443 and 443 are usual."
    ),
    Trouble.TIMEOUT: gettext_lazy("No answer in time. A firewall may swallow the packets, or the address is wrong."),
    Trouble.AUTHORITY: gettext_lazy(
        "The server's certificate is signed by an authority that is not trusted. Give the cluster's CA certificate "
        "(certificate-authority-data of its kubeconfig)."
    ),
    Trouble.HOST: gettext_lazy("The server's certificate is for other names. Use an address that it names."),
    Trouble.EXPIRED: gettext_lazy("The server's certificate is out of date, or the console's clock is."),
    Trouble.TLS: gettext_lazy("No TLS connection can be made. Is it the API server's port?"),
    Trouble.UNREACHABLE: gettext_lazy("The connection cannot be made, or broke."),
    Trouble.REDIRECT: gettext_lazy(
        "The server redirects somewhere else. The console does not follow, for it would take the credential along; "
        "give the API server's own address."
    ),
    Trouble.NOT_KUBERNETES: gettext_lazy("Something answers there, but not as a Kubernetes API server does."),
    Trouble.UNAUTHORIZED: gettext_lazy("The cluster does not accept the credential (401): it is wrong or has expired."),
    Trouble.FORBIDDEN: gettext_lazy("The cluster knows the credential but allows it nothing (403)."),
    Trouble.NO_KNATIVE: gettext_lazy("The cluster answers, but Knative Serving is not installed there."),
    Trouble.MAY_NOT_READ: gettext_lazy(
        "The account may not list and watch what the console shows. Bind the roles of deploy/kubernetes/roles.yaml "
        "to it."
    ),
    Trouble.FAILED: gettext_lazy("The cluster answers with an error."),
}


def unfit(found: Unfit) -> str:
    """Return why a text cannot be used, and what to do."""
    return str(_UNFIT[found.code]) % found.facts


def verdict(report: Report) -> str:
    """Return what a test of a connection found, in one or two sentences."""
    return str(_TROUBLES[report.trouble])


def origin(text: str) -> str:
    """Return where a cluster comes from."""
    known = {
        "console": _("added in the console"),
        "in-cluster": _("the cluster the console runs in"),
        "url": "CONSOLE_CLUSTERS",
    }
    return known.get(text, text)
