from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.database import start_embedded
from config.supervise import CannotStart, hold_var
from labeling.gateway.moving import CannotMove, moving
from labeling.gateway.moving.stores import Store, as_json, of_hilltop

HERE = "here"


class Command(BaseCommand):
    requires_system_checks = []
    help = (
        "Copy the database to a PostgreSQL server, the files to a store, or both, and compare all of it; or back. Hilltop "
        "must be stopped. What was there stays there; run it again when it was cut off."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--database", default="", metavar="URL", help=f"or {HERE}: the embedded one in var/postgres"
        )
        parser.add_argument(
            "--storage",
            default="",
            metavar="JSON",
            help=f"as HILLTOP_STORAGE, or {HERE}: the folders of var/",
        )

    def handle(self, *args: Any, database: str, storage: str, **options: Any) -> None:
        if not database and not storage:
            raise CommandError(
                "Say where to: --database, --storage, or both. What is not named stays where it is."
            )
        try:
            with hold_var():
                moving.move(
                    url=os.environ["DATABASE_URL"],
                    to_url=self._embedded() if database == HERE else database,
                    files=of_hilltop(settings.STORAGES["default"], settings.VAR),
                    to_files=self._files(storage) if storage else None,
                    say=self.stdout.write,
                )
        except (CannotMove, CannotStart, OSError) as error:
            raise CommandError(str(error)) from None
        self._say_what_follows(database, storage)

    def _embedded(self) -> str:
        return start_embedded(settings.VAR / "postgres", keep_running=False)

    def _files(self, storage: str) -> Store:
        told = settings.FILES_HERE if storage == HERE else as_json(storage)
        if told == settings.STORAGES["default"]:
            raise CannotMove("The files are there already.")
        return of_hilltop(told, settings.VAR)

    def _say_what_follows(self, database: str, storage: str) -> None:
        for name, value in {"DATABASE_URL": database, "HILLTOP_STORAGE": storage}.items():
            if value == HERE:
                self.stdout.write(f"Now start Hilltop without {name}.")
            elif value:
                self.stdout.write(f"Now start Hilltop, on every machine, with {name} set to that.")
        if not os.environ.get("HILLTOP_SECRET_KEY"):
            self.stdout.write(
                f"Machines that serve one site share HILLTOP_SECRET_KEY: the first line of {settings.VAR / 'secret-key'}. "
                "Without it people sign in again, and two-step sign-in opens to nobody."
            )
