"""Which names Kubernetes takes, with its own words for what is wrong."""

from __future__ import annotations

import hashlib
import json
import re

LABEL_LIMIT = 63

_DNS_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_DNS_1123_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_TOO_LONG = f"must be no more than {LABEL_LIMIT} characters"
_DNS_1035_RULE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_QUALIFIED_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)

_QUALIFIED_FORM = (
    f"a valid label key {_QUALIFIED_RULE.removeprefix('name part ')} with an optional DNS subdomain prefix and '/' "
    "(e.g. 'example.com/MyName')"
)
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_SUBDOMAIN_LIMIT = 253
_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)

# The parts of a reference as go-containerregistry takes them with its weak validation.
_TAG = re.compile(r"[a-z0-9_.A-Z-]{1,128}")
_REPOSITORY = re.compile(r"[a-z0-9_./-]{2,255}")
_REGISTRY = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=-]*(:[0-9]*)?|\[[0-9A-Fa-f:.]+\](:[0-9]*)?")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def dns_1035_problem(name: str) -> str:
    """What is wrong with a DNS-1035 label, in Go's `[... ...]` form; empty when nothing is."""
    problems = []
    if len(name) > LABEL_LIMIT:
        problems.append(_TOO_LONG)
    if not _DNS_1035.fullmatch(name):
        problems.append(_DNS_1035_RULE)
    return f"[{' '.join(problems)}]" if problems else ""


def is_dns_1123_label(name: str) -> bool:
    """Lower case letters, digits and `-`, at most 63."""
    return len(name) <= LABEL_LIMIT and _DNS_1123_LABEL.fullmatch(name) is not None


def qualified_name_problems(name: str, unit: str = "bytes") -> list[str]:
    """What is wrong with the key of a label, or with a name such as a revision's."""
    prefix, slash, name = name.rpartition("/")
    if "/" in prefix:
        return [_QUALIFIED_FORM]
    problems = []
    if slash:
        wrong = subdomain_problems(prefix) if prefix else ["must be non-empty"]
        problems += [f"prefix part {each}" for each in wrong]
    if not name:
        problems.append("name part must be non-empty")
    elif len(name) > LABEL_LIMIT:
        problems.append(f"name part must be no more than {LABEL_LIMIT} {unit}")
    if not _QUALIFIED.fullmatch(name):
        problems.append(_QUALIFIED_RULE)
    return problems


def subdomain_problems(name: str) -> list[str]:
    """What is wrong with a name such as a service account's."""
    problems = []
    if len(name) > _SUBDOMAIN_LIMIT:
        problems.append(f"must be no more than {_SUBDOMAIN_LIMIT} characters")
    if not _SUBDOMAIN.fullmatch(name):
        problems.append(_SUBDOMAIN_RULE)
    return problems


def image_problem(image: str) -> str:
    """Why an image's name cannot be read, in go-containerregistry's words; empty when it can."""
    base, has_digest, digest = image.partition("@")
    if not has_digest:
        return "" if _is_tagged(image) else f"could not parse reference: {image}"
    is_read = _DIGEST.fullmatch(digest) and (_is_tagged(base) or _is_repository(base))
    return "" if is_read else f"could not parse reference: {image}"


def child_name(parent: str, suffix: str) -> str:
    """The name of what belongs to `parent`, cut to a label as kmeta.ChildName does: with its digest."""
    if len(parent) + len(suffix) <= LABEL_LIMIT:
        return f"{parent}{suffix}"
    digest = hashlib.md5(parent.encode(), usedforsecurity=False).hexdigest()
    return f"{parent[: LABEL_LIMIT - len(digest) - len(suffix)]}{digest}{suffix}"


def without_trailing_dash(prefix: str) -> str:
    """A prefix of generated names may end with a dash: what is judged in its stead."""
    return f"{prefix[:-2]}a" if len(prefix) > 1 and prefix.endswith("-") else prefix


def quoted(text: str) -> str:
    """As Go's %q."""
    return json.dumps(text, ensure_ascii=False)


def _is_tagged(image: str) -> bool:
    base, colon, tag = image.rpartition(":")
    if not colon or "/" in tag:
        return _is_repository(image)
    return (not tag or _TAG.fullmatch(tag) is not None) and _is_repository(base)


def _is_repository(name: str) -> bool:
    registry, slash, rest = name.partition("/")
    if not slash or not (set(registry) & set(".:")):
        return _REPOSITORY.fullmatch(name) is not None
    return _REPOSITORY.fullmatch(rest) is not None and _REGISTRY.fullmatch(registry) is not None
