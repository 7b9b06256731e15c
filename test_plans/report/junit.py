"""JUnit XML: a suite is a plan, a testcase a case; blocked and skipped carry their reason.

Elements, their order and attributes are those of the schema that Jenkins publishes, which GitLab and GitHub read too.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from test_plans.report.document import Document
from test_plans.verdicts import ATTESTED, BLOCKED, ERROR, FAILED, SKIPPED

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(it: Document) -> str:
    """Return the document; characters that XML cannot hold are dropped (Asterisk had to)."""
    count = [case["verdict"] for case in it["cases"]]
    root = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=_clean(it["plan"]),
        tests=str(len(count)),
        failures=str(count.count(FAILED)),
        errors=str(count.count(ERROR)),
        skipped=str(count.count(BLOCKED) + count.count(SKIPPED)),
        time=f"{it['seconds']:.3f}",
        timestamp=it["started_lab"][:19],
    )
    properties = ElementTree.SubElement(suite, "properties")
    for name in ("product", "domain", "seed", "world", "state", "tester", "plan_sha256", "began_wall"):
        ElementTree.SubElement(properties, "property", name=name, value=_clean(str(it[name])))
    for name, device in it["devices"].items():
        agent = " ".join(filter(None, (device["model"], device["agent"])))
        ElementTree.SubElement(properties, "property", name=_clean(f"device.{name}"), value=_clean(agent))
    for case in it["cases"]:
        entry = ElementTree.SubElement(
            suite,
            "testcase",
            classname=_clean(it["plan"]),
            name=_clean(f"{case['id']} {case['title']}"),
            time=f"{case['seconds']:.3f}",
        )
        if case["verdict"] in (FAILED, ERROR):
            problem = ElementTree.SubElement(
                entry,
                "failure" if case["verdict"] == FAILED else "error",
                message=_clean(case["reason"]),
                type=case["verdict"],
            )
            problem.text = _clean("\n".join(f"seen: {line}" for step in case["steps"][-1:] for line in step["seen"]))
        elif case["verdict"] in (BLOCKED, SKIPPED):
            ElementTree.SubElement(entry, "skipped", message=_clean(f"{case['verdict']}: {case['reason']}"))
        ElementTree.SubElement(entry, "system-out").text = _clean("\n".join(_told(case)))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _told(case: Document) -> list[str]:
    """Binding and steps; evidence as GitLab and Jenkins' attachments plug-in read it."""
    binding = ", ".join(f"{role}={device}" for role, device in case["binding"].items())
    lines = [f"bound: {binding}"]
    if case["attempts"] > 1:
        lines.append(f"flaky: attempt {case['attempts']}; before: {'; '.join(case['earlier'])}")
    for step in case["steps"]:
        attested = f" [{ATTESTED}]" * (step["witness"] == ATTESTED)
        lines.append(f"{step['verdict']:8} {step['text']} {step['detail']}".rstrip() + attested)
    return [*lines, *(f"[[ATTACHMENT|{one['path']}]]" for one in case["evidence"])]


def _clean(text: str) -> str:
    return _ILLEGAL.sub("", text)
