"""What a cluster's Knative is and allows, from its config maps: versions, support, gates, defaults."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from console.knative.capabilities import CONFIG_MAPS, Capabilities
from console.knative.cluster_defaults import HINTED, OTHERS
from console.knative.gates import EPHEMERAL, GATES, IMAGE_VOLUME, SECURE_DEFAULTS, TOLERATIONS, Setting, opens
from console.knative.releases import RELEASES, Support, Version, parse, support_of
from tests import factories

IN_SUPPORT = date(2026, 11, 26)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("1.23.0", Version(1, 23)),
        ("v1.15.2", Version(1, 15)),
        ("1.9", Version(1, 9)),
        ("20260701-b5b0a3d", None),
        ("devel", None),
        ("", None),
    ],
)
def test_a_label_of_any_shape_is_read_or_left_unknown(text: str, version: Version | None) -> None:
    assert parse(text) == version


def test_support_ends_after_its_last_day_and_is_never_guessed() -> None:
    release = next(one for one in RELEASES if one.version == Version(1, 23))
    assert support_of(release.version, release.ends) == Support(True, release.ends)
    assert support_of(release.version, release.ends + timedelta(days=1)) == Support(False, release.ends)
    assert support_of(Version(1, 15), IN_SUPPORT).is_supported is False
    assert support_of(Version(0, 26), IN_SUPPORT) == Support(False), "older than the table"
    assert support_of(Version(1, 99), IN_SUPPORT) == Support(None), "newer than the table"
    assert support_of(None, IN_SUPPORT) == Support(None)


def test_two_releases_are_supported_at_a_time() -> None:
    """The schedule's rule: a release ends a week after the second that follows it."""
    for release, after_next in zip(RELEASES, RELEASES[2:], strict=False):
        assert abs(release.ends - after_next.released) <= timedelta(days=8), release


def test_a_gate_is_what_the_cluster_set_else_what_its_release_sets() -> None:
    chosen = factories.capabilities(config_features={"kubernetes.podspec-tolerations": "Allowed"})
    assert (chosen.gate(TOLERATIONS), chosen.allows(TOLERATIONS)) == (Setting.ALLOWED, True)
    unset = factories.capabilities(config_features={"kubernetes.podspec-tolerations": "perhaps"})
    assert (unset.gate(TOLERATIONS), unset.allows(TOLERATIONS)) == (Setting.DISABLED, False)
    rooted = factories.capabilities(config_features={"secure-pod-defaults": "AllowRootBounded"})
    assert rooted.gate(SECURE_DEFAULTS) is Setting.ROOT_BOUNDED


def test_a_gate_that_the_release_does_not_have_is_closed_whatever_is_set() -> None:
    features = {IMAGE_VOLUME.key: "enabled", EPHEMERAL.key: "enabled"}
    old = factories.capabilities("1.18.2", config_features=features)
    assert old.gate(IMAGE_VOLUME) is Setting.NOT_KNOWN_TO_IT
    assert not old.allows(IMAGE_VOLUME)
    newer = factories.capabilities("1.19.0", config_features=features)
    assert (newer.allows(IMAGE_VOLUME), newer.allows(EPHEMERAL)) == (True, False)


def test_what_may_not_be_read_is_unknown_and_never_a_default() -> None:
    found = Capabilities()
    assert found.unread == CONFIG_MAPS
    assert {found.gate(gate) for gate in GATES} == {Setting.UNKNOWN}
    assert opens(Setting.UNKNOWN), "the cluster itself decides"
    known = found.defaults
    assert not any(known.of(name) for name in HINTED if name != "activation")
    assert not any(known.value(key) for key in OTHERS)
    assert known.built_in("timeout") == "300"


def test_the_response_may_begin_as_late_as_the_cluster_lets_a_request_last() -> None:
    """serving, defaults.go: the default of one is the setting of the other."""
    known = factories.capabilities(config_defaults={"revision-timeout-seconds": "240"}).defaults
    assert known.of("response_start") == "240"
    assert factories.capabilities().defaults.of("response_start") == "300"
