"""Create a project, change its settings, put it away."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import count
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.catalog import backbones, events
from labeling.catalog.activity import log_activity
from labeling.catalog.guidelines import first_guideline
from labeling.catalog.models import Membership, Project, Role
from labeling.catalog.strategies import STRATEGIES
from labeling.database.locks import hold_name
from labeling.people.models import User
from labeling.refusals import Refused

#: What an admin may change. The address (slug) stays, because links and exports carry it.
SETTINGS = frozenset(
    {
        "name",
        "question",
        "description",
        "answers_per_image",
        "certifying_answers",
        "boundary_answers",
        "rule",
        "agreement_k",
        "gold_rate",
        "gold_bar",
        "gold_window",
        "min_view_ms",
        "checklist_required",
        "undo_seconds",
        "lease_seconds",
        "reviewer_may_rule_own",
        "strategy",
        "bands",
        "boundary_after",
        "band_agreement",
        "band_alpha",
        "audit_rate",
        "sweep_allowed",
        "earlier_allowed",
        "near_duplicates",
        "retrain_every",
        "promote_automatically",
        "train_on_assisted",
        "backbone",
        "further_backbones",
        "levels",
        "hourly_cost",
        "currency",
        "target_per_decision",
        "keep_days",
    }
)
#: The most that makes sense; beyond it nobody could answer, or a photo would be on loan for days.
MOST = {"min_view_ms": 60_000, "lease_seconds": 86_400, "undo_seconds": 86_400}


SLUG_RULE = gettext_lazy(
    "An address is made of small letters and digits, with hyphens between them only: at most 60."
)
#: Words that addresses of pages and of the API begin with, or that one would take for a page.
RESERVED = frozenset(
    {
        "admin",
        "api",
        "healthz",
        "login",
        "logout",
        "me",
        "metrics",
        "new",
        "p",
        "people",
        "photos",
        "projects",
        "static",
        "templates",
    }
)
#: Of a new project's address. Those of older projects may hold capitals and underscores too, and stay as they are.
SLUG = r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?"
_SLUG = re.compile(SLUG)


@transaction.atomic
def create_project(
    *,
    slug: str,
    name: str,
    question: str,
    classes: Sequence[dict[str, Any]],
    by: User,
    **settings: Any,
) -> Project:
    """A new project with guideline version 1, and ``by`` as its admin.

    ``classes``: dicts with ``name`` and, as one likes, ``key``, ``group`` (a heading), ``criteria`` (text) and
    ``checklist`` (list of text). ``settings``: any of :data:`SETTINGS`. Refuses with ``invalid`` (422) and says which field.
    """
    _refuse_unknown(settings)
    project = Project(slug=slug, name=name, question=question, created_by=by, **settings)
    hold_name("catalog.project", slug.replace("\0", ""))
    _refuse_invalid(project)
    project.save()
    Membership.objects.create(project=project, user=by, role=Role.ADMIN)
    first_guideline(project=project, classes=classes, by=by)
    log_activity(project=project, kind="project_created", actor=by)
    return project


@transaction.atomic
def update_settings(*, project: Project, by: User, **changes: Any) -> Project:
    """Change some of :data:`SETTINGS`; return the project as it is now. Sends ``settings_changed``."""
    _refuse_unknown(changes)
    current = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    before = {name: getattr(current, name) for name in changes}
    for name, value in changes.items():
        setattr(current, name, value)
    _refuse_invalid(current, kept=before.get("further_backbones", current.further_backbones))
    current.save(update_fields=[*changes] or None)
    changed = {name: getattr(current, name) for name in changes if getattr(current, name) != before[name]}
    if changed:
        log_activity(
            project=current,
            kind="settings_changed",
            actor=by,
            changes={name: [before[name], value] for name, value in changed.items()},
        )
        events.settings_changed.send(sender=Project, project=current, changed=frozenset(changed))
    return current


@transaction.atomic
def archive_project(*, project: Project, by: User) -> Project:
    """Put a project away: nobody sees it any more, nothing of it is deleted."""
    Project.objects.filter(pk=project.pk, archived_at__isnull=True).update(archived_at=timezone.now())
    project.refresh_from_db()
    log_activity(project=project, kind="project_archived", actor=by)
    return project


@transaction.atomic
def restore_project(*, project: Project, by: User) -> Project:
    """Bring an archived project back as it was. Raises :class:`Refused` ``not_archived`` (409)."""
    if not Project.objects.filter(pk=project.pk, archived_at__isnull=False).update(archived_at=None):
        raise Refused("not_archived", _("This project is not archived."))
    project.refresh_from_db()
    log_activity(project=project, kind="project_restored", actor=by)
    return project


def _refuse_unknown(settings: dict[str, Any]) -> None:
    if unknown := sorted(settings.keys() - SETTINGS):
        raise Refused.invalid_fields(
            {name: _("There is no such setting.") for name in unknown},
            _("There are no such settings: %(names)s.") % {"names": ", ".join(unknown)},
        )


def _refuse_invalid(project: Project, *, kept: Collection[str] = ()) -> None:
    """``kept``: further backbones that it has already. They may stay though their weights are gone, until removed."""
    fields: dict[str, Any] = {}
    try:
        project.full_clean(validate_constraints=False)
    except ValidationError as error:
        fields = _by_field(error)
    if project.pk is None and (wrong := _slug_refusal(project.slug)):
        fields["slug"] = wrong
    fields = fields or _what_constraints_say(project, kept)
    if fields:
        raise Refused.invalid_fields(fields, " ".join(f"{name}: {text}" for name, text in fields.items()))


def wrong_settings(settings: Mapping[str, Any]) -> dict[str, str]:
    """What a new project would refuse of these settings: name -> what is wrong."""
    project = Project(slug="-", name="-", question="-", **settings)
    try:
        project.clean_fields(exclude={"slug", "name", "question", "created_by"})
    except ValidationError as error:
        return _by_field(error)
    return _what_constraints_say(project, ())


def _by_field(error: ValidationError) -> dict[str, str]:
    return {name: " ".join(messages) for name, messages in error.message_dict.items()}


def _what_constraints_say(project: Project, kept: Collection[str]) -> dict[str, str]:
    """In words that name the field; of a project whose fields are right each for itself."""
    fields: dict[str, str] = {}
    if project.rule == "k_of_n" and not 1 <= project.agreement_k <= project.answers_per_image:
        fields["agreement_k"] = _("k can be at most the number of answers a photo gets (%(n)s).") % {
            "n": project.answers_per_image
        }
    if project.gold_rate + project.audit_rate > 1:
        fields["gold_rate"] = _("The shares of gold and audit photos together can be at most 1.")
    if project.strategy not in STRATEGIES:
        fields["strategy"] = _("Choose one of: %(names)s.") % {"names": ", ".join(STRATEGIES)}
    if not backbones.is_choice(project.backbone):
        fields["backbone"] = _("Choose one of: %(names)s.") % {"names": ", ".join(backbones.choices())}
    if wrong := _wrong_further(project, kept):
        fields["further_backbones"] = wrong
    for name, most in MOST.items():
        if getattr(project, name) > most:
            fields[name] = _("At most %(most)d.") % {"most": most}
    return fields


def _wrong_further(project: Project, kept: Collection[str]) -> str:
    names = project.further_backbones
    if len({project.backbone, *names}) <= len(names):
        return _(
            "Each of a project's backbones is another one, and its own (%(own)s) is among them already."
        ) % {"own": project.backbone}
    if len(names) > backbones.MOST_FURTHER:
        return _("At most %(most)d.") % {"most": backbones.MOST_FURTHER}
    if any(not backbones.is_choice(name) for name in names if name not in kept):
        return _("Choose one of: %(names)s.") % {"names": ", ".join(backbones.choices())}
    return ""


def free_slug(wanted: str, among: type[Model] = Project) -> str:
    """``wanted``, an address, or the first of ``wanted-2`` and so on that no project (or what else ``among`` is) has."""
    rows = among._default_manager.filter(slug__istartswith=wanted[:50])
    taken = {slug.lower() for slug in rows.values_list("slug", flat=True)}
    taken |= RESERVED
    numbered = (f"{wanted[: 59 - len(str(n))].rstrip('-')}-{n}" for n in count(2))
    return wanted if wanted not in taken else next(each for each in numbered if each not in taken)


def _slug_refusal(slug: str) -> str:
    """What is wrong with a new project's address; empty where nothing is."""
    if not _SLUG.fullmatch(slug):
        return str(SLUG_RULE)
    # Also those of projects that were put away: links and exports carry them.
    if slug in RESERVED or Project.objects.filter(slug__iexact=slug).exists():
        return _("The address “%(slug)s” is taken. Choose another one.") % {"slug": slug}
    return ""
