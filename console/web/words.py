"""Codes and facts from below, in words for people, in their language."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.access.explaining import Path
from console.access.scopes import STAR, Scope, selector_text
from console.audit import Outcome
from console.knative.conditions import Condition
from console.knative.objects import Health, Revision
from console.knative.problems import Problem
from console.knative.progress import Phase
from console.knative.traffic import Kind, TrafficTruth
from console.operations.models.protection import FreezeWindow
from console.operations.models.windows import on_clock
from console.operations.protection.gate import Freeze, PolicyStatus
from console.operations.queries import ENDED
from console.web import bound_words, traffic_words

HEALTH = {
    Health.READY.value: gettext_lazy("Ready"),
    Health.PROGRESSING.value: gettext_lazy("In progress"),
    Health.FAILED.value: gettext_lazy("Failed"),
}
PHASES = {
    Phase.ACCEPTED.value: gettext_lazy("Accepted"),
    Phase.REVISION_CREATED.value: gettext_lazy("Revision created"),
    Phase.IMAGE_RESOLVED.value: gettext_lazy("Image resolved"),
    Phase.PODS_STARTING.value: gettext_lazy("Pods starting"),
    Phase.READY.value: gettext_lazy("Revision ready"),
    Phase.TRAFFIC_MOVED.value: gettext_lazy("Traffic moved"),
    Phase.LOAD_BALANCER.value: gettext_lazy("Load balancer"),
    ENDED: gettext_lazy("Until failure"),
}
KINDS = {
    "Combined": gettext_lazy("Settings"),
    "CreateService": gettext_lazy("Create service"),
    "KeepDigest": gettext_lazy("Pin to the current digest"),
    "Restart": gettext_lazy("Restart"),
    "ResolveImage": gettext_lazy("Re-resolve the image"),
    "SetAnnotations": gettext_lazy("Change annotations"),
    "SetCommand": gettext_lazy("Change the command"),
    "SetConcurrency": gettext_lazy("Change the concurrency limit"),
    "SetEnvFrom": gettext_lazy("Change environment variables"),
    "SetLabels": gettext_lazy("Change labels"),
    "SetPlacement": gettext_lazy("Change scheduling"),
    "SetPort": gettext_lazy("Change the port"),
    "SetProbe": gettext_lazy("Change a probe"),
    "SetPullPolicy": gettext_lazy("Change the image pull policy"),
    "SetPullSecrets": gettext_lazy("Change image pull secrets"),
    "SetResources": gettext_lazy("Change resources"),
    "SetRevisionName": gettext_lazy("Name the revision"),
    "SetServiceAccount": gettext_lazy("Change the service account"),
    "SetTimeout": gettext_lazy("Change the request timeout"),
    "SetUser": gettext_lazy("Change the user (UID)"),
    "SetVisibility": gettext_lazy("Change visibility"),
    "SetVolumes": gettext_lazy("Change volume mounts"),
    "Deploy": gettext_lazy("Deploy"),
    "RouteNewRevision": gettext_lazy("Share of the new revision"),
    "DeleteRevision": gettext_lazy("Delete revision"),
    "DeleteService": gettext_lazy("Delete service"),
    "Redeploy": gettext_lazy("Redeploy"),
    "ReplaceManifest": gettext_lazy("Edit YAML"),
    "SetEnv": gettext_lazy("Change environment variables"),
    "SetImage": gettext_lazy("Change image"),
    "SplitTraffic": gettext_lazy("Split traffic"),
    "RollBack": gettext_lazy("Roll back"),
    "SetScale": gettext_lazy("Scale"),
}
OUTCOMES = {
    Outcome.REQUESTED.value: gettext_lazy("Submitted"),
    Outcome.SUCCEEDED.value: gettext_lazy("Succeeded"),
    Outcome.FAILED.value: gettext_lazy("Failed"),
    Outcome.REFUSED.value: gettext_lazy("Denied"),
}
AUDIT_GROUPS = {
    "changes": gettext_lazy("Requested changes"),
    "results": gettext_lazy("Change results"),
    "outside": gettext_lazy("External changes"),
    "reveals": gettext_lazy("Values revealed"),
    "sessions": gettext_lazy("Sign-in and accounts"),
    "access": gettext_lazy("Teams and grants"),
    "approvals": gettext_lazy("Approvals and protection"),
    "tokens": gettext_lazy("API tokens"),
    "clusters": gettext_lazy("Clusters"),
    "audit": gettext_lazy("Audit log"),
    "tests": gettext_lazy("Test requests"),
    "reads": gettext_lazy("Reads of logs"),
}
RESOURCES = {
    ("cpu", "request"): gettext_lazy("CPU request"),
    ("cpu", "limit"): gettext_lazy("CPU limit"),
    ("memory", "request"): gettext_lazy("Memory request"),
    ("memory", "limit"): gettext_lazy("Memory limit"),
}
_AGES = {
    "s": gettext_lazy("%(count)ss"),
    "m": gettext_lazy("%(count)sm"),
    "h": gettext_lazy("%(count)sh"),
    "d": gettext_lazy("%(count)sd"),
    "y": gettext_lazy("%(count)sy"),
}
SYMBOL_WORDS = {
    "ok": gettext_lazy("OK"),
    "info": gettext_lazy("information"),
    "warning": gettext_lazy("warning"),
    "error": gettext_lazy("error"),
    "unknown": gettext_lazy("unknown"),
}


def source(text: str) -> str:
    """One source of a value or file, named as in SOURCES; a word alone is the name of a volume."""
    for word, said in SOURCES.items():
        if text.startswith(f"{word} "):
            return f"{said} {text.removeprefix(f'{word} ')}"
    return str(SOURCES.get(text, text)) if " " in text else text


def truth(facts: TrafficTruth) -> str:
    """Return in one sentence what a new revision will get."""
    if facts.kind is Kind.FOLLOWS_LATEST:
        return _("Tracks the latest revision: a new revision gets 100% as soon as it is ready.")
    if facts.kind is Kind.SPLIT:
        return _("Split: a new revision gets %(percent)s%% as soon as it is ready.") % {
            "percent": facts.new_revision_percent
        }
    if len(facts.pinned_to) == 1:
        return _("Pinned to %(revision)s: a new revision gets 0%%.") % {"revision": facts.pinned_to[0]}
    return _("Split across named revisions: a new revision gets 0%.")


def truth_short(kind: str, percent: int) -> str:
    if kind == Kind.FOLLOWS_LATEST:
        return _("tracks latest")
    return _("new revisions get %(percent)s%%") % {"percent": percent}


def problem(found: Problem) -> str:
    """Return what is wrong with an input, and what to do."""
    return problem_of(found.code, found.facts) or str(found)


def problem_of(code: str, facts: Mapping[str, Any]) -> str:
    """Return the words for a code and its facts; empty for a code that is not a problem's."""
    template = PROBLEMS.get(code)
    worded = {name: problem(fact) if isinstance(fact, Problem) else fact for name, fact in facts.items()}
    return str(template) % defaultdict(lambda: "?", worded) if template else ""


SOURCES = {  # as console/knative names them, before the name
    "secret": "Secret",
    "config map": "ConfigMap",
    "field": gettext_lazy("field"),
    "resource": gettext_lazy("resource"),
    "claim": gettext_lazy("claim"),
    "empty directory": gettext_lazy("empty directory"),
    "image": gettext_lazy("image"),
    "ephemeral volume": gettext_lazy("ephemeral volume"),
    "service account token": gettext_lazy("service account token"),
}
ENV_SOURCES = {
    "secret": gettext_lazy("Secret key"),
    "config-map": gettext_lazy("ConfigMap key"),
    "field": gettext_lazy("Field"),
    "resource": gettext_lazy("Resource"),
    "reference": gettext_lazy("Reference"),
}
PROBLEMS = {
    **traffic_words.PROBLEMS,
    **bound_words.PROBLEMS,
    "env-name-empty": gettext_lazy("An environment variable needs a name."),
    "env-name-reserved": gettext_lazy("“%(name)s” is reserved: Knative sets it itself."),
    "env-name-invalid": gettext_lazy(
        "“%(name)s” is not a valid variable name. Use letters, digits, “_”, “-” and “.”, not starting with a digit."
    ),
    "env-name-duplicate": gettext_lazy("“%(name)s” is listed twice. Remove one."),
    "env-value-too-long": gettext_lazy(
        "The value is %(size)s bytes long; the limit is %(limit)s. Put it in a Secret or ConfigMap and mount it."
    ),
    "env-value-masked": gettext_lazy("The value contains ••••, the mask of a hidden value. Enter the full value."),
    "env-literal-for-reference": gettext_lazy(
        "“%(name)s” comes from %(origin)s. Confirm that this plain value replaces the reference."
    ),
    "env-paste-references": gettext_lazy(
        "These are currently references: %(names)s. Confirm that plain values replace them."
    ),
    "env-paste-problem": gettext_lazy("Line %(line)s: %(problem)s"),
    "env-too-many-open": gettext_lazy(
        "At most %(limit)s variables can be edited at a time. Preview and apply these first, or paste a .env file."
    ),
    "manifest-mask-in-value": gettext_lazy(
        "The value of “%(name)s” contains ••••, the mask of a hidden value. Enter the full value."
    ),
    "env-value-nul": gettext_lazy("The value contains a NUL character, which no process can receive."),
    "env-source-invalid": gettext_lazy("Use the format NAME/KEY, for example database/password."),
    "env-paste-line": gettext_lazy("Line %(line)s is not valid NAME=value."),
    "env-yaml-entry": gettext_lazy(
        "Line %(line)s is not a variable. Write NAME: value, or a list whose entries have a name and a value or a "
        "valueFrom with a secretKeyRef or configMapKeyRef of a name and a key."
    ),
    "image-empty": gettext_lazy("Enter an image, for example registry.example.com/shop/cart:1.4."),
    "image-invalid": gettext_lazy(
        "“%(image)s” is not a valid image reference. Use [registry/]name[:tag][@digest], in lowercase."
    ),
    "revision-is-latest": gettext_lazy(
        "%(revision)s is the latest revision: Knative would recreate it immediately. Change the service instead."
    ),
    "revision-is-routed": gettext_lazy("%(revision)s still has traffic or a tag. Remove those first."),
    "container-unknown": gettext_lazy("The container “%(container)s” no longer exists."),
    "name-invalid": gettext_lazy(
        "“%(name)s” is not a valid name. Use at most 63 lowercase letters, digits and “-”, starting with a letter."
    ),
    "name-taken": gettext_lazy("A service named “%(name)s” already exists in this namespace. Choose another name."),
    "quantity-invalid": gettext_lazy("“%(value)s” is not a valid quantity (for example 250m or 128Mi)."),
    "memory-without-unit": gettext_lazy("Without a unit, %(value)s means bytes. Did you mean %(meant)s?"),
    "number-range": gettext_lazy("%(value)s is not between %(low)s and %(high)s."),
    "number-invalid": gettext_lazy("“%(value)s” is not a whole number."),
    "namespace-unknown": gettext_lazy("Choose a namespace that you can deploy to."),
    "manifest-other-service": gettext_lazy("The manifest is for another service (%(name)s)."),
    "manifest-invalid": gettext_lazy("“%(field)s” in the manifest has the wrong type."),
    "manifest-masked-value": gettext_lazy("“%(name)s” is new: enter its value instead of the mask."),
    "line-double": gettext_lazy("“%(name)s” is listed twice. Remove one."),
    "label-key-invalid": gettext_lazy(
        "“%(key)s” is not a valid key. Use at most 63 letters, digits, “-”, “_” and “.”, after an optional "
        "domain and “/”."
    ),
    "label-value-invalid": gettext_lazy(
        "“%(value)s” is not a valid label value. Use at most 63 letters, digits, “-”, “_” and “.”."
    ),
    "mount-path-taken": gettext_lazy("Something is already mounted at %(path)s."),
    "revision-name-prefix": gettext_lazy("“%(name)s” does not start with “%(prefix)s”."),
    "yaml-indented": gettext_lazy(
        "This is not valid YAML: %(detail)s. Check the indentation of this line and the lines above."
    ),
    "yaml-invalid": gettext_lazy("This is not valid YAML: %(detail)s"),
    "yaml-alias": gettext_lazy("Line %(line)s has a YAML alias (*name). Write out what it refers to."),
    "yaml-bytes": gettext_lazy("The YAML has %(count)s bytes; at most %(limit)s are accepted."),
    "yaml-nodes": gettext_lazy("The YAML has %(count)s keys, values, lists and maps; at most %(limit)s are accepted."),
    "yaml-depth": gettext_lazy("The YAML is nested %(count)s levels deep; at most %(limit)s are accepted."),
    "limit-containers": gettext_lazy("The service has %(count)s containers; at most %(limit)s are accepted."),
    "limit-variables": gettext_lazy("There are %(count)s environment variables; at most %(limit)s are accepted."),
    "limit-env-sources": gettext_lazy(
        "Variables come from %(count)s whole Secrets and ConfigMaps; at most %(limit)s are accepted."
    ),
    "limit-volumes": gettext_lazy("The service has %(count)s volumes; at most %(limit)s are accepted."),
    "limit-mounts": gettext_lazy("The service has %(count)s volume mounts; at most %(limit)s are accepted."),
    "limit-annotations": gettext_lazy(
        "Keys and values of the annotations have %(count)s bytes; Kubernetes accepts at most %(limit)s."
    ),
    "limit-text": gettext_lazy("One of the texts has %(count)s bytes; at most %(limit)s are accepted."),
    "limit-nodes": gettext_lazy(
        "The service has %(count)s keys, values, lists and maps; at most %(limit)s are accepted."
    ),
    "limit-depth": gettext_lazy("The service is nested %(count)s levels deep; at most %(limit)s are accepted."),
    "env-paste-bytes": gettext_lazy("The pasted text has %(count)s bytes; at most %(limit)s are accepted."),
    "env-paste-lines": gettext_lazy("The pasted text has %(count)s lines; at most %(limit)s are accepted."),
    "env-paste-more": gettext_lazy("%(count)s more lines have problems."),
    "label-decides": gettext_lazy(
        "The label “%(labels)s” controls access to this service or which rules protect it. To set or remove "
        "it, you must permanently hold the permissions it affects; you lack %(permissions)s. Leave it "
        "unchanged, or ask an owner."
    ),
    "no-new-revision": gettext_lazy(
        "Nothing else changes, so no revision is created. Edit something, or change the split under Traffic."
    ),
    "no-ready-revision": gettext_lazy("No revision is ready yet, so nothing could keep the rest of the traffic."),
    "digest-unknown": gettext_lazy("The current digest is not known. Let Knative re-resolve the image."),
}


def frozen(freeze: Freeze) -> str:
    """Return until when nothing can be changed, and why."""
    return frozen_until(freeze.until, freeze.window.note)


def locked(status: PolicyStatus) -> str:
    """Why a rule refuses the change of a service that another tool owns."""
    sentence = _("Locked: %(tool)s owns this service and would undo the change. Make the change there.")
    note = status.lock.note if status.lock else ""
    return " ".join(filter(None, (sentence % {"tool": status.tools}, note)))


def frozen_until(until: str, note: str) -> str:
    """Return the same of a freeze whose end and note are known."""
    return f"{_('Frozen until %(until)s.') % {'until': until}} {note}".strip()


def frozen_now(freeze: Freeze) -> str:
    return _("Active until %(until)s") % {"until": freeze.until}


def next_freeze(window: FreezeWindow, begins: datetime | None) -> str:
    """Return when a window that is not in force begins next, on the clocks of its zone."""
    if begins is None:
        return _("Ended")
    return _("Next start: %(begins)s") % {"begins": on_clock(begins, window.zone)}


def condition(found: Condition) -> str:
    """Return what a condition means where its reason is well known; empty otherwise."""
    if found.type == "Active" and found.word == "info":
        return _("scaled to zero, normal") if found.reason == "NoTraffic" else _("not active, normal")
    return reason(found.reason)


def reason(name: str) -> str:
    """Return what a condition's well-known reason means; empty for others."""
    known = {
        "RolloutInProgress": _("a gradual rollout is moving traffic"),
        "TLSNotEnabled": _("served over plain HTTP"),
        "ResolvingDigests": _("resolving the image"),
        "Deploying": _("pods are starting"),
    }
    return known.get(name, "")


def tally_count(text: str) -> str:
    """Return a count of conditions that kn writes (`3 OK / 4`) in the reader's language."""
    done, _ok, total = text.partition(" OK / ")
    return _("%(ok)s OK / %(total)s") % {"ok": done, "total": total} if total else text


def tally(conditions: tuple[Condition, ...]) -> str:
    """Return why the count of conditions is not complete: `Active: scaled to zero, normal`."""
    parts = [f"{c.type}: {condition(c) or c.reason or SYMBOL_WORDS[c.word]}" for c in conditions if not c.is_true]
    return ", ".join(parts)


def age(text: str) -> str:
    """Return an age that kn writes (`9d`) with its unit in the reader's language."""
    unit = _AGES.get(text[-1:])
    return str(unit) % {"count": text[:-1]} if unit and text[:-1].isdigit() else text


def ages_for_script() -> dict[str, str]:
    """Return the words of ages, with which static/js/ages.js keeps them right on a page that stays open."""
    return {**{unit: str(text) for unit, text in _AGES.items()}, "ago": _("%(age)s ago")}


def image(revision: Revision) -> str:
    """Return the image of a revision and the digest that it is pinned to."""
    if not revision.image_digest:
        return revision.image_text
    facts = {"image": revision.image.partition("@")[0], "digest": revision.image_digest.removeprefix("sha256:")[:6]}
    return _("%(image)s (pinned to %(digest)s)") % facts


def resource(name: str, kind: str) -> str:
    """Return what a container's resource is called. `kind` is request or limit."""
    known = RESOURCES.get((name, kind))
    return (
        str(known) if known else (_("%(name)s request") if kind == "request" else _("%(name)s limit")) % {"name": name}
    )


def scope(found: Scope) -> str:
    """Return where a grant holds, in words."""
    names = {"cluster": found.cluster, "namespace": found.namespace}
    if found.cluster == STAR and found.namespace == STAR:
        text = _("all clusters")
    elif found.cluster == STAR:
        text = _("namespace %(namespace)s in all clusters") % names
    elif found.namespace == STAR:
        text = _("all namespaces in %(cluster)s") % names
    else:
        text = _("namespace %(namespace)s in %(cluster)s") % names
    if not found.selector:
        return text
    return _("%(where)s, services with %(labels)s") % {"where": text, "labels": selector_text(found.selector)}


def misses(path: Path) -> str:
    """Return why a grant that has the permission does not give it here."""
    sentences = {
        "cluster": _("only in clusters named %(cluster)s"),
        "namespace": _("only in namespaces named %(namespace)s"),
        "selector": _("only on services with %(labels)s"),
        "expired": _("the membership expired at %(until)s UTC"),
        "inactive": _("the account is deactivated"),
    }
    facts = {
        "cluster": path.scope.cluster,
        "namespace": path.scope.namespace,
        "labels": selector_text(path.scope.selector),
        "until": f"{path.until:%Y-%m-%d %H:%M}" if path.until else "",
    }
    return _(" and ").join(sentences[miss] % facts for miss in path.misses)


PERSON_STATES = {
    "active": gettext_lazy("active"),
    "inactive": gettext_lazy("deactivated"),
    "administrators": gettext_lazy("administrators"),
}
