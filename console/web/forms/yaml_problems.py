"""What is wrong with a YAML that cannot be read (console.kubectl_yaml), as a problem of a form."""

import yaml

from console import kubectl_yaml
from console.knative.problems import Problem


def yaml_problem(error: yaml.YAMLError) -> Problem:
    """Return the problem: what the reader says, and the line."""
    if isinstance(error, kubectl_yaml.TooLarge):
        return Problem(f"yaml-{error.what}", {"count": error.count, "limit": error.limit})
    if isinstance(error, kubectl_yaml.HasAlias):
        return Problem("yaml-alias", {"line": error.line})
    detail = getattr(error, "problem", None) or str(error)
    mark = getattr(error, "problem_mark", None)
    where = f" (line {mark.line + 1})" if mark else ""
    return Problem("yaml-invalid", {"detail": f"{detail}{where}"[:200]})
