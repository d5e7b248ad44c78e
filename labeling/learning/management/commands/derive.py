from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labeling.catalog.models import Project
from labeling.jobs.models import Job, JobState
from labeling.learning.deriving import derive_project, read_gold
from labeling.people.models import User
from labeling.refusals import Refused

#: The jobs that stand between the photos and the first whole order of the queue.
ORDERING = ("embed", "rank")


class Command(BaseCommand):
    help = (
        "Create a project with another question on the photos and the backbone of one that is there. Nothing is "
        "embedded again. A worker (make serve, make demo, manage.py worker) brings the photos and orders the queue."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--from", dest="source", required=True, metavar="SLUG", help="project to derive from"
        )
        parser.add_argument("--slug", required=True, help="address of the new project")
        parser.add_argument("--name", required=True)
        parser.add_argument("--question", required=True)
        parser.add_argument(
            "--class", dest="classes", action="append", default=[], metavar="KEY=NAME", help="twice or more"
        )
        parser.add_argument(
            "--only-class", default="", metavar="KEY", help="only photos settled as this class"
        )
        parser.add_argument("--members", action="store_true", help="take the members over, in their roles")
        parser.add_argument(
            "--gold",
            type=Path,
            metavar="CSV",
            help="lines “photo name or SHA-256,class key” whose answers are certain: they become gold, and never "
            "train (labels that should are imported into the new project)",
        )
        parser.add_argument("--by", metavar="USER", help="who creates it (default: who created the source)")
        parser.add_argument(
            "--wait", action="store_true", help="until the queue is ordered; tells the seconds"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        source = Project.objects.filter(slug=options["source"], archived_at__isnull=True).first()
        if source is None:
            raise CommandError(f"There is no project “{options['source']}”.")
        by = User.objects.filter(username=options["by"]).first() if options["by"] else source.created_by
        if by is None:
            raise CommandError(f"There is no account “{options['by']}”.")
        try:
            gold = read_gold(options["gold"].read_bytes()) if options["gold"] else []
            project, job = derive_project(
                source=source,
                slug=options["slug"],
                name=options["name"],
                question=options["question"],
                classes=[_class(text) for text in options["classes"]],
                by=by,
                only_class=options["only_class"],
                with_members=options["members"],
                gold=gold,
            )
        except OSError as error:
            raise CommandError(f"The CSV cannot be read: {error}") from None
        except Refused as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(f"Created “{project.name}” at /p/{project.slug}/. A worker brings its photos.")
        if options["wait"]:
            self._wait(project, job, began)

    def _wait(self, project: Project, job: Job, began: float) -> None:
        """Until the photos are there and the queue's first whole order is written; nothing else is waited for."""
        ordering = Job.objects.of_project(project.pk).filter(kind__in=ORDERING)
        while True:
            job.refresh_from_db()
            if job.state in {JobState.FAILED, JobState.CANCELLED}:
                raise CommandError(job.error or "The job was cancelled.")
            ended = ordering.filter(state__in=[JobState.FAILED, JobState.CANCELLED]).first()
            if ended is not None:
                raise CommandError(f"{ended.kind}: {ended.error or 'The job was cancelled.'}")
            # Photos that came while one was running are embedded and ordered by a second one: none may be left.
            ordered = ordering.filter(kind="rank", state=JobState.SUCCEEDED).exists()
            if job.state == JobState.SUCCEEDED and ordered and not ordering.live().exists():
                break
            time.sleep(0.1)
        told = job.result or {}
        self.stdout.write(
            f"{told.get('photos', 0)} photos in a new order after {time.monotonic() - began:.1f} s; "
            f"{told.get('gold', 0)} are gold."
        )
        if told.get("unknown"):
            self.stdout.write(f"No fresh photo is called: {', '.join(told['unknown'])}")


def _class(text: str) -> dict[str, str]:
    key, separator, name = (part.strip() for part in text.partition("="))
    if not key or (separator and not name):
        raise CommandError(f"“{text}” is not KEY=NAME: both are needed, as in mono=Monocrystalline.")
    return {"key": key, "name": name if separator else key}
