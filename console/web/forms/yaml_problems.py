"""What is wrong with a YAML that cannot be read (console.kubectl_yaml), as a problem of a form."""

import yaml

from console import kubectl_yaml
from console.knative.problems import Problem

# What the reader says of a line that begins too far to the left or to the right.
OF_INDENTATION = ("did not find expected key", "did not find expected '-' indicator", "mapping values are not allowed")


def yaml_problem(error: yaml.YAMLError) -> Problem:
    """Return the problem: what the reader says, and the line."""
    if isinstance(error, kubectl_yaml.TooLarge):
        return Problem(f"yaml-{error.what}", {"count": error.count, "limit": error.limit})
    if isinstance(error, kubectl_yaml.HasAlias):
        return Problem("yaml-alias", {"line": error.line})
    detail = getattr(error, "problem", None) or str(error)
    mark = getattr(error, "problem_mark", None)
    where = f" (line {mark.line + 1})" if mark else ""
    code = "yaml-indented" if any(sign in detail for sign in OF_INDENTATION) else "yaml-invalid"
    return Problem(code, {"detail": f"{detail}{where}"[:200]})
