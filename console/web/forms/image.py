"""The image of a container."""

from collections.abc import Mapping
from typing import Any

from console.knative import validation
from console.knative.changes import SetImage
from console.knative.objects import Container
from console.knative.traffic import Problem


class ImageForm:
    """One container's image; `typed` keeps what was written."""

    def __init__(self, container: Container, shown: str, data: Mapping[str, Any] | None = None) -> None:
        self.container = container
        self.typed = str(data.get("image", "")).strip() if data else shown
        self.problems: list[Problem] = []

    def is_valid(self) -> bool:
        found = validation.image(self.typed)
        self.problems = [found] if found else []
        return not found

    @property
    def change(self) -> SetImage:
        return SetImage(self.container.name, self.typed)
