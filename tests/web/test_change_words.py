"""What a change changes, in words: the first thing that its author, its approver and a list say of it."""

from __future__ import annotations

import copy

from django.utils import translation

from console.knative.changes import (
    Change,
    Combined,
    CreateService,
    DeleteRevision,
    EnvEntry,
    KeepDigest,
    Restart,
    SetConcurrency,
    SetEnv,
    SetImage,
    SetResources,
    SetScale,
    SplitTraffic,
    apply_to,
)
from console.knative.diff import FieldChange, diff
from console.knative.objects import Service
from console.knative.traffic import TrafficTarget
from console.knative.values import unmask
from console.operations.models import Operation
from console.web import change_words, summaries
from tests import factories
from tests.operations.factories import GO, RUST, manifest


def service(**status) -> Service:
    raw = manifest("hello")
    raw["spec"]["traffic"] = [{"latestRevision": True, "percent": 100}]
    raw["status"] = {"latestReadyRevisionName": "hello-00002", **status}
    return Service(raw)


def lines(change: Change, before: Service, *, reveals: bool = False) -> list[str]:
    applied = apply_to(change, before)
    rows = applied.difference
    if reveals:
        rows = unmask(rows, before, applied.after, old=lambda _: True, new=lambda _: True)
    return [line.text for line in change_words.lines(rows, before)]


def edited(edit) -> list[str]:
    """The lines of any edit of the template."""
    before = service()
    after = copy.deepcopy(before.raw)
    edit(after["spec"]["template"])
    return [line.text for line in change_words.lines(diff(before.raw, after), before)]


def stored(row: FieldChange) -> dict[str, object]:
    return {"path": list(row.path), "before": row.before, "after": row.after}


def test_a_variable_is_told_with_its_values_to_who_may_see_them_and_to_nobody_else() -> None:
    change = SetEnv("app", (EnvEntry("TARGET", "Second"),))
    assert lines(change, service(), reveals=True) == ["TARGET: First → Second"]
    assert lines(change, service()) == ["TARGET: changed"]


def told(after: str) -> str:
    """What becomes of TARGET."""
    (line,) = lines(SetEnv("app", (EnvEntry("TARGET", after),)), service(), reveals=True)
    return line.partition("→ ")[2]


def test_line_breaks_and_spaces_that_nobody_sees_are_told() -> None:
    assert told("Enter\n") == "Enter↵ (ends with a newline)"
    assert told("a\nb") == "a↵b"
    assert told(" a") == " a (begins with whitespace)"
    assert told("\na\t") == "↵a\t (begins with a newline, ends with whitespace)"
    assert told(" ") == "  (begins with whitespace, ends with whitespace)"
    assert told("y" * 200 + "\n").endswith("… (ends with a newline)")


def test_a_line_break_that_alone_differs_is_told() -> None:
    assert told("First\n") == "First↵ (ends with a newline)"


def test_a_variable_that_comes_or_goes_is_told_as_such() -> None:
    change = SetEnv("app", (EnvEntry("NEW", "1"),), remove=("PASSWORD",))
    assert sorted(lines(change, service())) == ["NEW: added", "PASSWORD: removed"]
    assert sorted(lines(change, service(), reveals=True)) == [
        "NEW: not set → 1",
        "PASSWORD: canary-secret-first → not set",
    ]


def test_a_reference_that_becomes_a_value_is_one_line() -> None:
    assert lines(SetEnv("app", (EnvEntry("DB", "postgres"),)), service()) == ["DB: secret db/url → ••••"]


def test_images_are_told_by_what_differs() -> None:
    assert lines(SetImage("app", RUST), service()) == ["image: helloworld-go → helloworld-rust"]
    assert lines(SetImage("app", f"{GO}:2"), service()) == ["image: helloworld-go → helloworld-go:2"]
    assert lines(SetImage("app", "registry.example.com/hello"), service()) == [
        f"image: {GO} → registry.example.com/hello"
    ]


def test_another_container_is_named() -> None:
    change = SetImage("sidecar", "gcr.io/knative-samples/sidecar:2")
    assert lines(change, service()) == ["image (sidecar): sidecar → sidecar:2"]


def test_an_image_that_only_keeps_its_build_comes_last() -> None:
    change = Combined((KeepDigest("app", "sha256:" + "5ea96b" + "0" * 58), SetEnv("app", (EnvEntry("TARGET", "2"),))))
    found = change_words.lines(apply_to(change, service()).difference, service())
    assert [(line.text, line.is_minor) for line in found] == [
        ("TARGET: changed", False),
        ("image: helloworld-go → helloworld-go (pinned to 5ea96b)", True),
    ]


def test_an_image_that_is_pinned_keeps_its_tag_in_words_and_in_no_title() -> None:
    before = service()
    before.template_spec["containers"][0]["image"] = "registry.example.com/cart:1.2.1"
    pin = KeepDigest("app", "sha256:" + "f6c7ef" + "0" * 58)
    change = Combined((pin, SetEnv("app", (EnvEntry("TARGET", "2"),))))
    assert lines(change, before) == ["TARGET: changed", "image: cart:1.2.1 → cart:1.2.1 (pinned to f6c7ef)"]
    rows = apply_to(change, before).difference
    assert summaries.of_operation(Operation(changes=[stored(row) for row in rows])) == "TARGET: changed"
    other = SetImage("app", "registry.example.com/cart@sha256:" + "a" * 64)
    assert lines(other, before) == ["image: cart:1.2.1 → cart (pinned to aaaaaa)"], "nobody knows what tag that has"


def test_resources_and_scale_are_named_as_on_their_form() -> None:
    change = SetResources("app", limits={"memory": "512Mi"}, requests={"cpu": "250m"})
    before = service()
    before.raw["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"memory": "256Mi"}}
    assert sorted(lines(change, before)) == ["CPU request: not set → 250m", "memory limit: 256Mi → 512Mi"]
    assert lines(SetScale({"max": "9"}), service()) == ["max scale: 5 → 9"]


def test_a_limit_of_nothing_is_told_as_no_limit() -> None:
    assert lines(SetConcurrency(0), service()) == ["concurrency limit: not set → no limit"]
    assert lines(SetScale({"max": "0"}), service()) == ["max scale: 5 → no limit"]
    assert lines(SetScale({"min": "0"}), service()) == ["min scale: not set → 0"]


def test_a_split_is_told_by_revision_and_says_what_new_ones_get() -> None:
    split = SplitTraffic((TrafficTarget("hello-00001", 50), TrafficTarget("hello-00002", 50)))
    assert lines(split, service()) == [
        "hello-00002: 100% → 50%",
        "hello-00001: 0% → 50%",
        "new revisions: 100% → 0%",
    ]


def test_a_split_without_the_service_beside_it_names_latest() -> None:
    rows = [{"path": ["spec", "traffic"], "before": None, "after": "50% hello-00001, 50% @latest", "secret": False}]
    assert [line.text for line in change_words.lines(rows)] == ["@latest: 100% → 50%", "hello-00001: 0% → 50%"]


def test_a_new_revision_gets_its_share_beside_those_that_serve() -> None:
    split = SplitTraffic((TrafficTarget("hello-00002", 95), TrafficTarget(None, 5, follows_latest=True)))
    assert lines(Combined((SetImage("app", RUST), split)), service()) == [
        "image: helloworld-go → helloworld-rust",
        "hello-00002: 100% → 95%",
        "new revision: 5%",
    ]


def test_tags_are_told_by_what_they_point_to() -> None:
    before = Service(factories.service())
    targets = (
        TrafficTarget("shop-00003", 90),
        TrafficTarget("shop-00004", 10, "canary"),
        TrafficTarget("shop-00004", 0, "stable"),
    )
    assert lines(SplitTraffic(targets), before) == [
        "tag stable: shop-00003 → shop-00004",
        "tag next: shop-00004 → not set",
    ]


def test_a_restart_says_that_the_spec_stays() -> None:
    assert lines(Restart("2026-11-26T10:00:00Z", {}), service()) == ["New revision, same spec"]


def test_deletions_and_new_services_are_told_without_arrows() -> None:
    row = FieldChange(("revision",), "hello-00001", None)
    assert [line.text for line in change_words.lines([row])] == ["hello-00001: deleted"]
    assert DeleteRevision("hello-00001").object_name(service()) == "hello-00001"
    found = lines(CreateService(manifest("hello")), Service({}))
    assert "image: gcr.io/knative-samples/helloworld-go" in found
    assert "TARGET: added" in found
    assert not [line for line in found if line.startswith(("name", "kind", "metadata", "container"))]


def created(**edits) -> list[str]:
    """The lines of a new service as the dry run gives it back, with what Knative fills in."""
    container = {"name": "user-container", "image": GO, "resources": {}}
    container["readinessProbe"] = edits.pop("probe", {"successThreshold": 1, "tcpSocket": {"port": 0}})
    defaults = {"containerConcurrency": 0, "timeoutSeconds": 300, "enableServiceLinks": False}
    traffic = [{"latestRevision": True, "percent": 100}]
    spec = {"template": {"spec": {"containers": [container], **defaults, **edits}}, "traffic": traffic}
    metadata = {"name": "hello", "namespace": "default"}
    raw = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": metadata, "spec": spec}
    return [line.text for line in change_words.lines(diff({}, raw), Service({}))]


def test_a_new_service_is_told_without_what_knative_fills_in() -> None:
    image = "image: gcr.io/knative-samples/helloworld-go"
    assert created() == [image]
    assert created(timeoutSeconds=60) == [image, "request timeout (s): 60"]
    assert created(probe={"httpGet": {"path": "/up", "port": 0}, "successThreshold": 1})[1:] == [
        "readiness probe: added"
    ]


def test_a_thing_with_many_fields_is_one_line_when_it_comes_or_goes() -> None:
    def probe(template) -> None:
        template["spec"]["containers"][0]["livenessProbe"] = {"httpGet": {"path": "/"}, "periodSeconds": 5}

    def mount(template) -> None:
        template["spec"]["volumes"] += [{"name": "tls", "secret": {"secretName": "tls"}}]
        template["spec"]["containers"][0]["volumeMounts"] += [{"name": "tls", "mountPath": "/tls", "readOnly": True}]

    assert edited(probe) == ["liveness probe: added"]
    assert edited(mount) == ["mount /tls: added", "volume tls: added"]


def test_a_field_inside_a_probe_is_told_by_its_path() -> None:
    def edit(template) -> None:
        template["spec"]["containers"][0]["readinessProbe"]["httpGet"]["path"] = "/ready"

    assert edited(edit) == ["readiness probe httpGet.path: / → /ready"]


def test_what_has_no_word_is_told_by_the_name_of_the_api() -> None:
    def edit(template) -> None:
        template["spec"]["fieldOfTomorrow"] = {"deep": {"one": "1"}}
        template["spec"]["containers"][0]["ports"] = [{"containerPort": 9090, "name": "h2c"}]

    assert edited(edit) == ["port: 8080 → 9090 (h2c)", "fieldOfTomorrow: added"]


def test_a_long_value_is_cut_and_a_difference_beyond_the_cut_is_still_told() -> None:
    path = ("spec", "template", "metadata", "annotations", "note")
    row = FieldChange(path, "x" * 200 + "a", "x" * 200 + "b")
    (line,) = change_words.lines([row])
    assert line.text == "revision annotation note: changed"
    (line,) = change_words.lines([FieldChange(path, "a", "y" * 200)])
    assert len(line.what) < 100


def test_lists_get_the_first_lines_and_how_many_more() -> None:
    rows = [FieldChange(("metadata", "labels", f"l{n}"), None, "1") for n in range(5)]
    assert change_words.summary(change_words.lines(rows), 1) == "label l0: not set → 1 and 4 more"


def test_in_chinese_no_english_word_is_left() -> None:
    with translation.override("zh-hans"):
        assert lines(SetScale({"max": None}), service()) == ["最大副本数（max scale）：5 → 未设置"]
