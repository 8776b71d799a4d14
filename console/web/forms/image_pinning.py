"""Whether the build that runs now stays, or its tag is resolved again: asked wherever a change makes a revision."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from console.knative.changes import Change, Combined, KeepDigest, ResolveImage, permissions
from console.knative.changes.image import tagged_image
from console.knative.containers import Container
from console.knative.effects import DEPLOY
from console.knative.objects import Revision, Service


@dataclass(frozen=True, slots=True)
class DigestChoice:
    """What can be chosen for a container, and what was. `running` are digests of the containers that name a tag.

    `tagged` is the tag that the container of the form, when pinned, could go back to.
    """

    container: str
    running: Mapping[str, str]
    tagged: str = ""
    keep: bool = True
    resolve: bool = False

    @property
    def digest(self) -> str:
        """The digest of the container that the form is about."""
        return self.running.get(self.container, "")

    @property
    def resolves(self) -> bool:
        """The tag is to be re-resolved: a separate change."""
        return bool(self.tagged and self.resolve)

    @property
    def changes(self) -> tuple[Change, ...]:
        """What the choice adds to a change: sidecars keep their builds too."""
        resolved = (ResolveImage(self.container),) if self.resolves else ()
        kept = (KeepDigest(name, digest) for name, digest in self.running.items()) if self.keep else ()
        return (*kept, *resolved)

    def with_(self, change: Change) -> Change:
        """Return the change together with what was chosen.

        Not to keep what runs is to take what the tag names by then. Beside a change that deploys nothing itself that is
        said, so that it is judged as deploying.
        """
        more = self.changes
        if not self.keep and DEPLOY not in permissions(change):
            more = (*map(ResolveImage, self.running), *more)
        return Combined((*change.parts, *more)) if more else change


def choice(
    service: Service, container: Container, revisions: Iterable[Revision], data: Mapping[str, Any] | None = None
) -> DigestChoice:
    """Return the choice that a form offers, or what was chosen in `data`."""
    return DigestChoice(
        container.name,
        running_digests(service, revisions),
        tagged_image(service, container.name),
        keep=data is None or "keep_digest" in data,
        resolve=data is not None and "resolve_image" in data,
    )


def running_digests(service: Service, revisions: Iterable[Revision]) -> dict[str, str]:
    """Return the digests that the latest ready revision runs, of containers that name a tag.

    Only where that revision was made from the same image: one that did not come up is not what runs.
    """
    latest = next((one for one in revisions if one.name == service.latest_ready_revision), None)
    if latest is None:
        return {}
    made_from = {container.name: container.image for container in latest.containers}
    return {
        container.name: latest.digests[container.name]
        for container in service.containers
        if "@" not in container.image
        and container.name in latest.digests
        and made_from.get(container.name) == container.image
    }
