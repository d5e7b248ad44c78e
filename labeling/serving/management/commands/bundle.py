from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labeling.catalog.models import Project
from labeling.jobs.progress import JobError
from labeling.learning.selectors import champion
from labeling.learning.selectors import version as version_of
from labeling.serving.bundles.compute import write_folder, write_zip


class Command(BaseCommand):
    help = (
        "Take a model version out: ONNX networks and head, their manifest, and a script that gives the same scores with "
        "onnxruntime, numpy and pillow alone. See docs/bundles.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument(
            "out", type=Path, help="a folder that is empty or not there yet, or a file that ends in .zip"
        )
        parser.add_argument("--number", type=int, metavar="N", help="default: the champion")

    def handle(self, *args: Any, slug: str, out: Path, number: int | None, **options: Any) -> None:
        project = Project.objects.filter(slug=slug, archived_at__isnull=True).first()
        if project is None:
            raise CommandError(f"There is no project “{slug}”.")
        version = champion(project) if number is None else version_of(project, number)
        if version is None:
            raise CommandError("There is no such version. Train a model and promote it first.")
        try:
            if out.suffix == ".zip":
                manifest = write_zip(version, out)
            else:
                out.mkdir(parents=True, exist_ok=True)
                if any(out.iterdir()):
                    raise CommandError(f"{out} is not empty.")
                manifest = write_folder(version, out)
        except (JobError, OSError) as error:
            raise CommandError(str(error)) from None
        networks = ", ".join(each["name"] for each in manifest["networks"])
        self.stdout.write(f"Version {version.number} of “{project.name}” ({networks}) is in {out}.")
