"""The first administrator: one link, for an hour, one use, whatever happens at the same time."""

from __future__ import annotations

import logging
from io import StringIO

import pytest
import structlog
from django.core.management import CommandError, call_command

from console.access.models import User
from console.audit.models import Entry

FIELDS = {"username": "root", "password1": "long-enough-password-1", "password2": "long-enough-password-1"}


def printed(*options: str) -> str:
    out = StringIO()
    call_command("first_admin", *options, stdout=out)
    return out.getvalue().strip()


def path() -> str:
    return printed().removeprefix("http://localhost:8000")


@pytest.mark.django_db
def test_a_start_prints_the_link_while_there_is_no_administrator(client) -> None:
    address = printed("--if-needed")
    assert address.startswith("http://localhost:8000/first-administrator/")
    assert client.post(address.removeprefix("http://localhost:8000"), FIELDS).status_code == 302
    assert printed("--if-needed") == ""
    told = list(Entry.objects.order_by("sequence").values_list("action", "actor"))
    assert [action for action, _actor in told] == ["manage.FirstAdministratorLink", "manage.FirstAdministrator"]
    assert told[0][1].startswith("manage.py (")
    with pytest.raises(CommandError, match="already"):
        printed()


@pytest.mark.django_db
def test_the_link_works_once_even_when_its_administrator_is_gone(client) -> None:
    address = path()
    client.post(address, FIELDS)
    User.objects.update(is_active=False)
    assert client.get(address).status_code == 404
    assert client.post(address, {**FIELDS, "username": "second"}).status_code == 404
    assert client.get(path()).status_code == 200  # a new link, for an operator who may print one


@pytest.mark.django_db
def test_a_mistake_loses_nothing_and_uses_nothing(client) -> None:
    address = path()
    response = client.post(address, {**FIELDS, "password2": "different"})
    assert response.status_code == 422
    assert 'value="root"' in response.content.decode()
    assert not User.objects.exists()
    assert not Entry.objects.exclude(action="manage.FirstAdministratorLink").exists()
    assert client.post(address, FIELDS).status_code == 302


@pytest.mark.django_db
def test_no_log_line_holds_the_link(client, caplog: pytest.LogCaptureFixture) -> None:
    address = path()
    assert client.post(address, {**FIELDS, "password2": "different"}).status_code == 422
    ours = next(h for h in logging.getLogger().handlers if isinstance(h.formatter, structlog.stdlib.ProcessorFormatter))
    logged = "\n".join(ours.format(record) for record in caplog.records)
    assert "/first-administrator/***/" in logged
    assert address.split("/")[2] not in logged


@pytest.mark.django_db
def test_further_fields_make_nobody_more(client) -> None:
    client.post(path(), {**FIELDS, "is_staff": "on", "is_demo": "on", "id": "77", "groups": "1"})
    user = User.objects.get()
    assert (user.is_superuser, user.is_staff, user.is_demo, user.pk == 77) == (True, False, False, False)
