"""Which names Kubernetes takes, with its own words for what is wrong."""

from __future__ import annotations

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

# A reference as go-containerregistry reads it: registry/repository, then a tag or a digest.
_IMAGE = re.compile(
    r"(?:(?=[^/]*[.:]|localhost/)[A-Za-z0-9.-]+(?::\d+)?/)?"
    r"[a-z0-9_./-]{1,255}"
    r"(?::[\w.-]{1,128})?"
    r"(?:@sha256:[0-9a-f]{64})?",
    re.ASCII,
)


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


def qualified_name_problem(name: str) -> str:
    """What is wrong with a name such as a revision's; empty when nothing is."""
    problems = []
    if len(name) > LABEL_LIMIT:
        problems.append(f"name part {_TOO_LONG}")
    if not _QUALIFIED.fullmatch(name):
        problems.append(_QUALIFIED_RULE)
    return ", ".join(problems)


def is_image_reference(image: str) -> bool:
    """Whether go-containerregistry's weak validation would parse it."""
    return _IMAGE.fullmatch(image) is not None
