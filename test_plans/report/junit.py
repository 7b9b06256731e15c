"""JUnit XML: a suite is a plan, a testcase a case; blocked and skipped carry their reason.

Elements, their order and attributes are those of the schema that Jenkins publishes, which GitLab and GitHub read too.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from test_plans.verdicts import BLOCKED, ERROR, FAILED, SKIPPED, RunResult

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(result: RunResult) -> str:
    """Return the document; characters that XML cannot hold are dropped (Asterisk had to)."""
    count = [case.verdict for case in result.cases]
    root = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=result.plan,
        tests=str(len(count)),
        failures=str(count.count(FAILED)),
        errors=str(count.count(ERROR)),
        skipped=str(count.count(BLOCKED) + count.count(SKIPPED)),
        time=f"{result.seconds:.3f}",
        timestamp=result.started.wall.strftime("%Y-%m-%dT%H:%M:%S") if result.started is not None else "",
    )
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (("domain", result.domain), ("seed", str(result.seed)), ("world", _world(result))):
        ElementTree.SubElement(properties, "property", name=name, value=value)
    for case in result.cases:
        entry = ElementTree.SubElement(
            suite,
            "testcase",
            classname=result.plan,
            name=_clean(f"{case.case} {case.title}"),
            time=f"{case.seconds:.3f}",
        )
        if case.verdict in (FAILED, ERROR):
            problem = ElementTree.SubElement(
                entry,
                "failure" if case.verdict == FAILED else "error",
                message=_clean(case.reason),
                type=case.verdict,
            )
            problem.text = _clean("\n".join(f"seen: {line}" for step in case.steps[-1:] for line in step.seen))
        elif case.verdict in (BLOCKED, SKIPPED):
            ElementTree.SubElement(entry, "skipped", message=_clean(f"{case.verdict}: {case.reason}"))
        lines = [f"{step.verdict:8} {step.text} {step.detail}".rstrip() for step in case.steps]
        binding = ", ".join(f"{role}={device}" for role, device in case.binding.items())
        ElementTree.SubElement(entry, "system-out").text = _clean("\n".join([f"bound: {binding}", *lines]))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _world(result: RunResult) -> str:
    return "virtual" if result.virtual else "real"


def _clean(text: str) -> str:
    return _ILLEGAL.sub("", text)
