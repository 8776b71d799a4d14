"""Image references: their parts, and which of two names people are shown."""

from dataclasses import dataclass, replace

DOCKER_HUB = "docker.io"


@dataclass(frozen=True, slots=True)
class Reference:
    """`[registry/]path[:tag][@digest]`, taken apart. What is not written is empty."""

    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def read(cls, text: str) -> "Reference":
        name, _, digest = text.partition("@")
        path, slash, last = name.rpartition("/")  # a colon before the last slash belongs to the registry's port
        last, _, tag = last.partition(":")
        return cls(f"{path}{slash}{last}", tag, digest)

    @property
    def text(self) -> str:
        """The reference as it is written."""
        tag, digest = f":{self.tag}" if self.tag else "", f"@{self.digest}" if self.digest else ""
        return f"{self.repository}{tag}{digest}"

    @property
    def canonical(self) -> str:
        """The repository as a registry knows it: `nginx` is `docker.io/library/nginx` (distribution/reference)."""
        first, slash, rest = self.repository.partition("/")
        has_registry = bool(slash) and ("." in first or ":" in first or first == "localhost")
        registry, path = (first, rest) if has_registry else (DOCKER_HUB, self.repository)
        if registry == f"index.{DOCKER_HUB}":  # as Knative's digest resolver writes it
            registry = DOCKER_HUB
        if registry == DOCKER_HUB and "/" not in path:
            path = f"library/{path}"
        return f"{registry}/{path}"


def shown(image: str, remembered: str) -> str:
    """Return the name of a container's image for people; `remembered` is kn's annotation user-image.

    The annotation only helps to read a digest, and only while it names the same repository, as `kn service describe`
    has it. Whatever else the container names was written after the annotation, by a tool that does not know it.
    """
    if not remembered:
        return image
    container, annotation = Reference.read(image), Reference.read(remembered)
    is_same = (
        container.digest
        and container.canonical == annotation.canonical
        and annotation.digest in ("", container.digest)
        and container.tag in ("", annotation.tag)
    )
    return remembered if is_same else image


def told_apart(one: str, other: str) -> tuple[Reference, Reference]:
    """Return two images without the part of their repositories that says the same of both: registry and folders."""
    first, second = Reference.read(one), Reference.read(other)
    mine, others = first.repository.split("/"), second.repository.split("/")
    while len(mine) > 1 and len(others) > 1 and mine[0] == others[0]:
        mine, others = mine[1:], others[1:]
    return replace(first, repository="/".join(mine)), replace(second, repository="/".join(others))
