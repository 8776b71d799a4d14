"""Which addresses and credentials are taken, and that data at rest can be re-encrypted."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import models

from console import sealing
from console.audit.models import Entry, ExportPart, ServiceFacts, WatchedService
from console.operations.models import Operation, Preview
from console.registry import changes
from console.registry.changes import CredentialNeeded, Wanted
from console.registry.credentials import Credential, InvalidCredential, address, check_authority, fingerprint
from console.registry.models import Cluster
from console.registry.resealing import columns
from console.sandbox.certificate import make_certificate
from console.sealing import InvalidToken, seal, unseal
from tests import factories
from tests.registry.conftest import ADMINISTRATOR


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://prod.example.com:6443", "https://prod.example.com:6443"),
        ("https://prod.example.com/", "https://prod.example.com"),
        ("https://rancher.example.com/k8s/clusters/c-1", "https://rancher.example.com/k8s/clusters/c-1"),
        ("https://[2001:db8::1]:6443", "https://[2001:db8::1]:6443"),
    ],
)
def test_an_address_is_https(text: str, kept: str) -> None:
    assert address(text, loopback=False) == kept


@pytest.mark.parametrize(
    "text",
    [
        *("", "prod", "//prod", "https://", "ftp://prod", "file:///etc/passwd", "javascript:alert(1)"),
        *("https://ada:secret@prod", "https://prod?x=1", "https://prod#x", "https://prod:99999", "https://prod:x"),
        *("https://prod\r\nHost: x", "https://pröd", "https://a b", "https://[::1", "http://prod", "http://127.0.0.1"),
    ],
)
def test_any_other_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidCredential):
        address(text, loopback=False)


def test_plain_http_is_for_this_machine_only_and_only_where_that_is_allowed() -> None:
    assert address("http://127.0.0.1:8080", loopback=True) == "http://127.0.0.1:8080"
    assert address("http://localhost:8080", loopback=True) == "http://localhost:8080"
    for elsewhere in ("http://prod.example.com", "http://127.0.0.1.example.com", "http://10.0.0.1"):
        with pytest.raises(InvalidCredential, match="address-not-https"):
            address(elsewhere, loopback=True)


def test_a_credential_is_one_thing_and_whole(tmp_path: Path) -> None:
    made = make_certificate(tmp_path, "client")
    key = made.key_file.read_text()
    (tmp_path / "other").mkdir()
    other = make_certificate(tmp_path / "other", "client")
    Credential("a.b-c_d").check()
    Credential("", made.text, key).check()
    for credential, code in (
        (Credential(), "credential-missing"),
        (Credential("a", made.text, key), "credential-twice"),
        (Credential("a b"), "token-invalid"),
        (Credential("a\r\nImpersonate-User: root"), "token-invalid"),
        (Credential("ключ"), "token-invalid"),
        (Credential("x" * 20_000), "token-invalid"),
        (Credential("", made.text), "key-missing"),
        (Credential("", "", key), "key-missing"),
        (Credential("", "nonsense", key), "certificate-invalid"),
        (Credential("", made.text, other.key_file.read_text()), "certificate-invalid"),
    ):
        with pytest.raises(InvalidCredential) as caught:
            credential.check()
        assert caught.value.code == code


def test_an_authority_is_a_certificate(tmp_path: Path) -> None:
    made = make_certificate(tmp_path, "ca")
    check_authority("")
    check_authority(made.text)
    assert fingerprint(made.text).startswith("sha256:")
    for text in ("nonsense", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"):
        with pytest.raises(InvalidCredential, match="ca-invalid"):
            check_authority(text)


@pytest.mark.django_db
def test_a_credential_lies_sealed_and_opens_again(wanted: Wanted) -> None:
    cluster = changes.add(wanted, actor=ADMINISTRATOR)
    assert wanted.credential.token.encode() not in bytes(Cluster.objects.get().sealed_credential)
    assert Cluster.objects.get(pk=cluster.pk).credential == wanted.credential


@pytest.mark.django_db
def test_another_address_needs_the_credential_again(wanted: Wanted) -> None:
    cluster = changes.add(wanted, actor=ADMINISTRATOR)
    moved = Wanted("edge", "https://evil.example.com")
    with pytest.raises(CredentialNeeded):
        changes.change(cluster.pk, moved, actor=ADMINISTRATOR)
    with pytest.raises(CredentialNeeded):
        changes.test(moved, cluster, actor=ADMINISTRATOR)
    assert Cluster.objects.get().url == wanted.url
    kept = Wanted("edge", wanted.url, wanted.ca, "10.0.0.1:80", True)
    assert changes.change(cluster.pk, kept, actor=ADMINISTRATOR).credential == wanted.credential


@pytest.fixture
def sealed_rows(settings, wanted: Wanted) -> None:
    """A cluster, an operation and a preview, sealed with the key `old`."""
    from console.access.models import User

    settings.ENCRYPTION_KEYS = ["old"]
    changes.add(wanted, actor=ADMINISTRATOR)
    place = {"cluster": "edge", "namespace": "default", "name": "shop"}
    sealed = {"sealed_change": seal({"kind": "x"}), "sealed_seen": seal(factories.service())}
    Operation.objects.create(**place, **sealed, kind="x", actor="ada", status="succeeded")
    Preview.objects.create(**place, **sealed, user=User.objects.create_user("ada"))


def reseal() -> str:
    output = StringIO()
    call_command("reseal", stdout=output)
    return output.getvalue()


@pytest.mark.django_db
def test_after_resealing_the_old_key_can_be_dropped(settings, sealed_rows: None, wanted: Wanted) -> None:
    settings.ENCRYPTION_KEYS = ["new", "old"]
    assert "registry.Cluster.sealed_credential: 1 re-encrypted, 0 already used the newest key" in reseal()
    assert "operations.Operation.sealed_seen: 0 re-encrypted, 1 already used the newest key" in reseal()
    told = Entry.objects.filter(action="manage.Reseal").order_by("sequence")
    assert [entry.outcome for entry in told] == ["succeeded", "succeeded"]
    assert "registry.Cluster.sealed_credential: 1 of 1" in told[0].text
    assert told[0].actor.startswith("manage.py (")
    settings.ENCRYPTION_KEYS = ["new"]
    assert Cluster.objects.get().credential == wanted.credential
    operation = Operation.objects.get()
    assert unseal(operation.sealed_change) == {"kind": "x"}
    assert operation.seen.name == "shop"
    assert unseal(Preview.objects.get().sealed_seen) == factories.service()
    settings.ENCRYPTION_KEYS = ["old"]
    with pytest.raises(InvalidToken):
        unseal(operation.sealed_change)


@pytest.mark.django_db
def test_second_factors_work_after_the_old_key_was_dropped(settings) -> None:
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    from console.access.models import User

    settings.ENCRYPTION_KEYS = ["old"]
    ada, secret = User.objects.create_user("ada"), generate_totp_secret()
    TOTP.activate(ada, secret)
    codes = RecoveryCodes.activate(ada).get_unused_codes()
    settings.ENCRYPTION_KEYS = ["new", "old"]
    assert "mfa.Authenticator.data: 2 re-encrypted, 0 already used the newest key" in reseal()
    settings.ENCRYPTION_KEYS = ["new"]
    assert decrypt(Authenticator.objects.get(type="totp").data["secret"]) == secret
    assert RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).get_unused_codes() == codes


@pytest.mark.django_db
def test_what_no_key_opens_is_told_and_left_alone(settings, sealed_rows: None) -> None:
    before = bytes(Cluster.objects.get().sealed_credential)
    settings.ENCRYPTION_KEYS = ["new"]
    with pytest.raises(CommandError, match=r"1 of registry\.Cluster\.sealed_credential"):
        reseal()
    assert bytes(Cluster.objects.get().sealed_credential) == before


@pytest.mark.django_db
def test_a_row_that_is_written_while_it_is_resealed_keeps_what_was_written(settings, sealed_rows, monkeypatch) -> None:
    settings.ENCRYPTION_KEYS = ["new", "old"]
    replaced = seal({"token": "replaced"})

    def reseal_slowly(sealed: bytes) -> bytes:
        Cluster.objects.update(sealed_credential=replaced)
        return sealing._keys()[0].encrypt(b"{}")

    monkeypatch.setattr(sealing, "reseal", reseal_slowly)
    reseal()
    assert Cluster.objects.get().credential == Credential("replaced")


def test_every_column_of_bytes_is_found_by_resealing() -> None:
    ours = [model for model in apps.get_models() if model.__module__.startswith("console.")]
    binary = {
        (model, field.name)
        for model in ours
        for field in model._meta.get_fields()
        if isinstance(field, models.BinaryField)
    }
    holds_no_secret = {(ExportPart, "data"), (ServiceFacts, "data"), (WatchedService, "object")}
    assert binary - holds_no_secret == set(columns())
    assert len(binary) >= 7
