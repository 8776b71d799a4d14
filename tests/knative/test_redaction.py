"""What is secret in an object, in whatever field it stands, and what may be read in its messages."""

from __future__ import annotations

import base64
import copy
import gzip
import json
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from console.knative.changes import ChangeRefused, ReplaceManifest, SetAnnotations, SetCommand, SetProbe
from console.knative.diff import diff
from console.knative.objects import Service
from console.knative.redaction import (
    MASK,
    hide_messages,
    hide_texts,
    mask_env,
    put_back,
    redact_text,
    seal_env,
    secrets_of,
    without_digests,
)
from console.knative.secret_texts import _Halves
from tests import factories

CANARY = "canary-4f1d9a07c2"
OTHER = "canary-99bb01ce55"
KEY = b"key"

# masked-words.yaml: values that are also words of ordinary messages.
MASKED_WORDS = yaml.safe_load("""
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: payments}
spec:
  template:
    spec:
      containers:
      - image: registry.example.com/shop/crash:1
        env:
        - {name: OTEL_SERVICE_NAME, value: payments}
        - {name: LOG_LEVEL, value: error}
        - {name: DEBUG, value: "true"}
""")


def with_container(**fields: Any) -> dict[str, Any]:
    raw = factories.service()
    raw["spec"]["template"]["spec"]["containers"][0].update(fields)
    return raw


def with_env(**values: str) -> dict[str, Any]:
    return with_container(env=[{"name": name, "value": value} for name, value in values.items()])


def saying(raw: dict[str, Any], message: str) -> dict[str, Any]:
    """The object with a condition that says so."""
    conditions = [{"type": "Ready", "status": "False", "message": message}]
    return {**raw, "status": {**(raw.get("status") or {}), "conditions": conditions}}


def packed(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode())).decode()


def copied() -> str:
    return json.dumps(with_env(OLD=CANARY))


@pytest.mark.parametrize(
    "raw",
    [
        with_env(ANY=CANARY),
        with_container(args=["--password", CANARY]),
        with_container(args=[f"--db-password={CANARY}", "--level=info"]),
        with_container(args=[f"postgres://shop:{CANARY}@db.example.com/shop"]),
        with_container(command=["sh", "-c", f"PGPASSWORD={CANARY} exec server"]),
        with_container(command=["sh", "-c", f"exec server --api-key {CANARY} --port 80"]),
        with_container(
            livenessProbe={"httpGet": {"httpHeaders": [{"name": "Authorization", "value": f"Bearer {CANARY}"}]}}
        ),
        with_container(lifecycle={"preStop": {"httpGet": {"httpHeaders": [{"name": "X-Any", "value": CANARY}]}}}),
        with_container(readinessProbe={"httpGet": {"path": f"/ready?token={CANARY}"}}),
        with_container(startupProbe={"exec": {"command": ["check", "--token", CANARY]}}),
        with_container(image=f"https://robot:{CANARY}@registry.example.com/shop/app:1"),
        with_container(image=f"robot:{CANARY}@registry.example.com:5000/shop/app:1"),
        with_container(fieldOfTomorrow={"connect": f"amqp://shop:{CANARY}@mq.example.com"}),
    ],
    ids=lambda raw: str(len(json.dumps(raw))),
)
def test_a_secret_is_hidden_in_every_field(raw: dict[str, Any]) -> None:
    for hidden in (mask_env(raw), seal_env(raw, KEY)):
        assert CANARY not in json.dumps(hidden)
    assert CANARY not in json.dumps(mask_env(saying(raw, f"cannot start with {CANARY}")))
    before = {**raw, "spec": {}}
    assert CANARY not in str(diff(before, raw)) + str(diff(raw, before))


@pytest.mark.parametrize(
    "key",
    [
        "kubectl.kubernetes.io/last-applied-configuration",
        "example.com/last-applied",
        "flux.example.com/last-applied-object",
        "objectset.rio.cattle.io/applied",
        "kapp.k14s.io/original",
        "company.example/backup",
        "client.knative.dev/copy",
        "nothing-of-a-name",
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        copied(),
        json.dumps(copied()),
        json.dumps({"object": copied()}),
        yaml.safe_dump(with_env(OLD=CANARY)),
        packed(copied()),
        base64.b64encode(copied().encode()).decode(),
        f"PASSWORD={CANARY}\nMODE=x",
        json.dumps({"dbPassword": CANARY}),
        f"amqp://shop:{CANARY}@mq.example.com",
    ],
    ids=["json", "json-text", "nested", "yaml", "gzip", "base64", "dotenv", "json-key", "url"],
)
@pytest.mark.parametrize("where", ["service", "template"])
def test_a_copy_of_the_object_is_hidden_in_annotations_of_any_name(key: str, text: str, where: str) -> None:
    raw = factories.service()
    holder = raw if where == "service" else raw["spec"]["template"]
    holder["metadata"]["annotations"][key] = text
    for hidden in (mask_env(raw), seal_env(raw, KEY)):
        assert CANARY not in json.dumps(hidden)
        assert text not in str(hidden)
    assert CANARY not in str(diff(factories.service(), raw))


def test_an_annotation_named_as_a_credential_is_hidden_and_stamps_are_not() -> None:
    raw = with_env(ADMIN="alice@shop.example")
    raw["metadata"]["annotations"]["example.com/db-password"] = "plain"
    shown_annotations = mask_env(raw)["metadata"]["annotations"]
    assert shown_annotations["example.com/db-password"] == MASK
    assert shown_annotations["serving.knative.dev/creator"] == "alice@shop.example"


def test_common_words_and_the_own_name_leave_messages_readable() -> None:
    message = 'Revision "payments-00001" of payments failed with error: true is not a port in crash'
    assert mask_env(saying(MASKED_WORDS, message))["status"]["conditions"][0]["message"] == message
    assert secrets_of(MASKED_WORDS) == frozenset()


@pytest.mark.parametrize(
    ("name", "value", "is_hidden"),
    [
        ("MODE", "production", False),
        ("PORTS", "8080", False),
        ("REGION", "eu-central-1", False),
        ("MEMORY", "256Mi", False),
        ("TMP", "/tmp/data", False),
        ("TINY", "x1", False),
        ("GREETING", "hello", False),
        ("NAMESPACE", "default", False),
        ("CODE", "s3cr3t", True),
        ("WORDS", "correct-horse-battery", True),
        ("DB_PASSWORD", "hunter", True),
        ("PIN", "4711", True),
        ("PASSWORD", "password", False),
        ("API_KEY", "shop", False),
        ("DATABASE_URL", "postgres://shop:hunter@db/shop", True),
    ],
)
def test_a_value_is_hidden_by_its_length_its_words_and_its_name(name: str, value: str, is_hidden: bool) -> None:
    assert (value in secrets_of(with_env(**{name: value}))) is is_hidden


@pytest.mark.parametrize(
    ("value", "part"),
    [
        (f"postgres://shop:{CANARY}@db/shop", CANARY),
        ("postgres://shop:p%40ssw0rd-1@db/shop", "p@ssw0rd-1"),
        (f"host=db user=shop password={CANARY}", CANARY),
        (json.dumps({"private_key": f"{CANARY}\nline two"}), CANARY),
        (f"Bearer {CANARY}", CANARY),
    ],
)
def test_a_credential_inside_a_value_is_found_alone(value: str, part: str) -> None:
    raw = saying(with_env(CONFIG=value), f"refused: {part}")
    assert part not in json.dumps(mask_env(raw)["status"])


def test_a_short_value_is_hidden_as_a_whole_word_only() -> None:
    assert redact_text("a s3cr3t, xs3cr3ty", ["s3cr3t"]) == f"a {MASK}, xs3cr3ty"


@pytest.mark.parametrize(
    "text",
    [
        f"failed with: {CANARY[5:]} and more",
        f"{CANARY[4:]} and more",
        f"connecting with {CANARY[:-4]}",
        f"echo {base64.b64encode(CANARY.encode()).decode()}",
    ],
)
def test_what_is_left_of_a_value_that_was_cut_or_written_otherwise_is_hidden(text: str) -> None:
    assert MASK in redact_text(text, [CANARY])
    assert CANARY[5:-4] not in redact_text(text, [CANARY])


@given(st.text("ab", min_size=12, max_size=26), st.text("ab", max_size=30))
def test_a_value_of_which_half_is_left_at_an_end_is_hidden_there(value: str, text: str) -> None:
    """Against the plain definition: the longest part of at least half of it, wherever parts of it repeat."""
    parts = range(len(value) - 1, max(8, len(value) // 2) - 1, -1)
    assert _Halves([value[::-1]]).cut(text[::-1])[0] == next((n for n in parts if text.startswith(value[-n:])), 0)
    assert _Halves([value]).cut(text)[0] == next((n for n in parts if text.endswith(value[:n])), 0)


@pytest.mark.parametrize(
    "text",
    [
        'secret "db" not found',
        "couldn't find key password in Secret default/db",
        "password authentication failed for user shop",
        f"registry.example.com/shop:1.4@sha256:{'a' * 64}",
        "Basic authentication is needed",
        "token: unauthorized",
        "HEAD https://registry.example.com/v2/shop/manifests/1: 401 Unauthorized",
    ],
)
def test_words_about_credentials_are_no_credentials(text: str) -> None:
    assert redact_text(text, []) == text


letters = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)


@given(letters, st.text("abc xyz.:", max_size=20))
@example("error", "")
def test_a_plain_word_never_changes_a_message(word: str, around: str) -> None:
    message = f"{around} {word} {around}"
    assert mask_env(saying(with_env(WORD=word), message))["status"]["conditions"][0]["message"] == message


@given(st.from_regex(r"[A-Za-z0-9._~-]{13,40}", fullmatch=True), st.text(max_size=20), st.text(max_size=20))
def test_a_long_value_is_in_no_message(value: str, before: str, after: str) -> None:
    if value.casefold() in ("authentication", "administrator"):
        return
    message = json.dumps(mask_env(saying(with_env(ANY=value), f"{before}{value}{after}"))["status"], ensure_ascii=False)
    assert value not in message.replace(MASK, "\x00")


@given(st.sampled_from(["Service", "Route"]), st.text("abc", min_size=8))
def test_what_is_hidden_stays_hidden_when_it_is_hidden_again(kind: str, value: str) -> None:
    raw = with_env(ANY=value)
    raw["metadata"]["annotations"] |= {"example.com/copy": json.dumps(raw), "example.com/text": f"password={value}"}
    sealed = seal_env({**raw, "kind": kind}, KEY)
    assert hide_texts(sealed, KEY) == sealed


def test_messages_of_another_spec_show_nothing_that_was_printed() -> None:
    """The values that a Service had before, and those that a Route's revisions have, are not in the object itself."""
    message = f'Revision "shop-00003" failed with message: Container failed with: panic near {CANARY}'
    moved_on = saying(factories.service(), message)
    moved_on["metadata"]["generation"] += 1
    route = saying({"kind": "Route", "spec": {"traffic": []}}, message)
    for raw in (moved_on, route):
        for hidden in (mask_env(raw), hide_messages(raw)):
            told = hidden["status"]["conditions"][0]["message"]
            assert told == f'Revision "shop-00003" failed with message: Container failed with: {MASK}'


def test_a_secret_that_alone_differs_is_a_row() -> None:
    before, after = (with_container(args=["--password", one]) for one in (CANARY, OTHER))
    (row,) = diff(before, after)
    assert row.before == row.after == f'["--password", "{MASK}"]'
    sealed = [seal_env(one, KEY) for one in (before, after)]
    assert diff(*sealed) == (row,)
    assert without_digests(sealed[0]) == without_digests(sealed[1])


EDITED = with_container(
    args=["--password", CANARY, "--level=info"],
    livenessProbe={"httpGet": {"path": "/live", "httpHeaders": [{"name": "Authorization", "value": CANARY}]}},
)
EDITED["metadata"]["annotations"] |= {"example.com/copy": copied(), "example.com/text": f"password={OTHER}"}


def test_a_masked_manifest_keeps_what_it_shows_masked() -> None:
    manifest = mask_env(EDITED)
    container = manifest["spec"]["template"]["spec"]["containers"][0]
    container["args"].insert(0, "--verbose")
    container["livenessProbe"]["httpGet"]["path"] = "/alive"
    after = ReplaceManifest(manifest).apply(Service(EDITED))
    written = after.template_spec["containers"][0]
    assert written["args"] == ["--verbose", "--password", CANARY, "--level=info"]
    assert written["livenessProbe"]["httpGet"]["httpHeaders"][0]["value"] == CANARY
    assert written["livenessProbe"]["httpGet"]["path"] == "/alive"
    assert after.annotations["example.com/copy"] == copied()
    assert after.annotations["example.com/text"] == f"password={OTHER}"


@pytest.mark.parametrize(
    "change",
    [
        SetCommand("app", arguments=("--quiet", "--password", MASK)),
        SetProbe("app", "livenessProbe", {"httpGet": {"httpHeaders": [{"name": "Authorization", "value": MASK}]}}),
    ],
)
def test_a_form_that_showed_a_mask_writes_the_secret_back(change: SetCommand | SetProbe) -> None:
    after = change.apply(Service(EDITED))
    assert MASK not in json.dumps(after.raw, ensure_ascii=False)
    field = "args" if isinstance(change, SetCommand) else change.which
    assert CANARY in json.dumps(after.template_spec["containers"][0][field])


@pytest.mark.parametrize(
    "change",
    [
        SetCommand("app", arguments=("--password", MASK, "--token", MASK)),
        SetAnnotations({"example.com/new": MASK}),
        SetAnnotations({"example.com/text": f"password={MASK} and more"}),
        SetProbe("app", "livenessProbe", {"httpGet": {"httpHeaders": [{"name": "X-Other", "value": MASK}]}}),
    ],
)
def test_a_mask_with_nothing_behind_it_is_refused(change: Any) -> None:
    with pytest.raises(ChangeRefused) as refused:
        change.apply(Service(copy.deepcopy(EDITED)))
    assert refused.value.problem.code == "manifest-masked-value"


@pytest.mark.parametrize(
    "raw",
    [
        {"spec": {"template": {"spec": {"containers": ["text", 1, None, {"env": ["text", None]}]}}}},
        {"spec": {"template": "text", "traffic": ["text"]}, "metadata": "text", "status": "text"},
        {"spec": "text", "metadata": {"labels": "text", "annotations": ["text"]}},
    ],
)
def test_an_object_of_the_wrong_shape_is_read_all_the_same(raw: dict[str, Any]) -> None:
    """One odd object must not stop the watcher, nor a page."""
    assert secrets_of(raw) == frozenset()


def test_a_manifest_with_the_managed_fields_of_kubectl_keeps_what_is_masked() -> None:
    managed = [{"manager": "kubectl", "operation": "Apply", "fieldsV1": {"f:spec": {}}}]
    present = {
        "metadata": {"name": "shop", "annotations": {"url": "https://u:s3cret-of-shop@db"}, "managedFields": managed},
        "spec": {},
    }
    edited = {**mask_env(present), "metadata": {**mask_env(present)["metadata"], "managedFields": managed}}
    assert MASK in edited["metadata"]["annotations"]["url"]
    assert put_back(edited, present) == present
