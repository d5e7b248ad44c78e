from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labeling.catalog.models import Project
from labeling.queue.requests import request_rescoring


class Command(BaseCommand):
    help = (
        "Score the pools of several projects by their champions and rank them anew, in one job for a worker. Projects "
        "on one backbone share one pass over the embeddings. Without names: all projects."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slugs", nargs="*", metavar="SLUG")

    def handle(self, *args: Any, slugs: list[str], **options: Any) -> None:
        projects = Project.objects.filter(archived_at__isnull=True)
        if slugs:
            projects = projects.filter(slug__in=slugs)
            unknown = set(slugs) - set(projects.values_list("slug", flat=True))
            if unknown:
                raise CommandError(f"There is no project called {', '.join(sorted(unknown))}.")
        if not projects:
            raise CommandError("There is no project yet.")
        job = request_rescoring(projects=list(projects))
        self.stdout.write(f"Job {job.pk}: {len(projects)} projects. A worker does it.")
