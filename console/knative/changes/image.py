"""Changes of which image runs: another one, the same digest kept, its tag resolved again, the same once more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from console.knative.changes.base import (
    Act,
    Change,
    ChangeRefused,
    JudgedBy,
    edited_template,
    find_container,
    result,
    template_metadata,
)
from console.knative.images import Reference
from console.knative.objects import UPDATE_TIMESTAMP, USER_IMAGE, Service
from console.knative.paths import TEMPLATE_ANNOTATIONS, FieldPath, container_path
from console.knative.problems import Problem


@dataclass(frozen=True, slots=True)
class SetImage(Change):
    """Run another image. kn's annotation with the human name follows for the container that serves requests.

    The current image again is not a change, even if the annotation or the template's name would differ.
    """

    container: str
    image: str
    permission: ClassVar[str] = "deploy"

    def apply(self, service: Service) -> Service:
        raw, template = edited_template(service)
        container = find_container(template, self.container)
        if container.get("image") == self.image:
            return service
        container["image"] = self.image
        if _is_user_container(service, self.container):
            template_metadata(template, "annotations")[USER_IMAGE] = self.image
        return result(service, raw)

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({container_path(self.container, "image")})


@dataclass(frozen=True, slots=True)
class KeepDigest(Change):
    """Keep running the digest that runs now when something else changes, as kn's --lock-to-digest does.

    Without it Knative resolves the tag again, and an env change may silently bring a new build.
    """

    container: str
    digest: str
    permission: ClassVar[str] = "deploy"
    judged_by: ClassVar[JudgedBy] = JudgedBy.NOTHING
    is_companion: ClassVar[bool] = True

    def apply(self, service: Service) -> Service:
        raw, template = edited_template(service)
        container = find_container(template, self.container)
        name = str(container.get("image", ""))
        if not self.digest.startswith("sha256:"):
            raise ChangeRefused(Problem("digest-unknown", {"image": name}))
        if "@" not in name:
            container["image"] = f"{Reference.read(name).repository}@{self.digest}"
            if _is_user_container(service, self.container):
                template_metadata(template, "annotations")[USER_IMAGE] = name
        return result(service, raw)

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({container_path(self.container, "image"), (*TEMPLATE_ANNOTATIONS, USER_IMAGE)})


@dataclass(frozen=True, slots=True)
class ResolveImage(Change):
    """Let go of a pinned digest, so that Knative resolves the tag again, as kn's --no-lock-to-digest does.

    The tag is the one that kn's annotation remembers. Where nothing is pinned, or no tag is known, nothing changes.
    """

    container: str
    permission: ClassVar[str] = "deploy"
    judged_by: ClassVar[JudgedBy] = JudgedBy.KIND
    is_companion: ClassVar[bool] = True

    def apply(self, service: Service) -> Service:
        raw, template = edited_template(service)
        container = find_container(template, self.container)
        tagged = tagged_image(service, self.container)
        if tagged:
            container["image"] = tagged
        return result(service, raw)

    def touches(self) -> frozenset[FieldPath]:
        return frozenset({container_path(self.container, "image")})


@dataclass(frozen=True, slots=True)
class Restart(Change):
    """New pods of what runs now: a new revision of the same template, each container at its digest.

    Nothing else can come along, so that it needs no right to deploy. `digests` are by container; one without stays as
    it is written. `at`: an ISO timestamp.
    """

    at: str
    digests: Mapping[str, str]
    permission: ClassVar[str] = "operate"
    act: ClassVar[Act] = Act.RESTART
    judged_by: ClassVar[JudgedBy] = JudgedBy.KIND
    is_companion: ClassVar[bool] = True
    makes_pods: ClassVar[bool] = True

    @property
    def kept_digests(self) -> Mapping[str, str]:
        return self.digests

    def apply(self, service: Service) -> Service:
        for name, digest in self.digests.items():
            service = KeepDigest(name, digest).apply(service)
        raw, template = edited_template(service)
        template_metadata(template, "annotations")[UPDATE_TIMESTAMP] = self.at
        return result(service, raw)

    def touches(self) -> frozenset[FieldPath]:
        kept = (path for name, digest in self.digests.items() for path in KeepDigest(name, digest).touches())
        return frozenset({(*TEMPLATE_ANNOTATIONS, UPDATE_TIMESTAMP), *kept})


def tagged_image(service: Service, container: str) -> str:
    """Return the image with its tag that a pinned container was made from; empty when there is none to go back to."""
    found = next((one for one in service.containers if one.name == container), None)
    if found is None or "@" not in found.image or not _is_user_container(service, container):
        return ""
    named = Reference.read(service.image)
    if not named.digest:
        return service.image
    return f"{named.repository}:{named.tag}" if named.tag else ""


def _is_user_container(service: Service, name: str) -> bool:
    container = service.user_container
    return container is not None and container.name == name
