"""What the gates of a cluster's Knative allow, as forms offer it; what they do not, with the gate that is missing."""

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _

from console.knative import gates
from console.knative.capabilities import FEATURES, Capabilities
from console.knative.gates import Gate, Setting
from console.web.forms.shown import ShownForm

GATED_VOLUMES: Mapping[str, Gate] = {
    "claim": gates.CLAIM,
    "empty-dir": gates.EMPTY_DIR,
    "image": gates.IMAGE_VOLUME,
    "ephemeral": gates.EPHEMERAL,
}
_PROBES = ("readiness", "liveness", "startup")


def needs(gate: Gate, capabilities: Capabilities) -> str:
    """Return what the cluster lacks: `Needs kubernetes.podspec-tolerations: enabled in config-features`."""
    if capabilities.gate(gate) is Setting.NOT_KNOWN_TO_IT:
        facts = {"since": gate.since, "version": capabilities.version}
        return _("Needs Knative %(since)s or newer; this cluster runs %(version)s") % facts
    return _("Needs %(gate)s: enabled in %(config)s") % {"gate": gate.key, "config": FEATURES}


def offer_what_is_allowed(form: ShownForm, known: Capabilities, *, is_sidecar: bool) -> None:
    """Offer a gated field where the cluster allows it, or the service has it already; else say what it needs.

    `form`: the settings about a container that takes requests, or about one beside it.
    """
    for name, gate in _gated(is_sidecar=is_sidecar):
        field = form.fields[name]
        if not known.allows(gate):
            field.help_text = needs(gate, known)
            field.disabled = field.disabled or not form.shown.get(name)
        elif known.gate(gate) is not Setting.UNKNOWN and name not in _PROBES:
            field.help_text = ""
    if known.gate(gates.SECURE_DEFAULTS) is Setting.ENABLED:
        text = _("Leave empty to use the image default. This cluster then refuses to run the container as root")
        form.fields["user"].help_text = text


def closed_volumes(known: Capabilities) -> dict[str, str]:
    """Return what each kind of volume needs that the cluster does not allow."""
    return {kind: needs(gate, known) for kind, gate in GATED_VOLUMES.items() if not known.allows(gate)}


def _gated(*, is_sidecar: bool) -> Iterator[tuple[str, Gate]]:
    yield from (("node_selector", gates.NODE_SELECTOR), ("tolerations", gates.TOLERATIONS))
    if is_sidecar:
        yield from ((name, gates.SIDECAR_PROBES) for name in _PROBES)
