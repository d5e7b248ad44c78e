from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import fields
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labeling.catalog.models import Project
from labeling.learning.models import ModelVersion
from labeling.learning.selectors import champion
from labeling.learning.selectors import version as version_of
from labeling.serving.gate.checks import checks_of
from labeling.serving.gate.compute import measured
from labeling.serving.gate.junit import junit
from labeling.serving.gate.limits import Limits

#: A wrong call, as against a version that does not pass, which is 1.
_WRONG_CALL = 2
_LOOKS = {True: "ok", False: "FAILED", None: "–"}


class Command(BaseCommand):
    help = (
        "Whether a model version may go out, for a pipeline: figures, slices, certificates, parity of its ONNX form with "
        "the stored scores, latency. Exit code 0: all limits are met; 1: one is missed; 2: a wrong call. See "
        "docs/bundles.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--number", type=int, metavar="N", help="of the version (default: the champion)")
        parser.add_argument("--config", type=Path, metavar="TOML", help="limits, in a table called gate")
        parser.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit XML there")
        for each in fields(Limits):
            parser.add_argument(f"--{each.name.replace('_', '-')}", type=float, metavar="LIMIT")

    def handle(self, *args: Any, slug: str, number: int | None, config: Path | None, **options: Any) -> None:
        version = self._version(slug, number)
        given = {each.name: options[each.name] for each in fields(Limits) if options[each.name] is not None}
        try:
            limits = Limits.read(config.read_text("utf-8") if config else "", given)
        except (OSError, ValueError) as error:
            raise CommandError(str(error), returncode=_WRONG_CALL) from None
        checks = [*checks_of(version, limits), *measured(version, limits)]
        for each in checks:
            self.stdout.write(f"{_LOOKS[each.passed]:8}{each.group:13}{each.name}: {each.says}")
        if options["junit"] is not None:
            options["junit"].write_bytes(junit(f"{slug} version {version.number}", checks))
        if missed := [each.name for each in checks if each.passed is False]:
            raise CommandError(f"Version {version.number} does not pass: {', '.join(missed)}.")
        self.stdout.write(f"Version {version.number} passes.")

    def _version(self, slug: str, number: int | None) -> ModelVersion:
        project = Project.objects.filter(slug=slug, archived_at__isnull=True).first()
        if project is None:
            raise CommandError(f"There is no project “{slug}”.", returncode=_WRONG_CALL)
        version = champion(project) if number is None else version_of(project, number)
        if version is None:
            raise CommandError(
                "There is no such version. Train a model and promote it first.", returncode=_WRONG_CALL
            )
        return version
