"""The pod's own fields, labels and annotations as kn's flags."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from console.knative.changes.template import AUTOSCALING, SCALE_FIELDS
from console.knative.kn_command.entries import gone_entries, pair_flags, set_entries
from console.knative.kn_command.limits import KnLimit, refuse
from console.knative.kn_command.shell import quoted
from console.knative.objects import UPDATE_TIMESTAMP, USER_IMAGE, VISIBILITY, Service

Raw = Mapping[str, Any]
_ELSEWHERE = ("containers", "volumes")
_BOOKKEEPING = (USER_IMAGE, UPDATE_TIMESTAMP)  # kn's own, written with the image and at every change
_SCALE_FLAGS = {AUTOSCALING + name: flag for name, flag in SCALE_FIELDS.values()}
_TEXT_FLAGS = ("--scale-metric", "--scale-window")


def pod_flags(before: Raw, after: Raw) -> Iterable[str]:
    """Yield the flags for every field of the pod spec that differs; raises NotInKn for one without a flag."""
    for field in {**before, **after}:
        old, new = before.get(field), after.get(field)
        if field in _ELSEWHERE or old == new or (not old and not new and field not in _NUMBERS):
            continue
        refuse(KnLimit.NO_FLAG, when=field not in _FIELDS)
        yield from _FIELDS[field](old, new)


def _number(flag: str) -> Callable[[Any, Any], Iterable[str]]:
    def flags(_old: Any, new: Any) -> Iterable[str]:
        refuse(KnLimit.NO_REMOVAL, when=new is None)
        yield f"{flag} {new}"

    return flags


def _service_account(_old: Any, new: str | None) -> Iterable[str]:
    yield f"--service-account {quoted(new or '')}"


def _pull_secret(_old: Any, new: Sequence[Raw] | None) -> Iterable[str]:
    names = [str(entry.get("name", "")) for entry in new or ()]
    refuse(KnLimit.PULL_SECRETS, when=len(names) > 1)
    yield f"--pull-secret {quoted(''.join(names))}"


def _toleration(old: Sequence[Raw] | None, new: Sequence[Raw] | None) -> Iterable[str]:
    """kn adds one toleration, of four plain fields, to those that are there."""
    *kept, added = [*(new or ())] or [{}]
    words = [f"{word.title()}={added[word]}" for word in _TOLERATION if added.get(word)]
    is_plain = words and set(added) <= {*_TOLERATION} and not any(mark in word for word in words for mark in ',"')
    refuse(KnLimit.TOLERATIONS, when=kept != [*(old or ())] or not is_plain)
    yield f"--toleration {quoted(','.join(words))}"


_TOLERATION = ("key", "operator", "value", "effect")
_NUMBERS = ("containerConcurrency", "timeoutSeconds")  # 0 is not the same as nothing
_FIELDS: Mapping[str, Callable[[Any, Any], Iterable[str]]] = {
    "containerConcurrency": _number("--concurrency-limit"),
    "timeoutSeconds": _number("--timeout"),
    "serviceAccountName": _service_account,
    "imagePullSecrets": _pull_secret,
    "nodeSelector": lambda old, new: pair_flags("--node-selector", old or {}, new or {}),
    "tolerations": _toleration,
}


def label_flags(before: Service, after: Service) -> Iterable[str]:
    """Yield the flags for the labels of the service and of its template."""
    old, new = dict(before.labels), dict(after.labels)
    visibility, wanted = old.pop(VISIBILITY, None), new.pop(VISIBILITY, None)
    if visibility != wanted:
        refuse(KnLimit.NO_FLAG, when=wanted not in (None, "cluster-local"))
        yield "--cluster-local" if wanted else "--no-cluster-local"
    yield from pair_flags("--label-service", old, new)
    yield from pair_flags("--label-revision", _metadata(before, "labels"), _metadata(after, "labels"))


def annotation_flags(before: Service, after: Service) -> Iterable[str]:
    """Yield the flags for the annotations of the service and of its template; raises NotInKn.

    kn takes one away by `--annotation K-` only, from both at once; with the flags for one of them it makes a key `K-`.
    """
    service = before.annotations, after.annotations
    template = tuple(
        {key: value for key, value in _metadata(one, "annotations").items() if key not in _BOOKKEEPING}
        for one in (before, after)
    )
    set_on_service = set_entries(*service)
    refuse(KnLimit.NO_FLAG, when=any(key.startswith(AUTOSCALING) for key in set_on_service))
    yield from (f"--annotation-service {quoted(f'{key}={value}')}" for key, value in set_on_service.items())
    yield from (_revision_annotation(key, value) for key, value in set_entries(*template).items())
    gone = dict.fromkeys([*gone_entries(*service), *gone_entries(*template)])
    refuse(KnLimit.ANNOTATION_ON_BOTH, when=any(key in service[1] or key in template[1] for key in gone))
    yield from (f"--annotation {quoted(f'{key}-')}" for key in gone)


def _revision_annotation(key: str, value: str) -> str:
    """kn reads the numbers of its own flags as Go does (010 is eight), so other spellings are written as they are."""
    flag = _SCALE_FLAGS.get(key, "")
    if flag in _TEXT_FLAGS or (flag and value.isascii() and value.isdecimal() and str(int(value)) == value):
        return f"{flag} {quoted(value)}"
    return f"--annotation-revision {quoted(f'{key}={value}')}"


def _metadata(service: Service, kind: str) -> Mapping[str, str]:
    return (service.template.get("metadata") or {}).get(kind) or {}
