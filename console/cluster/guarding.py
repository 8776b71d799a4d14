"""Connections to an address that a person typed: certificates from memory, and no address inside the machine.

The check happens on the connection that is really open, before a byte (of the credentials, of the TLS handshake) is
sent: a name that answers otherwise the second time it is asked leads nowhere.
"""

import socket
import ssl
import tempfile

import urllib3
from urllib3.connection import HTTPSConnection
from urllib3.util.ssl_ import create_urllib3_context

from console.cluster.addresses import is_forbidden, parse
from console.deadlines import Timed


class AddressForbidden(urllib3.exceptions.HTTPError):
    """The connection goes to a forbidden address, which is in `address`."""

    def __init__(self, address: str) -> None:
        super().__init__(f"The address {address} cannot be used for a cluster")
        self.address = address


def guard(manager: urllib3.PoolManager, *, loopback: bool) -> None:
    """Let the manager's pools connect to allowed addresses only; to this machine too with `loopback`."""
    manager.pool_classes_by_scheme = (
        {"http": _LocalHttpPool, "https": _LocalHttpsPool} if loopback else {"http": _HttpPool, "https": _HttpsPool}
    )


def tls_context(ca: str, certificate: str = "", key: str = "") -> ssl.SSLContext:
    """Return a context that trusts the CA certificates (PEM; the system's when empty) and shows the client's.

    Raises ValueError when a text is not a certificate or key.
    """
    context = create_urllib3_context()
    try:
        if ca:
            context.load_verify_locations(cadata=ca)
        else:
            context.load_default_certs()
        if certificate:
            _load_client_certificate(context, certificate, key)
    except (ssl.SSLError, ValueError) as error:
        raise ValueError("not a certificate with its key, in PEM") from error
    return context


def _load_client_certificate(context: ssl.SSLContext, certificate: str, key: str) -> None:
    # Python reads them from a file only: a private one, for this moment.
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(f"{certificate.strip()}\n{key.strip()}\n")
        file.flush()
        # An encrypted key must fail, not ask a terminal for its password.
        context.load_cert_chain(file.name, password=lambda: b"")


class _Guarded(Timed):
    """A connection that is closed again when it leads where it must not."""

    loopback = False

    def _new_conn(self) -> socket.socket:
        made = super()._new_conn()
        address = str(made.getpeername()[0])
        if is_forbidden(parse(address), loopback=self.loopback):
            made.close()
            raise AddressForbidden(address)
        return made


class _Http(_Guarded):
    pass


class _Https(_Guarded, HTTPSConnection):
    pass


class _LocalHttp(_Guarded):
    loopback = True


class _LocalHttps(_Guarded, HTTPSConnection):
    loopback = True


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Https


class _LocalHttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _LocalHttp


class _LocalHttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _LocalHttps
