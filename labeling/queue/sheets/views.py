"""The screen of a question sheet, and the pages to list, make and change sheets."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from labeling.catalog.models import Project, Role
from labeling.catalog.pages import show_refusal
from labeling.catalog.permissions import Action
from labeling.http.safe_methods import only_looked_at
from labeling.people.keys import keys_of, pressed_for
from labeling.people.models import User
from labeling.people.signed_in import signed_in
from labeling.queue.sheets import screen, services
from labeling.queue.sheets.asking import left_out
from labeling.queue.sheets.forms import SheetForm
from labeling.queue.sheets.permissions import actions_in, sheet_for, sheets_of
from labeling.refusals import Refused

#: Projects to choose from; a superuser may have more than a page can show.
_MOST_CHOICES = 200


@only_looked_at
@login_required
@never_cache
def answer(request: HttpRequest, sheet: str) -> HttpResponse:
    person = signed_in(request)
    asked_by = sheet_for(person, sheet, Action.LABEL)
    questions = screen.questions_of(asked_by)
    keys = keys_of(person)
    pressed = pressed_for(keys)
    return render(
        request,
        "queue/sheet.html",
        {
            "sheet": asked_by,
            "questions": questions,
            "own_keys": keys,
            # A person may have given it to something else.
            "all_key": "" if "x" in pressed else "X",
            "settings": screen.settings_for(asked_by, questions, person=person) | {"keys": pressed},
            "texts": screen.texts(),
        },
    )


@only_looked_at
@login_required
def sheets(request: HttpRequest) -> HttpResponse:
    person = signed_in(request)
    listed = [(each, Action.ADMIN in (actions_in(person, each) or ())) for each in sheets_of(person)]
    return render(
        request, "queue/sheets.html", {"listed": listed, "may_make": bool(_projects_of_admin(person))}
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    person = signed_in(request)
    form = SheetForm(request.POST if request.method == "POST" else None, projects=_projects_of_admin(person))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = services.create_sheet(
                slug=given["slug"], name=given["name"], projects=form.chosen, by=person
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("“%(sheet)s” can be answered now.") % {"sheet": made.name})
            return redirect("sheets")
    return render(request, "queue/sheet_edit.html", {"form": form}, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, sheet: str) -> HttpResponse:
    person = signed_in(request)
    changed = sheet_for(person, sheet, Action.ADMIN)
    form = SheetForm(
        request.POST if request.method == "POST" else None,
        projects=list(dict.fromkeys([*changed.projects, *_projects_of_admin(person)])),
        places={each.pk: n for n, each in enumerate(changed.projects, start=1)},
        initial={"name": changed.name},
        new=False,
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.change_sheet(
                sheet=changed, name=form.cleaned_data["name"], projects=form.chosen, by=person
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("The question sheet is changed."))
            return redirect("sheets")
    context = {"form": form, "sheet": changed, "left_out": left_out(changed)}
    return render(request, "queue/sheet_edit.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def remove(request: HttpRequest, sheet: str) -> HttpResponse:
    person = signed_in(request)
    removed = sheet_for(person, sheet, Action.ADMIN)
    services.archive_sheet(sheet=removed, by=person)
    messages.success(request, _("“%(sheet)s” is archived. Its answers stay.") % {"sheet": removed.name})
    return redirect("sheets")


def _projects_of_admin(person: User) -> list[Project]:
    mine = Project.objects.filter(archived_at__isnull=True).order_by("name", "pk")
    if not person.is_superuser:
        mine = mine.filter(memberships__user=person, memberships__role=Role.ADMIN)
    return list(mine[:_MOST_CHOICES])
