from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labeling.catalog import remaking_on_ray
from labeling.catalog.models import Project
from labeling.jobs.migrated import must_be_migrated
from labeling.jobs.on_ray import ClusterTrouble, Outcome, connect
from labeling.learning import domain_backbones

#: Between two lines of progress.
TELL_EVERY_S = 10.0


class Command(BaseCommand):
    help = (
        "Mass work in a Ray cluster (pip install 'ray[data]'): what jobs do for thousands of photos, for tens of millions. "
        "Stop it whenever you like: started again, it goes on with what is missing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_subparsers(dest="what", required=True)
        embedding = what.add_parser("embed", help="embed the photos of a project that have no embedding yet")
        embedding.add_argument("project", metavar="SLUG")
        embedding.add_argument("--backbone", help="one of them (default: all that the project needs)")
        rendering = what.add_parser("renditions", help="make anew what an earlier version made of photos")
        for each in (embedding, rendering):
            each.add_argument(
                "--address",
                default="",
                help="of the cluster, such as auto (default: one of this machine alone)",
            )

    def handle(self, *args: Any, **options: Any) -> None:
        must_be_migrated()
        try:
            connect(options["address"])
            left = sum(getattr(self, f"_{options['what']}")(options))
        except ClusterTrouble as error:
            raise CommandError(str(error)) from None
        if left:
            raise CommandError(
                f"{left:,} photos were left out, for machines failed over them. Look into their logs, and run it again."
            )

    def _embed(self, options: dict[str, Any]) -> Iterator[int]:
        from labeling.learning.compute.on_ray import embed

        project = Project.objects.filter(slug=options["project"], archived_at__isnull=True).first()
        if project is None:
            raise CommandError(f"There is no project “{options['project']}”.")
        troubles: list[str] = []
        for name in [options["backbone"]] if options["backbone"] else domain_backbones.to_embed(project):
            try:
                yield self._follow(name, *embed(project, name))
            except ClusterTrouble as error:  # the other backbones are none the worse
                troubles.append(str(error))
        if troubles:
            raise ClusterTrouble("\n".join(troubles))

    def _renditions(self, _options: dict[str, Any]) -> Iterator[int]:
        yield self._follow("renditions", *remaking_on_ray.remake())

    def _follow(self, name: str, wanted: int, outcomes: Iterator[list[Outcome]]) -> int:
        """Tell how far it is, and name what cannot be read; how many photos machines left out."""
        self.stdout.write(f"{name}: {wanted:,} photos")
        began = told = time.monotonic()
        done = unreadable = 0
        for block in outcomes:
            for each in block:
                if "trouble" in each:
                    continue
                done += 1
                if "reason" in each:
                    unreadable += 1
                    self.stderr.write(f"{each['sha256']} {each['reason']}: {each['message']}")
            for trouble in {each["trouble"] for each in block if "trouble" in each}:
                self.stderr.write(f"a block of {len(block):,} photos failed: {trouble}")
            if (now := time.monotonic()) - told > TELL_EVERY_S:
                told = now
                self.stdout.write(f"{name}: {done:,} of {wanted:,}, {done / (now - began):,.1f} a second")
        self.stdout.write(
            f"{name}: {done - unreadable:,} done, {unreadable:,} cannot be read, {wanted - done:,} left out"
        )
        return max(0, wanted - done)
