"""The reader of Kubernetes' protobuf; the bodies are built as kubectl builds them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.sandbox.errors import StatusError
from console.sandbox.protobuf import MAGIC, decode


def field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def envelope(api_version: bytes, kind: bytes, raw: bytes) -> bytes:
    return MAGIC + field(1, field(1, api_version) + field(2, kind)) + field(2, raw) + field(3, b"") + field(4, b"")


def test_a_namespace_with_labels():
    label = field(11, field(1, b"team") + field(2, b"a"))
    # kubectl writes empty strings and a zero time (field 8) too.
    metadata = field(1, b"web") + field(2, b"") + field(8, b"") + label
    body = envelope(b"v1", b"Namespace", field(1, metadata) + field(2, b"") + field(3, b""))
    assert decode(body) == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "web", "labels": {"team": "a"}},
    }


def test_an_access_review_and_a_secret():
    attributes = field(1, b"default") + field(2, b"create") + field(3, b"serving.knative.dev") + field(5, b"services")
    body = envelope(b"authorization.k8s.io/v1", b"SelfSubjectAccessReview", field(2, field(1, attributes)))
    assert decode(body)["spec"]["resourceAttributes"]["verb"] == "create"
    secret = field(1, field(1, b"db")) + field(2, field(1, b"password") + field(2, b"\xffx"))
    assert decode(envelope(b"v1", b"Secret", secret))["data"] == {"password": "/3g="}


def test_numbers_and_repeated_fields():
    spec = field(1, b"one") + field(1, b"two") + bytes([4 << 3, 0xD8, 0x04])
    token = decode(envelope(b"authentication.k8s.io/v1", b"TokenRequest", field(2, spec)))
    assert token["spec"] == {"audiences": ["one", "two"], "expirationSeconds": 600}


def test_a_kind_that_is_not_read_and_bytes_that_are_nothing():
    with pytest.raises(StatusError) as caught:
        decode(envelope(b"v1", b"Pod", b""))
    assert caught.value.code == 415
    with pytest.raises(StatusError) as caught:
        decode(b"{}")
    assert caught.value.code == 400


@given(st.binary(max_size=60))
def test_broken_bytes_are_refused_and_never_crash(data: bytes):
    assert code_of(MAGIC + data) in (200, 400, 415)
    assert code_of(envelope(b"v1", b"Secret", data[:50])) in (200, 400)


def code_of(body: bytes) -> int:
    try:
        decode(body)
    except StatusError as error:
        return error.code
    return 200
