from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from labeling.gateway.moving import CannotMove
from labeling.gateway.moving.backing_up import back_up
from labeling.gateway.moving.stores import of_backups, of_hilltop


class Command(BaseCommand):
    requires_system_checks = []
    help = "Write a backup of the database and all files, while everything runs. Photos that are there cost no room again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("where", help="a folder for backups, or as HILLTOP_STORAGE a store in JSON")
        parser.add_argument(
            "--lean",
            action="store_true",
            help="without what is computed again: renditions, embeddings, heat maps",
        )

    def handle(self, *args: Any, where: str, lean: bool, **options: Any) -> None:
        try:
            made = back_up(
                url=os.environ["DATABASE_URL"],
                source=of_hilltop(settings.STORAGES["default"], settings.VAR),
                target=of_backups(where),
                var=None if os.environ.get("HILLTOP_SECRET_KEY") else settings.VAR,
                lean=lean,
                say=self.stdout.write,
            )
        except (CannotMove, OSError) as error:
            raise CommandError(str(error)) from None
        told = made.manifest
        self.stdout.write(
            f"files: {told.files} with {told.size} bytes; new {made.new_files} with {made.new_bytes}"
        )
        for warning in made.warnings:
            self.stderr.write(f"warning: {warning}")
        if os.environ.get("HILLTOP_SECRET_KEY"):
            self.stderr.write(
                "HILLTOP_SECRET_KEY is in the environment, not in the backup: keep it elsewhere, too."
            )
        self.stdout.write(f"backup {told.name} is whole")
