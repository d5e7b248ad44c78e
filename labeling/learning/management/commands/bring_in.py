from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labeling.catalog.models import Project
from labeling.learning.compute.bringing_in import bring_in
from labeling.people.models import User
from labeling.refusals import Refused


class Command(BaseCommand):
    help = (
        "Bring in a classifier that was trained elsewhere, as ONNX: a model version that scores the project's photos before "
        "anybody labeled one. See docs/bundles.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("model", type=Path, metavar="FILE.onnx")
        parser.add_argument(
            "--classes",
            required=True,
            metavar="KEY,KEY",
            help="the project's class of each column, in their order; several may be one, and an empty one is left out",
        )
        parser.add_argument(
            "--preprocessor",
            type=Path,
            metavar="JSON",
            help="preprocessor_config.json; options take its place",
        )
        parser.add_argument("--size", type=int, help="side of the square that the network takes, pixels")
        parser.add_argument(
            "--resize", type=int, help="of the photo's shorter side before the square is cut out"
        )
        parser.add_argument(
            "--squash", action="store_true", help="squeeze the photo into the square, cut nothing"
        )
        parser.add_argument(
            "--mean", type=_numbers, metavar="R,G,B", help="of values from 0 to 1 (ImageNet's)"
        )
        parser.add_argument(
            "--std", type=_numbers, metavar="R,G,B", help="of values from 0 to 1 (ImageNet's)"
        )
        parser.add_argument("--interpolation", choices=["bilinear", "bicubic"])
        parser.add_argument("--says", choices=["auto", "logits", "probabilities"], default="auto")
        parser.add_argument(
            "--licence", default="", help="a note of the licence of its weights, kept with the version"
        )
        parser.add_argument(
            "--by", metavar="USER", help="who brings it in (default: who created the project)"
        )

    def handle(self, *args: Any, slug: str, model: Path, **options: Any) -> None:
        project = Project.objects.filter(slug=slug, archived_at__isnull=True).first()
        if project is None:
            raise CommandError(f"There is no project “{slug}”.")
        by = User.objects.filter(username=options["by"]).first() if options["by"] else project.created_by
        if by is None:
            raise CommandError(f"There is no account “{options['by']}”.")
        names = ("size", "resize", "mean", "std", "interpolation")
        given = {name: options[name] for name in names if options[name] is not None}
        if options["squash"]:
            given["squash"] = True
        try:
            told = json.loads(options["preprocessor"].read_text("utf-8")) if options["preprocessor"] else {}
            made = bring_in(
                project=project,
                model=model,
                classes=[key.strip() for key in options["classes"].split(",")],
                preprocessor=told,
                given=given,
                says=options["says"],
                licence=options["licence"],
                by=by,
            )
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from None
        except Refused as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(
            f"Version {made.number} of “{project.name}”. A worker embeds the photos, and scores them if it is the champion."
        )


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(each) for each in text.split(","))
