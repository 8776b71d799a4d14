"""The image of a container."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from console.knative import validation
from console.knative.changes import Change, Combined, KeepDigest, Redeploy, SetImage
from console.knative.containers import Container
from console.knative.problems import Problem


class ImageForm:
    """One container's image; `typed` keeps what was written, at first what the container names, tag or digest.

    `others` are the digests of the containers beside it: they keep their builds. `again`: a new revision also when
    the image is the same, so that its tag is resolved again.
    """

    def __init__(
        self,
        container: Container,
        data: Mapping[str, Any] | None = None,
        others: Mapping[str, str] | None = None,
    ) -> None:
        self.container = container
        self.others = {name: digest for name, digest in (others or {}).items() if name != container.name}
        self.typed = str(data.get("image", "")).strip() if data else container.image
        self.again = bool(data and "again" in data)
        self.keep_others = "keep_others" in data if data else bool(self.others)
        self.problems: list[Problem] = []

    def is_valid(self) -> bool:
        found = validation.image(self.typed)
        self.problems = [found] if found else []
        return not found

    @property
    def has_problems(self) -> bool:
        return bool(self.problems)

    @property
    def change(self) -> Change:
        """The change that a valid form means. Where no new revision is asked for, no other digest has to be kept."""
        parts: list[Change] = [SetImage(self.container.name, self.typed)]
        if self.keep_others and (self.again or self.typed != self.container.image):
            parts += [KeepDigest(name, digest) for name, digest in self.others.items()]
        if self.again:
            parts.append(Redeploy(timezone.now().isoformat()))
        return Combined(tuple(parts)) if len(parts) > 1 else parts[0]
