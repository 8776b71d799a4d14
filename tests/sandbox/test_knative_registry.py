"""Images told by their names, and the answers of their programs."""

from __future__ import annotations

import pytest

from console.sandbox.knative import registry
from console.sandbox.knative.clock import Clock
from console.sandbox.knative.programs import answer
from console.sandbox.knative.registry import inspect


@pytest.mark.parametrize(
    ("reference", "host", "repository", "tag"),
    [
        ("nginx", "index.docker.io", "library/nginx", "latest"),
        ("team/app:1.2", "index.docker.io", "team/app", "1.2"),
        ("localhost:5000/app", "localhost:5000", "app", "latest"),
        ("gcr.io/knative-samples/helloworld-go", "gcr.io", "knative-samples/helloworld-go", "latest"),
        ("registry.example.com/a/b:3@sha256:" + "a" * 64, "registry.example.com", "a/b", "3"),
    ],
)
def test_references_are_read_as_a_registry_client_reads_them(
    reference: str, host: str, repository: str, tag: str
) -> None:
    image = inspect(reference)
    assert (image.host, image.repository, image.tag) == (host, repository, tag)


def test_digests_are_stable_and_follow_name_and_tag() -> None:
    assert inspect("gcr.io/knative-samples/helloworld-go").digest.startswith("5ea96b")
    assert inspect("a.example/b:1").digest == inspect("a.example/b:1").digest != inspect("a.example/b:2").digest
    assert inspect("a.example/b@sha256:" + "c" * 64).digest == "c" * 64


@pytest.mark.parametrize(
    ("reference", "field", "seconds"),
    [
        ("r.example/demo/slow-pull:30s", "pull_seconds", 30),
        ("r.example/demo/slow-pull", "pull_seconds", registry.SLOW_PULL_SECONDS),
        ("r.example/demo/slow-pull-45s", "pull_seconds", 45),
        ("r.example/demo/slow-start:2.5s", "start_seconds", 2.5),
        ("r.example/demo/slow-answer:2s", "answer_seconds", 2),
        ("r.example/demo/other:30s", "pull_seconds", registry.FIRST_PULL_SECONDS),
    ],
)
def test_times_are_in_the_name(reference: str, field: str, seconds: float) -> None:
    assert getattr(inspect(reference), field) == seconds


@pytest.mark.parametrize(
    ("reference", "environment", "body"),
    [
        ("gcr.io/knative-samples/helloworld-go", {"TARGET": "First"}, "Hello First!\n"),
        ("gcr.io/knative-samples/helloworld-go", {}, "Hello World!\n"),
        ("gcr.io/knative-samples/helloworld-rust", {"TARGET": "Second"}, "Hello world: Second"),
        ("gcr.io/knative-samples/helloworld-python", {"TARGET": "Third"}, "Hello Third!\n"),
        ("registry.example.com/shop/cart:1.2", {}, "cart 1.2 answers /items\n"),
    ],
)
def test_what_the_programs_answer(reference: str, environment: dict[str, str], body: str) -> None:
    assert answer(inspect(reference), environment, "/items").body == body


def test_every_kind_is_explained() -> None:
    documented = registry.__doc__ or ""
    assert all(f"`{kind}" in documented for kind in registry.KINDS)


def test_a_clock_needs_a_speed_above_zero() -> None:
    assert Clock(50).scaled(100) == 2
    with pytest.raises(ValueError, match="above zero"):
        Clock(0)
