"""The patch that is shown, merged as kubectl merges it, gives what the change makes."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given

from console import kubectl_yaml
from console.knative.changes import ChangeRefused, EnvEntry, SetEnv, SetTimeout
from console.knative.changes.base import Change
from console.knative.objects import Service
from console.knative.redaction import MASK, mask_env
from console.operations import patches
from tests import factories
from tests.knative.test_kn_commands import all_changes, services
from tests.support.merge_patch import merged, without_nulls


def shown(raw: dict[str, Any]) -> Any:
    return without_nulls(mask_env(raw))


@given(services, all_changes)
def test_each_patch_gives_what_the_change_makes(raw: dict[str, Any], change: Change) -> None:
    untouched = copy.deepcopy(raw)
    try:
        after = dict(change.apply(Service(raw)).raw)
    except ChangeRefused:
        return
    text = patches.as_yaml(raw, after)
    assert raw == untouched
    assert shown(merged(raw, kubectl_yaml.load(text) if text else {})) == shown(after)


def test_a_patch_that_hides_values_is_known_for_it() -> None:
    before = Service(factories.service())
    assert patches.hides_values(patches.as_yaml(before.raw, SetEnv("app", (EnvEntry("A", "x"),)).apply(before).raw))
    text = patches.as_yaml(before.raw, SetTimeout(60).apply(before).raw)
    assert text
    assert not patches.hides_values(text)
    assert MASK not in text
