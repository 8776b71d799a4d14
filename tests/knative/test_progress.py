"""The timeline's lines equal the recording's, for every kind of change that was recorded."""

import pytest

from console.knative.objects import Revision, Service
from console.knative.progress import Follow, Outcome, Phase, closing, durations
from tests import recording

LINES = {
    "env-update": [
        "The Configuration is still working to reflect the latest desired specification.",
        "Traffic is not yet migrated to the latest revision.",
        "Ingress has not yet been reconciled.",
        "Waiting for load balancer to be ready",
        "Ready to serve.",
    ],
    "split-50-50": [
        "The Route is still working to reflect the latest desired specification.",
        "Ingress has not yet been reconciled.",
        "Waiting for load balancer to be ready",
        "Ready to serve.",
    ],
}
LINES["image-update"] = LINES["env-update"]
LINES["split-50-25-25"] = LINES["split-50-50"]


def play(name: str, *, makes_revision: bool, **options: float) -> tuple[Follow, list[str], Service]:
    """Follow a step of the recording from its first watch event to its last."""
    service = Service(next(recording.services(name))[1])
    follow = Follow(service.generation, makes_revision, service.latest_created_revision, **options)
    lines: list[str] = []
    revision: Revision | None = None
    for entry in recording.step(name):
        if entry["kind"] == "revisions" and entry["ev"] != "DELETED":
            revision = Revision(entry["obj"])
        if entry["kind"] == "services":
            service = Service(entry["obj"])
        lines += [line.text for line in follow.observe(entry["t"], service, revision)]
    return follow, lines, service


@pytest.mark.parametrize("name", LINES)
def test_lines_and_their_order_are_those_that_kn_prints(name: str) -> None:
    follow, lines, _ = play(name, makes_revision="split" not in name)
    assert lines == LINES[name]
    assert follow.outcome is Outcome.SUCCEEDED


def test_an_env_update_ends_with_the_new_revision_and_the_url() -> None:
    follow, _, service = play("env-update", makes_revision=True)
    assert follow.revision == "greet-00002"
    assert closing(service, follow) == (
        "Service 'greet' updated to latest revision 'greet-00002' is available at URL:",
        "http://greet.default.example.com",
    )


def test_a_split_says_that_the_revision_is_unchanged() -> None:
    follow, _, service = play("split-50-50", makes_revision=False)
    assert closing(service, follow)[0] == (
        "Service 'greet' with latest revision 'greet-00003' (unchanged) is available at URL:"
    )


def test_a_new_revision_behind_a_pin_is_a_success_that_does_not_serve() -> None:
    follow, _, _ = play("update-with-pinned-traffic-new-revision", makes_revision=True)
    assert follow.outcome is Outcome.NOT_SERVING


def test_a_missing_revision_in_a_split_fails_after_the_error_window() -> None:
    follow, lines, service = play("split-unknown-revision", makes_revision=False)
    assert follow.outcome is None, "Ready=False is forgiven within the window"
    follow.observe(100.0, service)
    assert follow.outcome is Outcome.FAILED
    assert lines[-1] == 'Revision "greet-00009" referenced in traffic not found.'


def test_last_weeks_failure_is_not_read_for_todays_change() -> None:
    """knative/client 403: the stale Ready=False of generation 15 must not end generation 16."""
    follow, _, _ = play("image-recover2", makes_revision=True, error_window=0.0)
    assert follow.outcome in (Outcome.SUCCEEDED, Outcome.NOT_SERVING)


def test_a_generation_made_by_someone_else_supersedes() -> None:
    service = Service(next(recording.services("split-50-50"))[1])
    follow = Follow(service.generation - 1, makes_revision=False)
    follow.observe(1.0, service)
    assert follow.outcome is Outcome.SUPERSEDED


def test_the_deadline_ends_a_wait() -> None:
    service = Service(next(recording.services("env-update"))[1])
    follow = Follow(service.generation, makes_revision=True, deadline=5.0)
    follow.observe(4.9, service)
    assert follow.outcome is None
    follow.observe(5.0, service)
    assert follow.outcome is Outcome.TIMED_OUT


def test_following_goes_on_from_its_saved_state() -> None:
    whole, lines, _ = play("env-update", makes_revision=True)
    service = Service(next(recording.services("env-update"))[1])
    follow = Follow(service.generation, True, service.latest_created_revision)
    again: list[str] = []
    for elapsed, raw in recording.services("env-update"):
        follow = Follow(**follow.state)
        again += [line.text for line in follow.observe(elapsed, Service(raw))]
    assert again == lines
    assert follow.outcome is whole.outcome


def test_phases_are_passed_in_order_and_their_durations_add_up() -> None:
    follow, _, _ = play("env-update", makes_revision=True)
    assert list(follow.phases) == [phase.value for phase in Phase]
    assert sum(durations(follow.phases).values()) == pytest.approx(follow.phases["load-balancer"], abs=0.01)
