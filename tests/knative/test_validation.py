"""What is refused before a cluster sees it, and what must not be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.knative import traffic, validation
from console.knative.problems import Problem
from console.knative.traffic import TrafficTarget

HEX = "0123456789abcdef"


@pytest.mark.parametrize(
    ("check", "good"),
    [
        (validation.env_name, "TARGET"),
        (validation.image, "nginx:1.2"),
        (validation.service_name, "shop"),
        (validation.quantity, "100m"),
        (lambda key: validation.label(key, ""), "app"),
        (lambda value: validation.label("app", value), "v1"),
    ],
)
def test_a_trailing_line_break_is_no_part_of_a_name(check: Callable[[str], Problem | None], good: str) -> None:
    assert check(good) is None
    assert check(good + "\n")


def test_a_tag_with_a_line_break_is_refused() -> None:
    (problem,) = traffic.problems([TrafficTarget("a", 100, "blue\n")])
    assert problem.code == "tag-invalid"


@pytest.mark.parametrize("value", ["1", "0.5", "1.", ".5", "100m", "128Mi", "2Gi", "1e3", "1E-2", "2E", "4Ei", "7n"])
def test_quantities_of_kubernetes_pass(value: str) -> None:
    assert validation.quantity(value) is None


@pytest.mark.parametrize("value", ["", ".", "-1", "1 Gi", "1gb", "1MiB", "Mi", "1,5", "1ee3", "١"])
def test_other_quantities_are_refused(value: str) -> None:
    assert validation.quantity(value)


@pytest.mark.parametrize(
    ("value", "meant"), [("256", "256Mi"), ("0.5", "0.5Mi"), ("256m", "256Mi"), ("4194303", "4194303Mi")]
)
def test_memory_without_its_unit_is_refused_with_what_is_meant(value: str, meant: str) -> None:
    problem = validation.memory(value)
    assert problem
    assert (problem.code, problem.facts["meant"]) == ("memory-without-unit", meant)


@pytest.mark.parametrize("value", ["4Mi", "1Mi", "512k", "4194304", "107374182400m", "128M", "5e6", "2Gi", "0"])
def test_memory_with_a_unit_or_of_many_bytes_passes(value: str) -> None:
    assert validation.memory(value) is None


def test_memory_that_is_no_quantity_is_told_as_such() -> None:
    problem = validation.memory("much")
    assert problem
    assert problem.code == "quantity-invalid"


@pytest.mark.parametrize("image", ["UPPER/x", "a/B", "x:tag:tag", "x@sha256:" + "0" * 63, "x@sha256:" + "A" * 64, "/x"])
def test_images_that_a_registry_could_not_have_are_refused(image: str) -> None:
    assert validation.image(image)


@given(
    st.sampled_from(["", "localhost/", "localhost:5000/", "gcr.io/", "a.b-c.example.com:443/", "registry:5000/"]),
    st.lists(st.sampled_from(["a", "knative-samples", "a.b", "a__b", "x1"]), min_size=1, max_size=3),
    st.sampled_from(["", ":latest", ":1.2_3-rc", ":" + "t" * 128]),
    st.none() | st.text(HEX, min_size=64, max_size=64),
)
def test_every_reference_of_the_grammar_passes(domain: str, path: list[str], tag: str, digest: str | None) -> None:
    assert validation.image(domain + "/".join(path) + tag + (f"@sha256:{digest}" if digest else "")) is None


def test_odd_names_of_variables_are_for_a_warning_only() -> None:
    assert validation.env_name("my.setting-1") is None
    assert validation.is_odd_env_name("my.setting-1")
    assert not validation.is_odd_env_name("MY_SETTING_1")
    assert not validation.is_odd_env_name("1BAD NAME"), "that one is refused"


def test_the_limit_of_a_value_counts_bytes() -> None:
    assert validation.env_value("é" * (validation.MAX_VALUE_BYTES // 2)) is None
    problem = validation.env_value("é" * (validation.MAX_VALUE_BYTES // 2) + "x")
    assert problem
    assert problem.facts["size"] == validation.MAX_VALUE_BYTES + 1


@pytest.mark.parametrize(
    ("key", "value", "good"),
    [
        ("app.kubernetes.io/name", "shop", True),
        ("a" * 63, "", True),
        ("a" * 64, "", False),
        ("-a", "", False),
        ("a/b/c", "", False),
        ("Upper.example.com/a", "", False),
        ("a", "with space", False),
        ("a", "x" * 64, False),
    ],
)
def test_labels_follow_kubernetes(key: str, value: str, good: bool) -> None:
    assert (validation.label(key, value) is None) is good
