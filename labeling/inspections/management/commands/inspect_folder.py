from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labeling.catalog.permissions import Action
from labeling.catalog.sources.errors import SourceError
from labeling.inspections.folders import STILL_S, take_in_folder
from labeling.inspections.models import Protocol
from labeling.inspections.permissions import may_in
from labeling.people.models import User
from labeling.refusals import Refused


class Command(BaseCommand):
    help = (
        "Take in the inspections that lie in an open folder, as IDENTIFIER/ID/shot.jpg. Looking again takes in what came "
        "since; put it into a timer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("protocol", help="its address")
        parser.add_argument("folder", help="within one of HILLTOP_INTAKE_ROOTS")
        parser.add_argument("--by", required=True, help="user name of whoever records them")
        parser.add_argument("--event", default="inspection", help="wash, return, hand-over … (%(default)s)")
        parser.add_argument(
            "--still",
            type=int,
            default=STILL_S,
            help="seconds that a folder must have been left alone (%(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        protocol = Protocol.objects.filter(slug=options["protocol"], archived_at__isnull=True).first()
        by = User.objects.filter(username=options["by"], is_active=True).first()
        if protocol is None or by is None or not may_in(by, protocol, Action.OVERRULE):
            raise CommandError("There is no such protocol, or this person may not record its inspections.")
        try:
            for told in take_in_folder(
                protocol=protocol,
                by=by,
                folder=options["folder"],
                event=options["event"],
                still_s=options["still"],
            ):
                (self.stdout if told.good else self.stderr).write(f"{told.name}: {told.what}")
        except (Refused, SourceError) as error:
            raise CommandError(str(error)) from None
