"""The credentials of a cluster, and where they may be sent."""

import ipaddress
import re
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from console.cluster.guarding import tls_context

MAX_TOKEN = 16 * 1024  # characters
_TOKEN = re.compile(r"[\x21-\x7e]+")


class InvalidCredential(Exception):
    """A text cannot be used as what it was given for; `code` says why, for the text of a page."""

    def __init__(self, code: str, **facts: str) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Credential:
    """A bearer token, or a client certificate with its key (PEM). Never shown, not even in a traceback."""

    token: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    key: str = field(default="", repr=False)

    def __bool__(self) -> bool:
        return bool(self.token or self.certificate or self.key)

    def to_data(self) -> dict[str, str]:
        return asdict(self)

    def check(self) -> None:
        """Raise InvalidCredential when it cannot be sent, or is none."""
        if not self:
            raise InvalidCredential("credential-missing")
        if self.token and (self.certificate or self.key):
            raise InvalidCredential("credential-twice")
        if self.token and (not _TOKEN.fullmatch(self.token) or len(self.token) > MAX_TOKEN):
            raise InvalidCredential("token-invalid")
        if bool(self.certificate) != bool(self.key):
            raise InvalidCredential("key-missing")
        if self.certificate:
            try:
                tls_context("", self.certificate, self.key)
            except ValueError as error:
                raise InvalidCredential("certificate-invalid") from error


def check_authority(ca: str) -> None:
    """Raise InvalidCredential when the text is not a certificate in PEM."""
    try:
        tls_context(ca)
        fingerprint(ca)
    except ValueError as error:
        raise InvalidCredential("ca-invalid") from error


def fingerprint(ca: str) -> str:
    """Return the SHA-256 of the first certificate, for people to compare; empty for the system's authorities."""
    if not ca:
        return ""
    found = x509.load_pem_x509_certificates(ca.encode())[0].fingerprint(hashes.SHA256())
    return "sha256:" + found.hex()


def address(text: str, *, loopback: bool) -> str:
    """Return the API server's address without a trailing slash; raises InvalidCredential.

    Only https, so that nobody on the way reads the token; plain http to this machine, where that is allowed.
    """
    if not text.isascii() or not text.isprintable() or " " in text:
        raise InvalidCredential("address-invalid")
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname or "", parts.port
    except ValueError as error:
        raise InvalidCredential("address-invalid") from error
    if not host or parts.query or parts.fragment or parts.username is not None or parts.password is not None:
        raise InvalidCredential("address-invalid")
    if parts.scheme == "https" or (parts.scheme == "http" and loopback and _is_this_machine(host)):
        return text.rstrip("/")
    raise InvalidCredential("address-not-https")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
