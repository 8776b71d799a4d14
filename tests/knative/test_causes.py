"""A cause is stored and read again with all that it says, also as earlier versions stored it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from console.knative import causes
from console.knative.causes import (
    Cause,
    Code,
    Collision,
    Exit,
    Facts,
    Image,
    Input,
    Late,
    Named,
    PodState,
    WarningEvent,
    Writer,
)
from console.knative.problems import Problem

WRITER = Writer("ruth", datetime(2026, 11, 24, 10, tzinfo=UTC), UUID(int=7))
FULL = Cause(
    Code.CRASH,
    "Error: exit",
    Exit(1, "app"),
    logs="panic\nat main",
    warnings=(WarningEvent("Pod/a", "BackOff", "back-off"),),
    pods=(PodState("a", "Running", "0/1"),),
)


@pytest.mark.parametrize("code", Code)
def test_each_code_is_read_as_it_was_stored(code: Code) -> None:
    cause = causes.of_problem(Problem("sum", {"sum": 90})) if code is Code.INPUT else Cause(code, "raw words")
    assert causes.from_json(json.loads(json.dumps(cause.to_json()))) == cause


@pytest.mark.parametrize(
    "cause",
    [
        FULL,
        Cause(Code.CONFLICT, facts=WRITER, conflicts=(Collision("spec.x", "1", None), Collision("spec.y", None, "2"))),
        Cause(Code.WRITTEN_LATE, facts=Late("ruth", WRITER.at, WRITER.operation, was="conflict")),
        Cause(Code.EXITS, facts=Exit(0)),
    ],
    ids=lambda cause: cause.name,
)
def test_facts_are_read_as_they_were_stored(cause: Cause) -> None:
    assert causes.from_json(json.loads(json.dumps(cause.to_json()))) == cause


def test_what_is_not_known_takes_no_room() -> None:
    assert Cause(Code.NEVER_WRITTEN).to_json() == {"code": "never-written"}
    assert Cause(Code.CONFLICT, facts=Writer("ruth")).to_json() == {"code": "conflict", "facts": {"who": "ruth"}}


OLD: list[tuple[dict[str, Any], Cause | None]] = [
    ({}, None),
    ({"facts": {"operation": "x"}}, None),
    (
        {"code": "crash", "facts": {"exit_code": "137", "container": "app"}, "logs": "", "warnings": [], "pods": []},
        Cause(Code.CRASH, facts=Exit(137, "app")),
    ),
    ({"code": "crash", "facts": {"exit_code": "••••"}}, Cause(Code.CRASH)),
    (
        {
            "code": "superseded",
            "facts": {"who": "ruth", "at": "2026-11-24T10:00:00+00:00", "operation": str(UUID(int=7))},
        },
        Cause(Code.SUPERSEDED, facts=WRITER),
    ),
    (
        {"code": "written-late", "raw": "r", "facts": {"was": "frozen", "until": "x", "note": "y"}},
        Cause(Code.WRITTEN_LATE, "r", Late(was="frozen")),
    ),
    (
        {"code": "container-unknown", "facts": {"container": "app"}},
        Cause(Code.INPUT, facts=Input(Problem("container-unknown", {"container": "app"}))),
    ),
    ({"code": "quota", "raw": "r", "facts": None}, Cause(Code.QUOTA, "r")),
]


@pytest.mark.parametrize(("stored", "cause"), OLD, ids=[str(case[0].get("code", "nothing")) for case in OLD])
def test_what_an_earlier_version_stored_is_read(stored: dict[str, Any], cause: Cause | None) -> None:
    assert causes.from_json(stored) == cause


def test_a_problem_is_stored_under_its_own_code() -> None:
    cause = causes.of_problem(Problem("container-unknown", {"container": "app"}, row=3, field="image"))
    assert (cause.name, cause.to_json()) == (
        "container-unknown",
        {"code": "container-unknown", "facts": {"container": "app"}},
    )


def test_a_secret_stays_in_no_text_of_a_cause() -> None:
    secret, redact = "crash", lambda text: text.replace("crash", "••••")
    cause = Cause(
        Code.CRASH,
        secret,
        Exit(1, secret),
        logs=secret,
        warnings=(WarningEvent(secret, secret, secret),),
        pods=(PodState(secret, secret, secret),),
        conflicts=(Collision("spec", secret, None),),
    )
    kept = cause.redacted(redact)
    assert kept.code is Code.CRASH
    assert secret not in json.dumps({**kept.to_json(), "code": ""})
    problem = causes.of_problem(Problem("crash", {"image": "crash"})).redacted(redact)
    assert problem.to_json() == {"code": "crash", "facts": {"image": "••••"}}


def test_facts_of_another_code_are_a_mistake() -> None:
    with pytest.raises(TypeError, match="quota has facts of Quota"):
        Cause(Code.QUOTA, facts=Named("small"))
    with pytest.raises(TypeError, match="unknown has facts of Facts"):
        Cause(Code.UNKNOWN, facts=Image("x"))
    assert type(Cause(Code.UNKNOWN).facts) is Facts
