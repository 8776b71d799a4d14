"""What the webhook refuses in a list of traffic targets."""

from __future__ import annotations

from typing import Any

from console.sandbox import names
from console.sandbox.knative.problems import (
    Problem,
    Problems,
    disallowed,
    invalid,
    invalid_key,
    out_of_bounds,
    under,
)
from console.sandbox.knative.version import OLDEST, knative_version


def traffic_problems(targets: list[dict[str, Any]], *, has_configuration: bool) -> Problems:
    """The problems of `spec.traffic`, their paths relative to `spec`.

    In a Service (`has_configuration`) a target may not name a configuration; in a Route it names one or a revision.
    """
    problems: Problems = []
    first_with_tag: dict[str, int] = {}
    for index, target in enumerate(targets):
        problems += under(f"[{index}]", _target_problems(target, has_configuration=has_configuration))
        tag = target.get("tag") or ""
        if not tag:
            continue
        wrong = names.dns_1035_problem(tag)
        if wrong:
            problems.append(invalid(f"not a DNS 1035 label: {wrong}", f"tag[{index}]"))
        if tag in first_with_tag:
            paths = (f"[{index}].tag", f"[{first_with_tag[tag]}].tag")
            problems.append(Problem(f'Multiple definitions for "{tag}"', paths))
        first_with_tag.setdefault(tag, index)
    total = sum(target.get("percent") or 0 for target in targets)
    if total != 100:
        problems.append(Problem(f"Traffic targets sum to {total}, want 100", ("",)))
    return under("traffic", problems)


def _target_problems(target: dict[str, Any], *, has_configuration: bool) -> Problems:
    problems: Problems = []
    revision, configuration = target.get("revisionName") or "", target.get("configurationName") or ""
    follows_latest = target.get("latestRevision")
    if follows_latest is not None and bool(revision) == follows_latest:
        why = f'may not set revisionName "{revision}" when latestRevision is {str(follows_latest).lower()}'
        problems.append(Problem(why, ("latestRevision",)))
    if has_configuration and configuration:
        problems.append(disallowed("configurationName"))
    elif revision and configuration:
        problems.append(Problem("expected exactly one, got both", ("revisionName", "configurationName")))
    elif revision or configuration:
        field, name = ("revisionName", revision) if revision else ("configurationName", configuration)
        # The text is that of the Kubernetes libraries that the release was built with.
        wrong = names.qualified_name_problems(name, "bytes" if knative_version() > OLDEST else "characters")
        if wrong:
            problems.append(invalid_key(name, field, ", ".join(wrong)))
    elif not has_configuration:
        problems.append(Problem("expected exactly one, got neither", ("revisionName", "configurationName")))
    percent = target.get("percent")
    if percent is not None and not 0 <= percent <= 100:
        problems.append(out_of_bounds(percent, 0, 100, "percent"))
    if target.get("url"):
        problems.append(disallowed("url"))
    return problems
