"""What a cluster's Knative is and allows, as its page shows it: version and support, gates, defaults."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.knative.capabilities import Capabilities
from console.knative.cluster_defaults import FIELDS, OTHERS
from console.knative.gates import GATES, Gate, Setting, opens
from console.knative.releases import Support, support_of
from console.mirror.capabilities import Known

SETTINGS = {
    Setting.ENABLED: gettext_lazy("enabled"),
    Setting.ALLOWED: gettext_lazy("allowed"),
    Setting.DISABLED: gettext_lazy("disabled"),
    Setting.ROOT_BOUNDED: "AllowRootBounded",
    Setting.UNKNOWN: gettext_lazy("unknown"),
}


@dataclass(frozen=True, slots=True)
class GateRow:
    """A gate of the cluster's release. `is_chosen`: its administrators set it."""

    key: str
    setting: str
    is_open: bool
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class DefaultRow:
    """A setting of the cluster; an empty value is none, or not known (`is_known`)."""

    config: str
    key: str
    value: str
    is_known: bool
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Serving:
    """What the page shows. `at` is None while nothing was read."""

    known: Known
    today: date

    @property
    def at(self) -> float | None:
        return self.known.at

    @property
    def release(self) -> str:
        return self._found.release

    @property
    def unread(self) -> tuple[str, ...]:
        """The config maps that the console may not read."""
        return self._found.unread if self.at is not None else ()

    @property
    def support(self) -> Support:
        return support_of(self._found.version, self.today)

    @property
    def support_words(self) -> str:
        """Return whether the release is supported, in a sentence."""
        found = self.support
        if found.is_supported is None:
            return _("Whether this version is supported is not known.")
        facts = {"date": found.ends and found.ends.isoformat()}
        if found.is_supported:
            return _("Supported by the Knative community until %(date)s") % facts
        if found.ends:
            return _("No longer supported by the Knative community: its support ended on %(date)s") % facts
        return _("No longer supported by the Knative community")

    @property
    def gates(self) -> list[GateRow]:
        """The gates that the release has, first those that are open."""
        rows = [row for gate in GATES if (row := self._gate(gate))]
        return sorted(rows, key=lambda row: not row.is_open)

    @property
    def defaults(self) -> list[DefaultRow]:
        return list(self._defaults())

    @property
    def _found(self) -> Capabilities:
        return self.known.capabilities

    def _gate(self, gate: Gate) -> GateRow | None:
        setting = self._found.gate(gate)
        if setting is Setting.NOT_KNOWN_TO_IT:
            return None
        is_open = setting is not Setting.UNKNOWN and (opens(setting) or setting is Setting.ROOT_BOUNDED)
        return GateRow(gate.key, str(SETTINGS[setting]), is_open, setting is not gate.default)

    def _defaults(self) -> Iterator[DefaultRow]:
        known = self._found.defaults
        for key in (*FIELDS.values(), *OTHERS):
            is_known = self._found.settings.get(key.config) is not None
            yield DefaultRow(key.config, key.name, known.value(key), is_known, known.chosen(key) is not None)
