"""Checks as JUnit XML, as pipelines read it: a test case each, a failure where a limit is missed."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from labeling.serving.gate.checks import Check


def junit(name: str, checks: Sequence[Check]) -> bytes:
    """``name``: of the suite. What was not asked for is a skipped case that tells its figure."""
    suite = ElementTree.Element(
        "testsuite",
        name=name,
        tests=str(len(checks)),
        failures=str(sum(each.passed is False for each in checks)),
        skipped=str(sum(each.passed is None for each in checks)),
        errors="0",
        time=f"{sum(each.seconds for each in checks):.3f}",
    )
    for each in checks:
        case = ElementTree.SubElement(
            suite, "testcase", classname=f"gate.{each.group}", name=each.name, time=f"{each.seconds:.3f}"
        )
        if each.passed is None:
            ElementTree.SubElement(case, "skipped", message=f"no limit; {each.says}")
        elif not each.passed:
            ElementTree.SubElement(case, "failure", message=each.says)
        else:
            ElementTree.SubElement(case, "system-out").text = each.says
    ElementTree.indent(suite)
    return bytes(ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True))
