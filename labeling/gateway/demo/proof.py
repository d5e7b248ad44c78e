"""What the admin of a simulated project does until the machine may decide: random photos, another look, the switch."""

from __future__ import annotations

from datetime import datetime

from labeling.catalog.models import Project
from labeling.frontier.models import CertificationRun, Mode
from labeling.frontier.policy import policy_of
from labeling.frontier.services import draw_random, in_force, request_certification, set_policy
from labeling.people.models import User


def waiting(project: Project) -> int:
    """Random photos that the newest look waited for."""
    look = CertificationRun.objects.filter(project=project).first()
    return int(look.counts["open"]) if look else 0


def draw(project: Project, *, by: User, count: int, since: datetime) -> None:
    """Random photos of the whole pool, unless some were drawn ``since`` then."""
    if not project.activities.filter(kind="random_drawn", at__gte=since).exists():
        draw_random(project=project, by=by, count=count)


def look_again(project: Project, *, by: User) -> bool:
    """Where the last look waited for some, for by itself the next one comes only after ten more labels; whether it did."""
    if not waiting(project):
        return False
    request_certification(project=project, by=by)
    return True


def switch_on(project: Project, *, by: User, certified: int) -> bool:
    """As soon as so many classes are certified; whether that is now."""
    if policy_of(project).mode == Mode.ON or len(in_force(project)) < certified:
        return False
    set_policy(project=project, by=by, mode=Mode.ON, reason="Certified, and people see a tenth of it")
    return True
