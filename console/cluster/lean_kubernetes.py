"""Loads no more of the package `kubernetes` than is used of it: configuration, credentials, connections.

Its two `__init__` files import a module for each of 900 models and API groups, none of which is used here: 30 MB and
0.2 s in every process. After `install`, those two run only if something is asked of them that the parts below lack.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from typing import Any

Parts = Mapping[str, Callable[[], Any]]


def install() -> None:
    """Make `import kubernetes` cheap; to be called before the first one."""
    _import_thin(
        "kubernetes",
        {
            "client": lambda: import_module("kubernetes.client"),
            "config": lambda: import_module("kubernetes.config"),
        },
    )
    _import_thin(
        "kubernetes.client",
        {
            "ApiClient": lambda: _whole_api_client,
            "Configuration": lambda: import_module("kubernetes.client.configuration").Configuration,
        },
    )


def _import_thin(name: str, parts: Parts) -> None:
    """Import a package without running its `__init__`, which runs when another attribute than `parts` is read.

    Submodules can be imported as ever. A package that is imported already stays as it is.
    """
    if name in sys.modules:
        return
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(name)
    module, run = module_from_spec(spec), spec.loader.exec_module

    def read(attribute: str) -> Any:
        if attribute in parts:
            return parts[attribute]()
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        del module.__dict__["__getattr__"]
        run(module)
        return getattr(module, attribute)

    module.__dict__["__getattr__"] = read
    sys.modules[name] = module


def _whole_api_client(*arguments: Any, **named: Any) -> Any:
    """What kubernetes.config takes for ApiClient: it makes one only to renew a token of an old auth-provider."""
    return import_module("kubernetes.client.api_client").ApiClient(*arguments, **named)
