"""On which nodes the pods may run."""

from dataclasses import dataclass
from typing import Any, ClassVar

from console.knative.changes.base import Change, edited_template, pod_spec, result, set_or_remove
from console.knative.objects import Service
from console.knative.paths import POD_SPEC, FieldPath


@dataclass(frozen=True, slots=True)
class SetPlacement(Change):
    """Labels that a node must have (None removes one), and the taints that the pods tolerate (None leaves them)."""

    node_selector: dict[str, str | None]
    tolerations: tuple[dict[str, Any], ...] | None = None
    permission: ClassVar[str] = "deploy"

    def apply(self, service: Service) -> Service:
        raw, template = edited_template(service)
        spec = pod_spec(template)
        if self.node_selector:
            wanted = dict(spec.get("nodeSelector") or {})
            for key, value in self.node_selector.items():
                set_or_remove(wanted, key, value)
            set_or_remove(spec, "nodeSelector", wanted or None)
        if self.tolerations is not None:
            set_or_remove(spec, "tolerations", [dict(one) for one in self.tolerations] or None)
        return result(service, raw)

    def touches(self) -> frozenset[FieldPath]:
        selected = {(*POD_SPEC, "nodeSelector", key) for key in self.node_selector}
        return frozenset(selected | ({(*POD_SPEC, "tolerations")} if self.tolerations is not None else set()))
