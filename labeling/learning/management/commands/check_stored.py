from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from labeling.catalog import stored


class Command(BaseCommand):
    help = "Look through all that is stored, as workers do bit by bit each night, and print what to restore."

    def handle(self, *args: Any, **options: Any) -> None:
        from labeling.learning.compute.checking import check_folders

        found = check_folders(None)
        photos = stored.check_photos(None)
        self.stdout.write(
            f"{photos} photos looked at; {found['vectors']} files of vectors are computed again"
        )
        for line in stored.to_restore():
            self.stdout.write(f"restore {line}")
