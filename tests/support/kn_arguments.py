"""How kn reads its command line, and the values of its flags (pkg/util/parsing_helper.go, pkg/flags)."""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.kn_meaning import Json, quantity

BOOLEANS = {"cluster-local", "no-cluster-local", "lock-to-digest", "no-lock-to-digest"}
SINGLE = {
    "namespace", "image", "pull-policy", "port", "service-account", "pull-secret", "user", "probe-liveness",
    "probe-liveness-opts", "probe-readiness", "probe-readiness-opts", "scale-min", "scale-max", "scale-init",
    "scale-activation", "scale-metric", "scale-target", "scale-utilization", "scale-window", "concurrency-limit",
    "timeout", "revision-name",
}  # fmt: skip
REPEATED = {
    "env", "env-value-from", "env-from", "mount", "volume", "cmd", "arg", "node-selector", "label-service",
    "label-revision", "annotation", "annotation-service", "annotation-revision",
}  # fmt: skip
SPLIT_AT_COMMAS = {"limit", "request", "toleration", "traffic", "tag", "untag"}


class KnRefused(Exception):
    """kn ends with an error, or crashes."""


def words(line: str, variables: Mapping[str, str] | None = None) -> list[str]:
    """Return the arguments that a POSIX shell hands to kn, with the variables set."""
    script = 'kn() { printf "%s\\0" "$@"; }\n' + line
    shell = ["sh", "-u", "-c", script]
    done = subprocess.run(shell, env=dict(variables or {}), capture_output=True, check=True, stdin=subprocess.DEVNULL)
    assert not done.stderr, done.stderr
    return done.stdout.decode().split("\0")[:-1]


def parsed(arguments: list[str]) -> tuple[str, dict[str, list[str]], list[tuple[str, str]]]:
    names: list[str] = []
    flags: dict[str, list[str]] = {}
    order: list[tuple[str, str]] = []
    queue = list(arguments)
    while queue:
        word = queue.pop(0)
        if not word.startswith("-") or word == "-":
            names.append(word)
            continue
        flag, is_joined, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or flag not in BOOLEANS | SINGLE | REPEATED | SPLIT_AT_COMMAS:
            raise KnRefused(f"unknown flag {word}")
        if flag in BOOLEANS:
            value = "true"
        elif not is_joined:
            if not queue:
                raise KnRefused(f"flag needs an argument: {word}")
            value = queue.pop(0)
        if flag == "image" and flags.get(flag):
            raise KnRefused("can be provided only once")
        order.append((flag, value))
        found = value.split(",") if flag in SPLIT_AT_COMMAS else [value]
        flags[flag] = [value] if flag in SINGLE else [*flags.get(flag, ()), *found]
    if len(names) != 1:
        raise KnRefused("requires the service name given as single argument")
    return names[0], flags, order


def ordered(texts: Any) -> tuple[dict[str, str], list[str]]:
    """util.OrderedMapAndRemovalListFromArray."""
    wanted: dict[str, str] = {}
    removed = []
    for text in texts:
        key, is_pair, value = text.partition("=")
        if is_pair:
            wanted[key] = value
        elif key.endswith("-"):
            removed.append(key[:-1])
        else:
            raise KnRefused(f"argument requires a value that contains =; got {text}")
    return wanted, removed


def singles(texts: Any) -> dict[str, str]:
    """util.MapFromArrayAllowingSingles."""
    found: dict[str, str] = {}
    for text in texts:
        key, is_pair, value = text.partition("=")
        if is_pair and (not key or key in found):
            raise KnRefused(f"The key {key} has been duplicate")
        found[key] = value
    return found


def pairs_or_gone(texts: Any) -> tuple[dict[str, str], list[str]]:
    """The same, followed by util.ParseMinusSuffix."""
    found = singles(texts)
    removed = [key[:-1] for key in found if key.endswith("-")]
    return {key: value for key, value in found.items() if not key.endswith("-")}, removed


def remove_first(entries: list[Json], value: object, key: Callable[[Json], object]) -> None:
    at = next((index for index, entry in enumerate(entries) if key(entry) == value), None)
    if at is not None:
        del entries[at]


def literal(name: str, value: str) -> Json:
    return {"name": name, "value": value}


def reference(name: str, text: str) -> Json:
    kind, *rest = (part.strip() for part in text.split(":", 2))
    key = {"secret": "secretKeyRef", "sc": "secretKeyRef", "cm": "configMapKeyRef", "config-map": "configMapKeyRef"}
    if kind not in key or len(rest) != 2 or not all(rest):
        raise KnRefused(f"--env-value-from {text}")
    return {"name": name, "valueFrom": {key[kind]: {"name": rest[0], "key": rest[1]}}}


def source(text: str) -> tuple[str, str]:
    kind, _, name = text.partition(":")
    key = {"secret": "secretRef", "sc": "secretRef", "cm": "configMapRef", "config-map": "configMapRef"}.get(kind)
    if key is None or not name.strip() or ":" in name:
        raise KnRefused(f"--env-from {text}")
    return key, name.strip()


def env_source(entry: Json) -> tuple[str, str]:
    kind = "configMapRef" if entry.get("configMapRef") else "secretRef"
    return kind, (entry.get(kind) or {}).get("name", "")


def volume_source(text: str) -> Json:
    kind, name, *rest = text.split(":", 2)
    if kind in ("emptyDir", "ed"):
        return {"emptyDir": _empty_dir(rest[0]) if rest else {}}
    if rest or not name:
        raise KnRefused(f"incorrect mount details {text}")
    if kind in ("secret", "sc"):
        return {"secret": {"secretName": name}}
    if kind in ("cm", "config-map"):
        return {"configMap": {"name": name}}
    if kind in ("pvc", "persistentVolumeClaim"):
        return {"persistentVolumeClaim": {"claimName": name}}
    raise KnRefused(f"unsupported volume type {kind}")


def _empty_dir(text: str) -> Json:
    found: Json = {}
    for part in text.split(",", 1):
        key, is_pair, value = part.partition("=")
        field = {"type": "medium", "size": "sizeLimit"}.get(key.lower())
        if not is_pair or field is None or field in found:
            raise KnRefused("incorrect format to specify emptyDir type")
        if field == "sizeLimit":
            quantity(value)
        found[field] = value
    return found


def mount_options(text: str) -> tuple[str, bool | None]:
    name, has_options, options = text.partition(":")
    if not has_options:
        return name, None
    key, is_pair, value = options.partition("=")
    if key.lower() != "readonly" or not is_pair or value not in ("true", "false"):
        raise KnRefused(f"unknown mount option {options}")
    return name, value == "true"


def handler(text: str) -> Json:
    kind, *parts = text.split(":")
    if kind in ("http", "https") and len(parts) == 3:
        host, port, path = parts
        scheme = {"scheme": "HTTPS"} if kind == "https" else {}
        return {"httpGet": {"host": host, "port": _port(port) if port else 0, "path": path, **scheme}}
    if kind == "exec" and len(parts) == 1 and parts[0]:
        return {"exec": {"command": parts[0].split(",")}}
    if kind == "tcp" and len(parts) == 2:
        return {"tcpSocket": {"host": parts[0], "port": _port(parts[1])}}
    raise KnRefused(f"unexpected probe format {text}")


def _port(text: str) -> int | str:
    return int(text) if re.fullmatch(r"-?[0-9]+", text) else text


def volume_name(path: str) -> str:
    """util.GenerateVolumeName."""
    kept = "".join(
        letter.lower() if letter.isalnum() or letter == "-" else "-"
        for index, letter in enumerate(path)
        if letter != "/" or index
    )
    name = f"{kept}-{hashlib.sha1(path.encode(), usedforsecurity=False).hexdigest()[:8]}"
    name = name if name[0].isalnum() else f"k-{name}"
    return name if len(name) <= 63 else f"{name[:61]}-n"


def check_autoscaling(annotations: Mapping[str, str]) -> None:
    """Knative's own validation, which kn makes of the annotations of one command by themselves."""
    found = {key.removeprefix("autoscaling.knative.dev/"): value for key, value in annotations.items()}
    for key in ("min-scale", "minScale", "max-scale", "maxScale", "initial-scale", "initialScale"):
        if key in found and not re.fullmatch(r"\+?[0-9]+", found[key]):
            raise KnRefused(f"invalid value: {found[key]}: {key}")
    for key in ("target", "target-utilization-percentage"):
        if key in found and not re.fullmatch(r"[0-9]+(\.[0-9]*)?|\.[0-9]+", found[key]):
            raise KnRefused(f"invalid value: {found[key]}: {key}")
    low, high = int(found.get("min-scale", "0")), int(found.get("max-scale", "0"))
    if high and high < low:
        raise KnRefused(f"max-scale={high} is less than min-scale={low}")
    if "metric" in found:
        autoscaler = found.get("class", "kpa.autoscaling.knative.dev")
        if autoscaler == "kpa.autoscaling.knative.dev" and found["metric"] not in ("concurrency", "rps"):
            raise KnRefused(f"invalid value: {found['metric']}: metric")


def go_integer(flag: str, text: str) -> int:
    """As Go's ParseInt with base 0 reads it: 010 is eight."""
    if not re.fullmatch(r"[+-]?(0|[1-9][0-9]*|0[0-7]+)", text):
        raise KnRefused(f"invalid argument {text!r} for --{flag}")
    digits = text.lstrip("+-")
    number = int(digits, 8 if digits.startswith("0") and digits != "0" else 10)
    return -number if text.startswith("-") else number
