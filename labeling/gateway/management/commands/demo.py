from __future__ import annotations

import os
import secrets
import sys
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.utils import timezone

from config.supervise import CannotStart, Program, Supervisor, check_port, hold_var
from config.translations import compile_translations
from labeling.catalog import demo
from labeling.catalog.elpv import elpv_folder
from labeling.catalog.models import Project, Role
from labeling.catalog.services import set_role
from labeling.gateway.demo import month, wash
from labeling.gateway.demo.course import Course
from labeling.gateway.demo.crew import QUEUE
from labeling.gateway.serving import Address, address, programs
from labeling.jobs.models import Job, JobState
from labeling.people.models import User
from labeling.people.services import create_account
from labeling.queue.models import Ranking
from labeling.refusals import Refused
from labeling.truth.models import Gold
from labeling.truth.services import add_gold

PEOPLE = {
    "labeler1": Role.LABELER,
    "labeler2": Role.LABELER,
    "reviewer1": Role.REVIEWER,
    "admin1": Role.ADMIN,
}


#: So many more cars come to the wash while the demo runs, one a minute.
ARRIVALS = 120
#: Of every demo account, where only this machine can reach the server.
LOCAL_PASSWORD = "look-closely"  # noqa: S105  (for a demo that only this machine can reach)


class Command(BaseCommand):
    requires_system_checks = []
    help = "Set the demo project up (once) and run Hilltop until Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        at = address()
        try:
            with hold_var():
                check_port(at.host, at.port)
            compile_translations()
            self.stdout.write("Preparing the database …")
            call_command("migrate", verbosity=0, interactive=False)
            passwords = _accounts(at)
            project = self._project()
            connections.close_all()
            os.environ["HILLTOP_DEMO"] = "1"
            # So that simulated people can make projects of the same photos (`make loop`).
            os.environ.setdefault("HILLTOP_INTAKE_ROOTS", f"{settings.VAR / 'intake'},{elpv_folder()}")
            supervisor = Supervisor(programs(at))
            supervisor.run(
                ready=lambda: self._ready(supervisor, at, project, passwords, began),
                ready_url=f"{at.url}/login",
            )
        except (CannotStart, Refused) as error:
            raise CommandError(str(error)) from None

    def _project(self) -> Project:
        admin = User.objects.get(username="admin1")
        project = Project.objects.filter(slug=demo.SLUG).first()
        if project is None:
            self.stdout.write("Making the project “Is this cell defective?” …")
            project = demo.create_demo_project(by=admin)
        for username, role in PEOPLE.items():
            user = User.objects.get(username=username)
            if not project.memberships.filter(user=user, role=role).exists():
                set_role(project=project, user=user, role=role, by=admin)
        if not Gold.objects.filter(project=project).exists():
            for item, key in demo.gold_items(project=project):
                add_gold(project=project, item=item, class_key=key, by=admin)
        taken_in = Job.objects.of_project(project.pk).filter(kind="intake")
        if not (taken_in.live() | taken_in.filter(state=JobState.SUCCEEDED)).exists():
            demo.start_demo_intake(project=project, by=admin)
        return project

    def _ready(
        self, supervisor: Supervisor, at: Address, project: Project, passwords: dict[str, str], began: float
    ) -> None:
        width = max(map(len, PEOPLE))
        lines = [
            "",
            f"Hilltop is at {at.url}   (after {time.monotonic() - began:.0f} s; Ctrl-C stops everything)",
            *(f"  {name:<{width}}  {passwords[name]}" for name in PEOPLE),
            "",
            "Look at first:",
            f"  labeler1   {at.url}/p/{project.slug}/label   one key an answer, from the first photo on",
            f"  admin1     {at.url}/p/{project.slug}/   what happens next, and what waits for whom",
            "",
        ]
        print("\n".join(lines), flush=True)
        try:
            _tell_progress(project, began)
            _month(supervisor, at, began)
            _wash(supervisor, at, began)
            _arrivals(supervisor)
        except Exception as error:  # the first project goes on without the others
            print(f"Not all of the demo is there: {error}. Ctrl-C and `make demo` try again.", flush=True)
        finally:
            connections.close_all()


def _month(supervisor: Supervisor, at: Address, began: float) -> None:
    """Have the second project made, behind everything else, and say when it is there and what to look at."""
    admin = User.objects.get(username="admin1")
    job = month.begin(by=admin, members=PEOPLE)
    if job is not None:
        print("Making the second project, which has been at work for a month (simulated) …", flush=True)
        supervisor.programs.append(_worker("month"))
        _wait_for(job, month.COURSE)
        print(f"The second project is there (after {time.monotonic() - began:.0f} s)", flush=True)
    there = f"{at.url}/p/{month.SLUG}"
    lines = [
        "",
        "Look at first in “Solar cells, a simulated month”:",
        f"  labeler1   {there}/label   and under your name: your own answers, and what became of them",
        f"  reviewer1  {there}/review   disputes that wait, each with its blind answers and similar photos",
        f"  admin1     {there}/   what became of the machine's decisions, and what is next",
        f"  admin1     {there}/frontier   what was certified and decided, and why the audit suspended it",
        f"  manager    {there}/dashboard   a month in figures (as admin1)",
        "See it move: `make crew` in another terminal lets simulated people go on, until Ctrl-C.",
        "",
    ]
    print("\n".join(lines), flush=True)


def _wash(supervisor: Supervisor, at: Address, began: float) -> None:
    """The same of the car wash, behind the second project."""
    job = wash.begin(by=User.objects.get(username="admin1"), members=PEOPLE)
    if job is not None:
        print("Making the third group: a car wash, its photos drawn, its people simulated …", flush=True)
        supervisor.programs.append(_worker("wash"))
        _wait_for(job, wash.COURSE)
        print(f"The car wash is there (after {time.monotonic() - began:.0f} s)", flush=True)
    there = f"{at.url}/protocols/{wash.SLUG}"
    lines = [
        "",
        "Look at first in “Car wash (generated scenes)”:",
        f"  manager    {there}/   inspections as they come, one a minute now, and what follows (as admin1)",
        f"  admin1     {there}/figures/   how many are decided without people, and how long that takes",
        f"  admin1     {there}/shots/   what is photographed, how well, and what is asked",
        f"  admin1     {at.url}/protocols/new/   a protocol of your own, from a template",
        "",
    ]
    print("\n".join(lines), flush=True)


def _arrivals(supervisor: Supervisor) -> None:
    """Cars go on coming to the wash, for whoever looks at it now."""
    for _minute in range(ARRIVALS):
        if supervisor.stopping.wait(60.0):
            return
        wash.deliver(1)


def _wait_for(job: Job, course: Course) -> None:
    """Until the job of the last day is done. Raises :class:`RuntimeError` where one came to nothing."""
    while job.state != JobState.SUCCEEDED or job.args["day"] + 1 < course.days:
        if job.state in (JobState.FAILED, JobState.CANCELLED):
            raise RuntimeError(job.error or "it was cancelled")
        time.sleep(1)
        job = course.newest_day() or job


def _worker(name: str) -> Program:
    """Does the days of a simulated project, and ends with them. Nobody goes on with it, so no backbone is fitted to it."""
    quietly = ["env", "HILLTOP_ADAPT_AFTER=0", "PYTHONHASHSEED=0", "nice", "-n", "15"]
    options = ["--queues", QUEUE, "--concurrency", "1", "--until-idle"]
    return Program(name, [*quietly, sys.executable, "manage.py", "worker", *options], once=True)


def _accounts(at: Address) -> dict[str, str]:
    """Make the demo's accounts; return what to print as their passwords.

    Simple passwords only where nobody else can reach the server; else new random ones at each start.
    """
    shown: dict[str, str] = {}
    for username in sorted(PEOPLE, key=lambda name: name != "admin1"):
        password = LOCAL_PASSWORD if at.is_local else secrets.token_urlsafe(9)
        user = User.objects.filter(username=username).first()
        if user is None:
            if PEOPLE[username] == Role.ADMIN:
                user = User.objects.create_superuser(username=username, password=password)
            else:
                admin = User.objects.get(username="admin1")
                user = create_account(username=username, password=password, by=admin)
            shown[username] = password
        elif at.is_local:
            shown[username] = LOCAL_PASSWORD if user.check_password(LOCAL_PASSWORD) else "(as you set it)"
        elif user.check_password(LOCAL_PASSWORD):
            user.set_password(password)
            user.save(update_fields=["password"])
            shown[username] = password
        else:
            shown[username] = "(as printed or set before)"
    return shown


def _tell_progress(project: Project, began: float) -> None:
    """Print how far the photos are, until the queue has an order for all of them."""
    said = ""
    labelable = False
    while True:
        jobs = list(Job.objects.of_project(project.pk).filter(kind__in=["intake", "embed", "rank"]).live())
        if not labelable and Ranking.objects.filter(project=project, current=True).exists():
            labelable = True
            print(f"Photos can be labeled (after {time.monotonic() - began:.0f} s)", flush=True)
        failed = Job.objects.of_project(project.pk).filter(
            state=JobState.FAILED, finished_at__gte=timezone.now() - timedelta(seconds=5)
        )
        for job in failed:
            print(f"  {job.kind} failed: {job.error}", flush=True)
        if not jobs and labelable:
            return
        parts = [f"{job.kind} {job.done}/{job.total}" if job.total else job.kind for job in jobs]
        if (text := ", ".join(sorted(parts))) and text != said:
            said = text
            print(f"  preparing photos: {text}", flush=True)
        time.sleep(2)
