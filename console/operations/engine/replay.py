"""When an event happened that arrives late: to a worker that took over, was stopped for a while, or was held up."""

from datetime import datetime

from django.utils import timezone

from console.knative.objects import Service
from console.operations.engine.turns import Turn

MAX_GAP = 2.0  # seconds between the last look of one turn and the first of the next, when nothing is wrong
LONGEST_SILENCE = 8.0  # seconds between two looks of one turn, when nothing is wrong: a watch, and some


class Replay:
    """Dates the events of one turn. After a gap the watch delivers the events of the gap, each with its own time.

    That time is the Ready condition's lastTransitionTime, in whole seconds of the cluster's clock. Clocks differ, so it
    is held between the last look before the gap and now. While nothing is late, this machine's clock is better.
    """

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._seen_until = turn.operation.elapsed
        self.is_behind = turn.elapsed - self._seen_until > MAX_GAP

    def elapsed_of(self, service: Service | None) -> float:
        """Return the seconds since the submission at which the service came to be as this event shows it."""
        now, seen_until = self._turn.elapsed, self._turn.operation.elapsed
        if now - seen_until > LONGEST_SILENCE:
            self.is_behind, self._seen_until = True, max(self._seen_until, seen_until)
        changed_at = service.ready.changed_at if service else None
        if not self.is_behind or changed_at is None:
            return now
        age = _seconds_since(changed_at)
        self._seen_until = min(now, max(self._seen_until, now - age))
        return self._seen_until

    def took_in(self, came_at: float) -> None:
        """An event that came so many seconds after the submission was saved.

        Where that took long (a locked database, a slow cluster), what happened in the meantime arrives late.
        """
        if self._turn.elapsed - came_at > MAX_GAP:
            self.is_behind, self._seen_until = True, max(self._seen_until, came_at)

    def catch_up(self, read_at: float) -> None:
        """The service was read and saved: what is watched from here on arrives as it happens."""
        self.is_behind = False
        self.took_in(read_at)


def _seconds_since(moment: datetime) -> float:
    return max(0.0, (timezone.now() - moment).total_seconds())
