"""Make a question sheet, change it, put it away. Whoever does must be an admin of each of its projects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.codes import BY_DIGIT
from labeling.catalog.models import Project
from labeling.catalog.permissions import Action, may
from labeling.catalog.projects import RESERVED, SLUG, SLUG_RULE
from labeling.catalog.selectors import active_classes
from labeling.catalog.services import log_activity
from labeling.database.locks import hold_name
from labeling.people.models import User
from labeling.queue.models import QuestionSheet, SheetQuestion
from labeling.queue.sheets.asking import why_not
from labeling.refusals import Refused
from labeling.text.lengths import longest

#: Questions of one photo: fewer are a project's own page, more nobody answers in one look.
FEWEST, MOST = 2, 8
_SLUG = re.compile(SLUG)


@transaction.atomic
def create_sheet(*, slug: str, name: str, projects: Sequence[str], by: User) -> QuestionSheet:
    """A new sheet of these projects (slugs), in this order. Refuses with ``invalid`` (422) and says which field."""
    if not _SLUG.fullmatch(slug):
        raise Refused.invalid("slug", str(SLUG_RULE))
    if slug in RESERVED:
        raise Refused.invalid("slug", _("This address is a page's. Choose another one."))
    chosen = _projects(projects, by)
    name = _name(name)
    hold_name("queue.sheet", slug)
    if QuestionSheet.objects.filter(slug=slug).exists():
        raise Refused.invalid(
            "slug", _("This address is taken by another question sheet. Choose another one.")
        )
    sheet = QuestionSheet.objects.create(slug=slug, name=name, created_by=by)
    _ask(sheet, chosen)
    _log(chosen, "sheet_made", sheet, by)
    return sheet


@transaction.atomic
def change_sheet(
    *, sheet: QuestionSheet, by: User, name: str | None = None, projects: Sequence[str] | None = None
) -> QuestionSheet:
    """Another name, or other projects in another order. Answers stay as they are; what is on loan goes on or runs out."""
    QuestionSheet.objects.select_for_update().get(pk=sheet.pk)
    before = list(sheet.projects)
    if name is not None:
        sheet.name = _name(name)
        sheet.save(update_fields=["name"])
    if projects is not None:
        chosen = _projects(projects, by)
        sheet.questions.all().delete()
        _ask(sheet, chosen)
        del sheet.projects
    _log({each.pk: each for each in [*before, *sheet.projects]}.values(), "sheet_changed", sheet, by)
    return sheet


@transaction.atomic
def archive_sheet(*, sheet: QuestionSheet, by: User) -> None:
    """Nobody is asked by it any more; answers stay as they are, and name it."""
    sheet.archived_at = timezone.now()
    sheet.save(update_fields=["archived_at"])
    _log(sheet.projects, "sheet_removed", sheet, by)


def _name(name: str) -> str:
    name = name.strip()
    most = longest(QuestionSheet, "name")
    if not name or len(name) > most or "\0" in name:
        raise Refused.invalid(
            "name", _("Give the sheet a name of 1 to %(most)d characters.") % {"most": most}
        )
    return name


def _projects(slugs: Sequence[str], by: User) -> list[Project]:
    if len(set(slugs)) != len(slugs):
        raise Refused.invalid("projects", _("Name each project once."))
    if not FEWEST <= len(slugs) <= MOST:
        raise Refused.invalid(
            "projects",
            _("A question sheet asks %(fewest)d to %(most)d projects' questions.")
            % {"fewest": FEWEST, "most": MOST},
        )
    known = {each.slug: each for each in Project.objects.filter(slug__in=slugs, archived_at__isnull=True)}
    for slug in slugs:
        # One text for both, so that nobody learns which projects exist.
        if slug not in known or not may(by, known[slug], Action.ADMIN):
            raise Refused.invalid(
                "projects",
                _("There is no project “%(slug)s” of which you are an admin. Choose among your own.")
                % {"slug": slug[:60]},
            )
    projects = [known[slug] for slug in slugs]
    for project in projects:
        reason = why_not(project, projects) or _too_many_classes(project)
        if reason:
            raise Refused.invalid("projects", f"{project.name}: {reason}")
    return projects


def _too_many_classes(project: Project) -> str:
    if len(active_classes(project)) <= BY_DIGIT:
        return ""
    return _("A sheet has one key for each class, and this project has more than %(most)d.") % {
        "most": BY_DIGIT
    }


def _ask(sheet: QuestionSheet, projects: Sequence[Project]) -> None:
    SheetQuestion.objects.bulk_create(
        SheetQuestion(sheet=sheet, project=project, position=n) for n, project in enumerate(projects)
    )


def _log(projects: Iterable[Project], kind: str, sheet: QuestionSheet, by: User) -> None:
    for project in projects:
        log_activity(project=project, kind=kind, actor=by, sheet=sheet.name)
