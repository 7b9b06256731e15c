"""Plug-ins: every module of a package is one; two of the same name are refused, a missing part is named."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


class BrokenCatalogue(Exception):
    """A package of plug-ins does not hold what it must."""


def plug_ins(package: str, *, needs: str) -> dict[str, ModuleType]:
    """Return the modules of `package` by name; each must define `needs`."""
    home = importlib.import_module(package)
    found: dict[str, ModuleType] = {}
    for entry in sorted(pkgutil.iter_modules(home.__path__), key=lambda entry: entry.name):
        module = importlib.import_module(f"{package}.{entry.name}")
        if not hasattr(module, needs):
            raise BrokenCatalogue(f"{package}.{entry.name} defines no {needs!r}")
        if entry.name in found:
            raise BrokenCatalogue(f"{package} has two plug-ins named {entry.name}")
        found[entry.name] = module
    return found
