"""The kn command that has the effect of a change, or the reason why there is none.

It is found from the difference between the service and what the change makes of it, field by field, so that it cannot
miss a change that somebody adds: a field that kn has no flag for is a reason. tests/support/kn_model.py is kn.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from console.knative.changes import Change, Verb
from console.knative.kn_command.container import container_flags
from console.knative.kn_command.limits import KnLimit, NotInKn, refuse
from console.knative.kn_command.shell import quoted, shell_variables
from console.knative.kn_command.template import annotation_flags, label_flags, pod_flags
from console.knative.kn_command.traffic import split_flags
from console.knative.kn_command.volumes import mount_flags
from console.knative.objects import USER_IMAGE, Service

__all__ = ["KnCommand", "KnLimit", "command", "shell_variables", "update"]

# Flags that kn does not count as a change of the template. With any other it stamps the template with the time, which
# makes a new revision, and keeps the running digest of a service that it made itself.
_NO_MUTATION = ("--pull-policy", "--traffic", "--tag", "--untag", "--cluster-local", "--no-cluster-local")


@dataclass(frozen=True, slots=True)
class KnCommand:
    """`text` is a line for a POSIX shell; empty where kn cannot express the change, and `limit` says why.

    `adds_revision` where kn makes a revision though the change itself makes none.
    """

    text: str = ""
    limit: KnLimit | None = None
    adds_revision: bool = False


def command(change: Change, before: Service, after: Service) -> KnCommand:
    """Return the kn command for a change that makes `after` of `before`. It holds no value of a variable."""
    if change.verb is Verb.UPDATE:
        return update(before, after)
    name, where = change.object_name(after if after.name else before), after.namespace or before.namespace
    source = " --filename service.yaml" if change.verb is Verb.CREATE else ""
    return KnCommand(f"kn {change.verb} {name} --namespace {where}{source}")


def update(before: Service, after: Service) -> KnCommand:
    """Return `kn service update` that makes `after` of `before`; one without text or limit where both are the same."""
    if before.raw == after.raw:
        return KnCommand()
    try:
        flags = (*_flags(before, after),)
        flags += (*_image_flags(before, after, flags),)
        _refuse_kept_name(before, after, flags)
    except NotInKn as error:
        return KnCommand(limit=error.limit)
    line = " ".join((f"kn service update {after.name} --namespace {after.namespace}", *flags))
    return KnCommand(line, adds_revision=any(map(_mutates, flags)) and before.template == after.template)


def _flags(before: Service, after: Service) -> Iterator[str]:
    _refuse_others(before.raw, after.raw, {"metadata", "spec", "status"})
    _refuse_others(before.metadata, after.metadata, {"labels", "annotations"})
    _refuse_others(before.spec, after.spec, {"template", "traffic"})
    _refuse_others(before.template, after.template, {"metadata", "spec"})
    old, new = (one.template.get("metadata") or {} for one in (before, after))
    _refuse_others(old, new, {"name", "labels", "annotations"})
    yield from _container_flags(before, after)
    yield from mount_flags(before.template_spec, after.template_spec)
    yield from pod_flags(before.template_spec, after.template_spec)
    yield from label_flags(before, after)
    yield from annotation_flags(before, after)
    if new.get("name") and new["name"] != old.get("name"):
        refuse(KnLimit.NO_FLAG, when=not str(new["name"]).startswith(f"{after.name}-"))  # kn puts that before it
        yield f"--revision-name {quoted(str(new['name']))}"
    if before.spec.get("traffic") != after.spec.get("traffic"):
        yield from split_flags(before.spec_traffic, after.spec_traffic)


def _refuse_others(before: Mapping[str, Any], after: Mapping[str, Any], known: set[str]) -> None:
    """Raise NotInKn where a field differs that is not among the known ones."""
    differ = (key for key in {**before, **after} if (before.get(key) or None) != (after.get(key) or None))
    refuse(KnLimit.NO_FLAG, when=set(differ) - known)


def _container_flags(before: Service, after: Service) -> Iterator[str]:
    (old, *others), (new, *still) = ([one.raw for one in service.containers] or [{}] for service in (before, after))
    refuse(KnLimit.OTHER_CONTAINER, when=others != still or old.get("name") != new.get("name"))
    yield from container_flags(old, new)


def _image_flags(before: Service, after: Service, flags: tuple[str, ...]) -> Iterator[str]:
    """The image of the first container: where it changes, where nothing else does, and where kn would pin it.

    A service that kn made (it has the annotation) is pinned to the running digest by any command without `--image`.
    """
    if not after.containers:
        return
    image = after.containers[0].image
    is_changed = before.containers[0].image != image
    recorded = USER_IMAGE in before.template_annotations
    serves_first = before.containers[0] == before.user_container
    would_pin = recorded and any(map(_mutates, flags)) and not (serves_first and "@" in image)
    if is_changed or would_pin or not flags:
        yield f"--image {quoted(image)}"
        if recorded and not serves_first and "@" not in image:  # kn notes the first container's, whichever serves
            note = f"{USER_IMAGE}={after.template_annotations.get(USER_IMAGE, '')}"
            yield f"--annotation-revision {quoted(note)}"


def _refuse_kept_name(before: Service, after: Service, flags: tuple[str, ...]) -> None:
    """kn keeps the template's name, and the webhook refuses a template that changes under its name."""
    name = (before.template.get("metadata") or {}).get("name")
    changes = any(map(_mutates, flags)) or before.template != after.template
    is_named = any(flag.startswith("--revision-name ") for flag in flags)
    refuse(KnLimit.NAMED_TEMPLATE, when=name and changes and not is_named)


def _mutates(flag: str) -> bool:
    return flag.partition(" ")[0] not in _NO_MUTATION
