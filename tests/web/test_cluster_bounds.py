"""A value that the cluster would refuse is refused beside its field, before the cluster is asked."""

from __future__ import annotations

from typing import Any

import pytest

from console.knative.capabilities import Capabilities
from console.knative.objects import Service
from console.web.forms.scale import OperateForm, ScaleForm
from console.web.forms.settings import SettingsForm
from tests import factories
from tests.web.sent_back import sent_back

STRICT = factories.capabilities(
    config_autoscaler={"max-scale-limit": "20"},
    config_defaults={"max-revision-timeout-seconds": "900", "allow-container-concurrency-zero": "false"},
)
CASES = [
    ("timeout", "901", "This cluster accepts at most 900."),
    ("concurrency", "1001", "This cluster accepts at most 1000."),
    (
        "concurrency",
        "0",
        "This cluster does not accept 0. That needs allow-container-concurrency-zero: true in config-defaults.",
    ),
    ("max", "21", "This cluster accepts at most 20."),
    ("max", "0", "This cluster does not accept 0 (no limit). Enter at most 20."),
    ("initial", "0", "This cluster does not accept 0. That needs allow-zero-initial-scale: true in config-autoscaler."),
    (
        "metric",
        "cpu",
        "The autoscaler of this service accepts only concurrency, rps. Other metrics need another "
        "autoscaling.knative.dev/class.",
    ),
]
OUTSIDE = [("window", "5s"), ("window", "61m"), ("window", "90500ms"), ("activation", "1")]
ACCEPTED = [("timeout", "900"), ("concurrency", "1"), ("max", "20"), ("initial", "1"), ("metric", "rps"),
            ("window", "6s"), ("window", "1h"), ("activation", "2")]  # fmt: skip


def edited(kind: type[ScaleForm], field: str, value: str, known: Capabilities, raw: Any = None) -> ScaleForm:
    """The form as a browser sends it with one field edited."""
    service = Service(raw or factories.service())
    if kind is OperateForm:
        return OperateForm(service, sent_back(OperateForm(service), **{field: value}), capabilities=known)
    container = service.containers[0]
    return SettingsForm(
        service, container, sent_back(SettingsForm(service, container), **{field: value}), capabilities=known
    )


def forms_with(field: str) -> list[type[ScaleForm]]:
    return [SettingsForm] if field == "timeout" else [SettingsForm, OperateForm]


@pytest.mark.parametrize(("field", "value", "told"), CASES)
def test_what_the_cluster_would_refuse_is_told_beside_its_field(field: str, value: str, told: str) -> None:
    for kind in forms_with(field):
        form = edited(kind, field, value, STRICT)
        assert not form.is_valid()
        assert form.errors == {field: [told]}
        assert edited(kind, field, value, Capabilities()).is_valid(), "what nobody knows, the dry run says"


@pytest.mark.parametrize(("field", "value"), OUTSIDE)
def test_what_every_cluster_refuses_is_told_beside_its_field(field: str, value: str) -> None:
    for kind in forms_with(field):
        assert list(edited(kind, field, value, Capabilities()).errors) == [field]


@pytest.mark.parametrize(("field", "value"), ACCEPTED)
def test_what_the_cluster_accepts_is_accepted(field: str, value: str) -> None:
    for kind in forms_with(field):
        assert edited(kind, field, value, STRICT).is_valid()


def test_a_value_that_the_service_has_already_is_no_problem_of_another_field() -> None:
    raw = factories.service()
    raw["spec"]["template"]["metadata"]["annotations"]["autoscaling.knative.dev/initial-scale"] = "0"
    form = edited(OperateForm, "min", "2", STRICT, raw)
    assert form.is_valid()


def test_a_service_whose_autoscaler_knows_the_metric_may_have_it() -> None:
    raw = factories.service()
    raw["spec"]["template"]["metadata"]["annotations"]["autoscaling.knative.dev/class"] = "hpa.autoscaling.knative.dev"
    assert edited(OperateForm, "metric", "cpu", STRICT, raw).is_valid()
