"""What is printed without names, times and numbers that differ each time."""

from __future__ import annotations

import re

_AGE = r"(?:\d+[smhdy]){1,2}"
_RULES: tuple[tuple[str, str], ...] = (
    (r"@sha256:[0-9a-f]{64}", ""),  # a real cluster without a registry resolves none
    (r"ko://knative\.dev/serving/cmd/queue|gcr\.io/knative-releases/knative\.dev/serving/cmd/queue", "<queue-proxy>"),
    (r"gateway\.(stand-in|sandbox)\.svc\.cluster\.local", "<gateway>"),
    (r"\b(stand-in|sandbox-worker)\b", "<node>"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uid>"),
    (r"-deployment-[a-z0-9]{5,10}-[a-z0-9]{5}\b", "-deployment-<hash>-<pod>"),
    (r"-deployment-[a-z0-9]{8,10}\b", "-deployment-<hash>"),
    (r"(pod-template-hash|deployment-hash)([=:] ?)[a-z0-9]+", r"\1\2<hash>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<time>"),
    (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000", "<time>"),
    (r"([Rr]esource ?[Vv]ersion:? +\"?|\"resourceVersion\": \")\d+", r"\1<version>"),
    (r"(resourceVersion: \")\d+", r"\1<version>"),
    (r"\.[0-9a-f]{16}\b", ".<time>"),  # of an event's name
    (r"(Invalid value: )\"\{.*\}\"(: strict)", r'\1"<object>"\2'),
    (r"\b\d+\.\d+\.\d+\.\d+\b", "<ip>"),
    (rf"(?<![\w.:/-]){_AGE}(?![\w.-])", "<age>"),
    (r"<age> \(x\d+ over <age>\)", "<age>"),
    (r"^ {13,}(?=node\.kubernetes\.io)", " " * 12),  # its column depends on the names
    (r"/tmp/\S+", "<file>"),
    (r"(?<=\S) {2,}", "  "),
    (r"<age>  \d+  (\S+\.<time>)$", r"<age>  <count>  \1"),  # of an event that was repeated
)  # fmt: skip
_COMPILED = tuple((re.compile(rule), replacement) for rule, replacement in _RULES)
_FIELD = re.compile(r"^ *\w+\t<|^(GROUP|KIND|VERSION|FIELD|FIELDS):")
_OF_THE_CLIENT = re.compile(r"^(Client Version|Kustomize Version|WARNING: version difference)")


def plain_lines(printed: str, *, is_about_fields: bool = False, is_unordered: bool = False) -> list[str]:
    """The lines to compare."""
    lines = [_plain(line) for line in printed.splitlines()]
    lines = [line for line in lines if not _OF_THE_CLIENT.match(line)]
    lines = [line for line in lines if _FIELD.match(line)] if is_about_fields else lines
    return sorted(lines) if is_unordered else lines


def _plain(line: str) -> str:
    for rule, replacement in _COMPILED:
        line = rule.sub(replacement, line)
    return line.rstrip()
