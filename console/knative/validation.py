"""What the console refuses before a cluster sees it, with the reason as a code and facts."""

import re
from decimal import Decimal

from console.knative.problems import Problem
from console.knative.redaction import MASK

# Knative's runtime contract sets these itself; the webhook refuses them (recording: reserved-env).
RESERVED_ENV = frozenset({"PORT", "K_SERVICE", "K_CONFIGURATION", "K_REVISION"})
# A container that takes no requests has no port of Knative's (serving, k8s_validation.go: reservedSidecarEnvVars).
RESERVED_SIDECAR_ENV = RESERVED_ENV - {"PORT"}
# An object above about 1.5 MiB does not fit into etcd; one value of this size is a mistake already.
MAX_VALUE_BYTES = 128 * 1024
MIN_BYTES = 4 * 1024**2  # no container starts with less memory
MAX_IMAGE_CHARACTERS = 1024

_ENV_NAME = re.compile(r"^[-._a-zA-Z][-._a-zA-Z0-9]*$")  # Kubernetes' IsEnvVarName
_COMMON_ENV_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
# The grammar of distribution/reference: [domain[:port]/]path[:tag][@digest]. As there, a first part without a dot, a
# port or the word localhost is not a domain, so its capitals are refused.
_LABEL = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)"
_DOMAIN = rf"(?:localhost(?::[0-9]+)?|{_LABEL}(?:\.{_LABEL})+(?::[0-9]+)?|{_LABEL}:[0-9]+)"
_PATH = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"^(?:{_DOMAIN}/)?{_PATH}(?:/{_PATH})*(?::[\w][\w.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}}|@sha512:[0-9a-f]{{128}})?$",
    re.ASCII,
)
_DNS_1035 = re.compile(r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$")
_QUANTITY = re.compile(r"^([0-9]+(\.[0-9]*)?|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,3})?$")
_WITHOUT_UNIT = re.compile(r"^([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([num]?)$")
_POWERS = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "K": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_FRACTIONS = {"": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|h|m|s)")
_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
_LABEL_KEY = re.compile(r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")
_LABEL_VALUE = re.compile(r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$")


def env_name(name: str, *, is_sidecar: bool = False) -> Problem | None:
    """Return what is wrong with a variable's name, or None."""
    if not name:
        return Problem("env-name-empty")
    if name in (RESERVED_SIDECAR_ENV if is_sidecar else RESERVED_ENV):
        return Problem("env-name-reserved", {"name": name})
    if not _ENV_NAME.fullmatch(name):
        return Problem("env-name-invalid", {"name": name[:80]})
    return None


def is_odd_env_name(name: str) -> bool:
    """Legal for Kubernetes, unusable in most shells: worth a warning."""
    return bool(_ENV_NAME.fullmatch(name)) and not _COMMON_ENV_NAME.fullmatch(name)


def env_value(value: str) -> Problem | None:
    """Return what is wrong with a variable's value, or None."""
    size = len(value.encode())
    if size > MAX_VALUE_BYTES:
        return Problem("env-value-too-long", {"size": size, "limit": MAX_VALUE_BYTES})
    if "\x00" in value:
        return Problem("env-value-nul")
    return masked(value)


def masked(value: str) -> Problem | None:
    """Refuse a value that contains the mask: it replaces a value that was not shown, and would be written."""
    return Problem("env-value-masked") if MASK in value else None


def image(reference: str) -> Problem | None:
    """Return what is wrong with an image reference, or None."""
    if not reference:
        return Problem("image-empty")
    if len(reference) > MAX_IMAGE_CHARACTERS or not _IMAGE.fullmatch(reference):
        return Problem("image-invalid", {"image": reference[:120]})
    return None


def service_name(name: str) -> Problem | None:
    return None if _DNS_1035.fullmatch(name) else Problem("name-invalid", {"name": name[:80]})


def quantity(value: str) -> Problem | None:
    """Return what is wrong with a Kubernetes quantity (`100m`, `128Mi`), or None."""
    return None if _QUANTITY.fullmatch(value) else Problem("quantity-invalid", {"value": value[:40]})


def amount(value: str) -> Decimal:
    """Return what a quantity amounts to: `100m` is 0.1, `1Ki` is 1024."""
    match = _QUANTITY.fullmatch(value)
    if not match:
        raise ValueError(value)
    number, unit = Decimal(match[1]), match[3] or ""
    if unit in _POWERS:
        return number.scaleb(_POWERS[unit])
    if unit.endswith("i"):
        return number * Decimal(1024) ** (_BINARY.index(unit) + 1)
    return number.scaleb(int(unit[1:]))  # e3


def memory(value: str) -> Problem | None:
    """Return what is wrong with a quantity of memory, or None: a small number without a unit is a slip for Mi."""
    if found := quantity(value):
        return found
    match = _WITHOUT_UNIT.fullmatch(value)
    if not match or not 0 < float(match[1]) * _FRACTIONS[match[2]] < MIN_BYTES:
        return None
    return Problem("memory-without-unit", {"value": value, "meant": f"{match[1]}Mi"})


def annotation_key(key: str) -> Problem | None:
    """Return what is wrong with the key of an annotation, or None: capitals are legal in every part of it.

    Kubernetes checks it in lower case (apimachinery, ValidateAnnotations).
    """
    return None if _LABEL_KEY.fullmatch(key.lower()) else Problem("label-key-invalid", {"key": key[:80]})


def label(key: str, value: str) -> Problem | None:
    """Return what is wrong with a label, or None (Kubernetes: labels and selectors)."""
    if not _LABEL_KEY.fullmatch(key):
        return Problem("label-key-invalid", {"key": key[:80]})
    return None if _LABEL_VALUE.fullmatch(value) else Problem("label-value-invalid", {"value": value[:80]})


def is_in_whole_seconds(duration: str) -> bool:
    """Whether a duration as Go writes it (`1m30s`) has no part of a second."""
    return milliseconds(duration) % 1000 == 0


def milliseconds(duration: str) -> Decimal:
    """Return how long a duration as Go writes it is."""
    parts = _DURATION_PART.findall(duration)
    return sum((Decimal(number) * _MILLISECONDS[unit] for number, unit in parts), Decimal(0))
