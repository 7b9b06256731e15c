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
    entries = [entry for folder in home.__path__ for entry in pkgutil.iter_modules([folder])]
    for entry in sorted(entries, key=lambda entry: entry.name):
        module = importlib.import_module(f"{package}.{entry.name}")
        if entry.name in found:
            raise BrokenCatalogue(f"{package} has two plug-ins named {entry.name}")
        if not hasattr(module, needs):
            raise BrokenCatalogue(f"{package}.{entry.name} defines no {needs!r}")
        found[entry.name] = module
    return found
