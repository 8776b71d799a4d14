"""What a cluster's settings make its webhook refuse is known beforehand: one table, held against the sandbox."""

from __future__ import annotations

import itertools

import pytest

from console.knative.capabilities import Capabilities
from console.knative.cluster_bounds import BOUNDS, Bound, refused
from console.knative.cluster_defaults import OTHERS
from console.sandbox.knative.settings import Settings
from console.sandbox.knative.validation.scaling import scaling_problems
from console.sandbox.knative.validation.templates import revision_spec_problems
from tests import factories

GROUP = "autoscaling.knative.dev"
NUMBERS = ("0", "1", "2", "19", "20", "21", "600", "601", "1000", "1001")
VALUES = {
    "metric": ("concurrency", "rps", "cpu", "memory"),
    **dict.fromkeys(("timeout", "concurrency", "max", "initial"), NUMBERS),
}
SETTINGS = {
    "max-revision-timeout-seconds": ("", "600", "20"),
    "container-concurrency-max-limit": ("", "1000", "20"),
    "allow-container-concurrency-zero": ("", "true", "false"),
    "max-scale-limit": ("", "0", "20"),
    "allow-zero-initial-scale": ("", "true", "True", "false"),
    "pod-autoscaler-class": ("", f"kpa.{GROUP}", f"hpa.{GROUP}", "mine.example.com"),
}
SPECS = {"timeout": "timeoutSeconds", "concurrency": "containerConcurrency"}
ANNOTATIONS = {"max": "max-scale", "initial": "initial-scale", "metric": "metric"}


def by_webhook(field: str, value: str, maps: dict[str, dict[str, str]]) -> bool:
    """Whether the webhook refuses the value, asked with all that it checks of a template."""
    settings = Settings(maps)
    spec = {"containers": [{"name": "app", "image": "registry.example.com/shop:1", "resources": {}}]}
    if field in SPECS:
        return bool(revision_spec_problems({**spec, SPECS[field]: int(value)}, settings))
    return bool(scaling_problems({f"{GROUP}/{ANNOTATIONS[field]}": value}, settings))


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda one: one.key.name)
def test_the_table_says_what_the_webhook_says(bound: Bound) -> None:
    told = []
    for setting, value in itertools.product(SETTINGS[bound.key.name], VALUES[bound.field]):
        maps = {bound.key.config: {bound.key.name: setting} if setting else {}}
        known = factories.capabilities(**{config.replace("-", "_"): data for config, data in maps.items()}).defaults
        found = refused(bound.field, value, known)
        assert (found is not None) == by_webhook(bound.field, value, maps), (setting, value)
        told.append(found)
    assert len(set(map(bool, told))) == 2, "a setting that refuses nothing, or everything, is no bound"


def test_a_cluster_whose_settings_are_not_shown_refuses_nothing_before_it_is_asked() -> None:
    known = Capabilities().defaults
    assert [(name, value) for name in VALUES for value in VALUES[name] if refused(name, value, known)] == []


def test_a_service_with_an_autoscaler_of_its_own_has_the_metrics_of_that() -> None:
    known = factories.capabilities().defaults
    assert refused("metric", "cpu", known) is not None
    assert refused("metric", "cpu", known, scaler=f"hpa.{GROUP}") is None
    by_hpa = factories.capabilities(config_autoscaler={"pod-autoscaler-class": f"hpa.{GROUP}"}).defaults
    assert refused("metric", "cpu", by_hpa, scaler=f"kpa.{GROUP}") is not None


def test_every_setting_that_bounds_a_value_is_on_the_page_of_the_cluster() -> None:
    assert {bound.key for bound in BOUNDS} <= set(OTHERS)
