"""Words and variables of a POSIX shell."""

import re
import shlex
from collections.abc import Sequence

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
# What the shell, or kn itself, lives by: nobody may have to set these in order to follow a command.
_TAKEN = frozenset({"HOME", "IFS", "KUBECONFIG", "OPTIND", "PATH", "PPID", "PS1", "PS2", "PS4", "PWD", "_"})


def quoted(text: str) -> str:
    """Return the text as one word of a shell command."""
    return shlex.quote(text)


def shell_variables(names: Sequence[str]) -> dict[str, str]:
    """Return a shell variable for each name: the name itself where it can be one, else `VALUE_1`, `VALUE_2` ..."""
    found: dict[str, str] = {}
    for index, name in enumerate(names, 1):
        is_free = _NAME.fullmatch(name) and name not in _TAKEN
        found[name] = name if is_free else f"VALUE_{index}"
    return found
