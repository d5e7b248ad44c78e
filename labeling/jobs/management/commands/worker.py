from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from labeling.jobs.migrated import must_be_migrated
from labeling.jobs.worker import work
from labeling.store.folders import carry_over
from labeling.store.objects import StoreAway


class Command(BaseCommand):
    requires_system_checks = []
    help = "Do background jobs until stopped. Start as many as you like, on as many machines as you like."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--queues", default="cpu,gpu", help="comma-separated (default: %(default)s)")
        parser.add_argument(
            "--concurrency",
            type=int,
            default=int(os.environ.get("HILLTOP_WORKER_JOBS", 3)),
            help="jobs at once (default: %(default)s)",
        )
        parser.add_argument(
            "--until-idle", action="store_true", help="end when no job waits (default: when stopped)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.IS_WORKER:  # manage.py sees to it; call_command() would not
            raise CommandError(
                "Start workers with `python manage.py worker`, not from inside another process."
            )
        must_be_migrated()
        try:
            if carried := carry_over():
                self.stdout.write(f"worker: {carried} folders that were only here are in the store now")
        except StoreAway as error:
            self.stderr.write(f"worker: {error}")
        queues = [name.strip() for name in options["queues"].split(",") if name.strip()]
        self.stdout.write(f"worker: jobs of {', '.join(queues)}, {options['concurrency']} at once")
        work(queues=queues, concurrency=options["concurrency"], until_idle=options["until_idle"])
