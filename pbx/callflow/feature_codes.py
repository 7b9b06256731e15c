"""Feature codes: which one was dialled, and using it. Each code is a plug-in of `callflow.features`."""

from __future__ import annotations

from types import ModuleType

from pbx.callflow.features import Used
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control
from pbx.catalogue import BrokenCatalogue, plug_ins
from pbx.domain.destinations import Destination, ToFeature
from pbx.events import FeatureUsed


def by_code(modules: dict[str, ModuleType]) -> dict[str, ModuleType]:
    """Return plug-ins by their code; BrokenCatalogue when two have the same."""
    found: dict[str, ModuleType] = {}
    for name, module in modules.items():
        if module.CODE in found:
            raise BrokenCatalogue(f"{name} and {found[module.CODE].__name__} both have the code {module.CODE}")
        found[module.CODE] = module
    return found


INTERCOM = "*50"
"""What `99` and an extension stands for."""
FEATURES = by_code(plug_ins("pbx.callflow.features", needs="CODE"))


def feature_dialled(digits: str) -> ToFeature | None:
    """Return the feature whose code `digits` begins with, the longest of several, and what was dialled after it."""
    starred = (code for code in FEATURES if code.startswith("*") and digits.startswith(code))
    code = digits if digits in FEATURES else max(starred, key=len, default=None)
    return None if code is None else ToFeature(code=code, argument=digits[len(code) :])


def use_feature(call: Control, feature: ToFeature) -> Script[Destination | None]:
    """Do what the code does; return where the call goes then, None when it went into another."""
    used: Used = yield from FEATURES[feature.code].use(call, feature.argument)
    call.publish(FeatureUsed(call.id, feature.code, feature.argument, used.done))
    return used.then
