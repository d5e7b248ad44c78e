from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from config.supervise import CannotStart, Supervisor, check_port, hold_var
from labeling.gateway.serving import address, programs
from labeling.jobs.migrated import must_be_migrated


class Command(BaseCommand):
    requires_system_checks = []
    help = "Run the web server and the job workers until Ctrl-C (see HILLTOP_HOST, HILLTOP_PORT, HILLTOP_WORKERS)."

    def handle(self, *args: Any, **options: Any) -> None:
        at = address()
        try:
            with hold_var():
                check_port(at.host, at.port)
            must_be_migrated()
            connections.close_all()
            Supervisor(programs(at)).run(
                ready=lambda: print(f"Hilltop answers at {at.url}", flush=True), ready_url=f"{at.url}/login"
            )
        except CannotStart as error:
            raise CommandError(str(error)) from None
