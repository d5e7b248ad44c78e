from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.supervise import CannotStart, hold_var
from labeling.gateway.moving import CannotMove, restoring
from labeling.gateway.moving.stores import of_backups, of_hilltop


class Command(BaseCommand):
    requires_system_checks = []
    help = "Fill an empty Hilltop from a backup (the newest one), and compare all with what the backup says."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("where", help="as of `backup`")
        parser.add_argument("--backup", default="", metavar="NAME", help="another one than the newest")
        parser.add_argument(
            "--check", action="store_true", help="only read the backup, and say whether it is whole"
        )

    def handle(self, *args: Any, where: str, backup: str, check: bool, **options: Any) -> None:
        try:
            if check:
                self._check(where, backup)
                return
            with hold_var():
                manifest = restoring.restore(
                    backups_in=of_backups(where),
                    backup=backup,
                    url=os.environ["DATABASE_URL"],
                    target=of_hilltop(settings.STORAGES["default"], settings.VAR),
                    var=settings.VAR,
                    say=self.stdout.write,
                )
        except (CannotMove, CannotStart, OSError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"backup {manifest.name} is restored")
        self.stdout.write(
            "webhooks, mails, Slack: it tells whom the original tells; where that goes on, start this with HILLTOP_QUIET=1"
        )

    def _check(self, where: str, backup: str) -> None:
        manifest, bad = restoring.check(backups_in=of_backups(where), backup=backup)
        if bad:
            raise CommandError(
                f"{len(bad)} of {manifest.files} files are lost or damaged, such as {', '.join(bad[:10])}"
            )
        self.stdout.write(
            f"backup {manifest.name} is whole: {manifest.files} files with {manifest.size} bytes"
        )
