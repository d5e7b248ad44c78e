"""The screen of a question sheet, and the pages to list, make and change sheets."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from labeling.catalog.models import Project, Role
from labeling.catalog.permissions import Action
from labeling.http.refused import refusals_beside
from labeling.http.who_may import Who, pages
from labeling.people.keys import keys_of, pressed_for
from labeling.people.models import User
from labeling.people.signed_in import signed_in
from labeling.queue.models import QuestionSheet
from labeling.queue.sheets import screen, services
from labeling.queue.sheets.asking import left_out
from labeling.queue.sheets.forms import SheetForm
from labeling.queue.sheets.permissions import actions_in, sheet_for, sheets_of

open_to = pages({"sheet": ("sheet", sheet_for)})
#: Projects to choose from; a superuser may have more than a page can show.
_MOST_CHOICES = 200


@open_to(get=Action.LABEL)
@never_cache
def answer(request: HttpRequest, sheet: QuestionSheet) -> HttpResponse:
    person = signed_in(request)
    questions = screen.questions_of(sheet)
    keys = keys_of(person)
    pressed = pressed_for(keys)
    return render(
        request,
        "queue/sheet.html",
        {
            "sheet": sheet,
            "questions": questions,
            "own_keys": keys,
            # A person may have given it to something else.
            "all_key": "" if "x" in pressed else "X",
            "settings": screen.settings_for(sheet, questions, person=person) | {"keys": pressed},
            "texts": screen.texts(),
        },
    )


@open_to(get=Who.SIGNED_IN)
def sheets(request: HttpRequest) -> HttpResponse:
    person = signed_in(request)
    listed = [(each, Action.ADMIN in (actions_in(person, each) or ())) for each in sheets_of(person)]
    return render(
        request, "queue/sheets.html", {"listed": listed, "may_make": bool(_projects_of_admin(person))}
    )


@open_to(get=Who.SIGNED_IN, post=Who.SIGNED_IN)
def new(request: HttpRequest) -> HttpResponse:
    person = signed_in(request)
    form = SheetForm(request.POST if request.method == "POST" else None, projects=_projects_of_admin(person))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        with refusals_beside(form):
            made = services.create_sheet(
                slug=given["slug"], name=given["name"], projects=form.chosen, by=person
            )
            messages.success(request, _("“%(sheet)s” can be answered now.") % {"sheet": made.name})
            return redirect("sheets")
    return render(request, "queue/sheet_edit.html", {"form": form}, status=422 if form.errors else 200)


@open_to(get=Action.ADMIN, post=Action.ADMIN)
def edit(request: HttpRequest, sheet: QuestionSheet) -> HttpResponse:
    person = signed_in(request)
    form = SheetForm(
        request.POST if request.method == "POST" else None,
        projects=list(dict.fromkeys([*sheet.projects, *_projects_of_admin(person)])),
        places={each.pk: n for n, each in enumerate(sheet.projects, start=1)},
        initial={"name": sheet.name},
        new=False,
    )
    if request.method == "POST" and form.is_valid():
        with refusals_beside(form):
            services.change_sheet(
                sheet=sheet, name=form.cleaned_data["name"], projects=form.chosen, by=person
            )
            messages.success(request, _("The question sheet is changed."))
            return redirect("sheets")
    context = {"form": form, "sheet": sheet, "left_out": left_out(sheet)}
    return render(request, "queue/sheet_edit.html", context, status=422 if form.errors else 200)


@open_to(post=Action.ADMIN)
def remove(request: HttpRequest, sheet: QuestionSheet) -> HttpResponse:
    person = signed_in(request)
    services.archive_sheet(sheet=sheet, by=person)
    messages.success(request, _("“%(sheet)s” is archived. Its answers stay.") % {"sheet": sheet.name})
    return redirect("sheets")


def _projects_of_admin(person: User) -> list[Project]:
    mine = Project.objects.filter(archived_at__isnull=True).order_by("name", "pk")
    if not person.is_superuser:
        mine = mine.filter(memberships__user=person, memberships__role=Role.ADMIN)
    return list(mine[:_MOST_CHOICES])
