"""The image registry and what each image does, by its name alone.

The last part of the repository (before tag and digest) decides. A number after a dash or in the tag, with
an `s` for seconds, sets the time: `example.com/demo/slow-pull:30s`.

| repository's last part | what happens |
|---|---|
| `helloworld-go` | starts; answers `Hello $TARGET!` (World without TARGET) |
| `helloworld-rust` | starts; answers `Hello world: $TARGET` |
| `helloworld`, `helloworld-...` | starts; answers `Hello $TARGET!` |
| `slow-pull`, `slow-pull:30s` | the first pull lasts so long (20 s without a number) |
| `slow-start`, `slow-start:15s` | the container needs so long until its probe succeeds (15 s) |
| `slow-answer`, `slow-answer:2s` | every request takes so long (1 s) |
| `crash`, `crash-...` | exits with code 1 at once; the last log line says why |
| `never-ready` | runs, but its readiness probe never succeeds |
| `pull-backoff` | its digest resolves, but the node cannot pull it |
| `missing`, `missing-...` | the registry has no such manifest: ContainerMissing |
| `private`, `private-...` | the registry asks for credentials: ContainerMissing |
| `over-quota` | the namespace's quota forbids its pods |
| `unschedulable` | no node has resources for its pods |
| `ingress-failure` | the ingress refuses the route: DomainConflict |
| `ingress-stuck` | the load balancer never becomes ready |
| `forbidden` | the cluster's policy refuses the Service (403) |
| anything else | starts; answers with its name, tag and path |

A registry whose host ends in `.invalid` does not exist: `no such host`. Every image has a digest that depends on its
name and tag alone; helloworld-go's begins with 5ea96b.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

DEFAULT_REGISTRY = "index.docker.io"
KNOWN_DIGESTS = {
    "gcr.io/knative-samples/helloworld-go:latest": "5ea96ba4b872685ff4ddb5cd8d1a97ec18c18fae79ee8df0d29f446c5efe5f50",
}
FIRST_PULL_SECONDS = 2.5
SLOW_PULL_SECONDS = 20.0
SLOW_START_SECONDS = 15.0
SLOW_ANSWER_SECONDS = 1.0
START_SECONDS = 0.9
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s$")


@dataclass(frozen=True, slots=True)
class Image:
    """What the sandbox knows about one image reference. Durations are in seconds."""

    reference: str
    host: str
    repository: str
    tag: str
    digest: str
    kind: str = "other"
    resolve_error: str = ""
    pull_seconds: float = FIRST_PULL_SECONDS
    start_seconds: float = START_SECONDS
    answer_seconds: float = 0.0

    @property
    def name(self) -> str:
        """The last part of the repository."""
        return self.repository.rsplit("/", 1)[-1]

    @property
    def pinned(self) -> str:
        """The reference by digest, as Revision.status.containerStatuses carries it."""
        return f"{self.host}/{self.repository}@sha256:{self.digest}"

    @property
    def is_forbidden(self) -> bool:
        """Whether the cluster's policy refuses it."""
        return self.kind == "forbidden"


def inspect(reference: str) -> Image:
    """What is known about `reference`, whatever its text."""
    named, _, digest = reference.partition("@sha256:")
    head, _, rest = named.partition("/")
    has_host = bool(rest) and ("." in head or ":" in head or head == "localhost")
    host, path = (head, rest) if has_host else (DEFAULT_REGISTRY, named)
    repository, colon, tag = path.rpartition(":")
    if not colon:
        repository, tag = path, "latest"
    if host == DEFAULT_REGISTRY and "/" not in repository:
        repository = f"library/{repository}"
    name = repository.rsplit("/", 1)[-1]
    canonical = f"{host}/{repository}:{tag}"
    known = KNOWN_DIGESTS.get(canonical) or hashlib.sha256(canonical.encode()).hexdigest()
    kind, seconds = _kind(name), _seconds(name, tag)
    return Image(
        reference=reference,
        host=host,
        repository=repository,
        tag=tag,
        digest=digest or known,
        kind=kind,
        resolve_error=_resolve_error(host, repository, tag, kind),
        pull_seconds=(seconds or SLOW_PULL_SECONDS) if kind == "slow-pull" else FIRST_PULL_SECONDS,
        start_seconds=(seconds or SLOW_START_SECONDS) if kind == "slow-start" else START_SECONDS,
        answer_seconds=(seconds or SLOW_ANSWER_SECONDS) if kind == "slow-answer" else 0.0,
    )


KINDS = (
    "slow-pull", "slow-start", "slow-answer", "crash", "never-ready", "pull-backoff", "missing", "private",
    "over-quota", "unschedulable", "ingress-failure", "ingress-stuck", "forbidden", "helloworld-go", "helloworld-rust",
    "helloworld",
)  # fmt: skip


def _kind(name: str) -> str:
    return next((kind for kind in KINDS if name == kind or name.startswith(f"{kind}-")), "other")


def _seconds(name: str, tag: str) -> float | None:
    match = _SECONDS.search(tag) or _SECONDS.search(name)
    return float(match.group(1)) if match else None


def _resolve_error(host: str, repository: str, tag: str, kind: str) -> str:
    """Why the tag cannot be resolved to a digest, in the words of go-containerregistry; empty when it can."""
    name = host.partition(":")[0]
    if name.endswith(".invalid"):
        return f'Get "https://{host}/v2/": dial tcp: lookup {name}: no such host'
    url = f"https://{host}/v2/{repository}/manifests/{tag}"
    if kind == "missing":
        return f'GET {url}: MANIFEST_UNKNOWN: Failed to fetch "{tag}"'
    if kind == "private":
        return f"GET {url}: UNAUTHORIZED: authentication required"
    return ""


def digest_of(text: str) -> str:
    """A made-up but stable sha256 for anything."""
    return hashlib.sha256(text.encode()).hexdigest()
