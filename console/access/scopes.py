"""Where a right holds: a pattern of clusters, a pattern of namespaces, labels. Pure; the only wildcard is `*`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache

from console.knative.references import ServiceRef

STAR = "*"


@dataclass(frozen=True, slots=True)
class Scope:
    """The services that both patterns match and that carry every label of the selector.

    One service is the scope of its own names and labels; a namespace is that of its name without labels.
    """

    cluster: str
    namespace: str
    selector: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        labels = selector_text(self.selector)
        return f"{self.cluster}/{self.namespace}" + (f" [{labels}]" if labels else "")

    def covers(self, other: "Scope") -> bool:
        """Whether every service of the other scope is one of this scope too."""
        return not self.misses(other)

    def misses(self, other: "Scope") -> tuple[str, ...]:
        """Return what keeps this scope from covering the other: `cluster`, `namespace`, `selector`."""
        found = []
        if not matches(self.cluster, other.cluster):
            found.append("cluster")
        if not matches(self.namespace, other.namespace):
            found.append("namespace")
        if not self.selector.items() <= other.selector.items():
            found.append("selector")
        return tuple(found)

    def overlaps(self, other: "Scope") -> bool:
        """Whether there could be a service that belongs to both scopes."""
        return (
            patterns_meet(self.cluster, other.cluster)
            and patterns_meet(self.namespace, other.namespace)
            and all(other.selector.get(key, value) == value for key, value in self.selector.items())
        )


def of_service(ref: ServiceRef, labels: Mapping[str, str]) -> Scope:
    """Return the scope that holds this one service."""
    return Scope(ref.cluster, ref.namespace, labels)


def matches(pattern: str, name: str) -> bool:
    """Whether the pattern matches the name; and, given a pattern as `name`, whether it covers that one.

    Reading the inner pattern's `*` as a letter that only a `*` can match decides inclusion exactly: what the outer
    star took for that letter it also takes for any text in its place.
    """
    return fnmatchcase(name, _only_stars(pattern))


def patterns_meet(one: str, other: str) -> bool:
    """Whether some name is matched by both patterns."""
    if STAR not in one:
        return matches(other, one)
    if STAR not in other:
        return matches(one, other)
    (head, tail), (other_head, other_tail) = _ends(one), _ends(other)
    heads = head.startswith(other_head) or other_head.startswith(head)
    return heads and (tail.endswith(other_tail) or other_tail.endswith(tail))


def parse_selector(text: str) -> dict[str, str]:
    """Return the labels of `app=shop,tier=front`; raises ValueError for anything else."""
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise ValueError(part)
        found[key.strip()] = value.strip()
    return found


def selector_text(selector: Mapping[str, str]) -> str:
    """Return the labels as `parse_selector` reads them, in the order of their keys."""
    return ",".join(f"{key}={value}" for key, value in sorted(selector.items()))


@lru_cache(maxsize=4096)
def _only_stars(pattern: str) -> str:
    """The pattern with fnmatch's other wildcards taken literally."""
    return pattern.replace("[", "[[]").replace("?", "[?]")


def _ends(pattern: str) -> tuple[str, str]:
    return pattern[: pattern.index(STAR)], pattern[pattern.rindex(STAR) + 1 :]
