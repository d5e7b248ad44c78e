"""The page of all photos: what is searched, what was found, and the searches that are kept."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.catalog.forms.guideline import ExemplarForm
from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action, may
from labeling.catalog.publishing import publishing
from labeling.catalog.selectors import active_definitions, class_names, current_guideline, sources
from labeling.explorer import services
from labeling.explorer.bulk.deeds import NEEDS
from labeling.explorer.exemplars import made_exemplars
from labeling.explorer.models import Deed
from labeling.explorer.search.by_words import backbone_for_words
from labeling.explorer.search.chips import chips
from labeling.explorer.search.conditions import MOST_LOOKED_AT
from labeling.explorer.search.finding import FoundPage, search
from labeling.explorer.search.saving import views_of
from labeling.explorer.search.wanted import Wanted
from labeling.frontier.told import Status
from labeling.http.refused import refusals_said
from labeling.people.models import User
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused
from labeling.text.plain import isolated
from labeling.text.typed_numbers import whole
from labeling.truth.models import HoldReason, UnusableReason

#: Photos of which it is told why they stayed as they were.
MOST_TOLD = 5


@open_to(get=Action.REVIEW, post=Action.ADMIN)
def photos(request: HttpRequest, project: Project) -> HttpResponse:
    """The photos of the project in the order they came in; a POST makes exemplars of those that are ticked."""
    definitions = active_definitions(project)
    form = ExemplarForm(definitions=definitions)
    if request.method == "POST":
        form = ExemplarForm(request.POST, definitions=definitions)
        if made_exemplars(request, project, form):
            return redirect("guideline", slug=project.slug)
    return _page(request, project, form=form, definitions=definitions)


@open_to(post=Action.REVIEW)
def ticked(request: HttpRequest, project: Project) -> HttpResponse:
    """The same with all photos that are ticked, and back to the page where they were."""
    with refusals_said(request):
        done = services.do_with(
            project=project,
            hashes=request.POST.getlist("photo"),
            by=signed_in(request),
            deed=request.POST.get("deed", ""),
            comment=request.POST.get("comment", ""),
            class_key=request.POST.get("class_key", ""),
        )
        if done.done:
            messages.success(
                request,
                ngettext("Done with %(n)d photo.", "Done with %(n)d photos.", done.done) % {"n": done.done},
            )
        for name, why in done.left[:MOST_TOLD]:
            messages.warning(request, f"{isolated(name)}: {why}")
        if len(done.left) > MOST_TOLD:
            more = len(done.left) - MOST_TOLD
            messages.warning(
                request,
                ngettext("%(n)d more stayed as it was.", "%(n)d more stayed as they were.", more)
                % {"n": more},
            )
    return redirect(
        f"{reverse('photos', args=[project.slug])}?{QueryDict(request.POST.get('query', '')).urlencode()}"
    )


@open_to(post=Action.REVIEW)
def like(request: HttpRequest, project: Project) -> HttpResponse:
    """On to the photos like the one that was sent."""
    with refusals_said(request):
        sha256 = services.ask_alike(project=project, by=signed_in(request), photo=request.FILES.get("photo"))
        return redirect(f"{reverse('photos', args=[project.slug])}?like={sha256}")
    return redirect("photos", slug=project.slug)


@open_to(post=Action.REVIEW)
def words(request: HttpRequest, project: Project) -> HttpResponse:
    """On to the photos that the words fit best."""
    with refusals_said(request):
        asked = services.ask_words(
            project=project, by=signed_in(request), words=request.POST.get("words", "")
        )
        return redirect(f"{reverse('photos', args=[project.slug])}?{Wanted(words=asked).query}")
    return redirect("photos", slug=project.slug)


@open_to(post=Action.REVIEW)
def save(request: HttpRequest, project: Project) -> HttpResponse:
    query = request.POST.get("query", "")
    with refusals_said(request):
        wanted = Wanted.read(project, query, field="query")
        view = services.save_view(
            project=project, by=signed_in(request), name=request.POST.get("name", ""), wanted=wanted
        )
        messages.success(request, _("The view “%(name)s” is kept.") % {"name": view.name})
        query = view.query
    return redirect(f"{reverse('photos', args=[project.slug])}?{query}")


@open_to(post=Action.REVIEW)
def rename(request: HttpRequest, project: Project, view_id: int) -> HttpResponse:
    with refusals_said(request):
        view = services.change_view(project=project, view_id=view_id, name=request.POST.get("name", ""))
        return redirect(f"{reverse('photos', args=[project.slug])}?{view.query}")
    kept = views_of(project).filter(pk=view_id).first()
    return redirect(f"{reverse('photos', args=[project.slug])}?{kept.query if kept else ''}")


@open_to(post=Action.REVIEW)
def forget(request: HttpRequest, project: Project, view_id: int) -> HttpResponse:
    services.forget_view(project=project, view_id=view_id)
    return redirect("photos", slug=project.slug)


def _page(request: HttpRequest, project: Project, *, form: ExemplarForm, definitions: Any) -> HttpResponse:
    given = request.GET.dict()
    error, waits, wanted, found = "", False, Wanted(), FoundPage([], None, None, False)
    try:
        wanted = Wanted.of(project, given)
        found = search(
            project,
            signed_in(request),
            wanted,
            after=whole(given.get("after", ""), digits=18) or 0,
            before=whole(given.get("before", ""), digits=18),
        )
    except Refused as refused:
        error, waits = refused.message, refused.code == "not_ready"
    if request.GET.get("fragment") == "waiting":
        # What live.js asks for when a job has moved: while it waits the same again, then the way on.
        return render(
            request,
            "explorer/_waiting.html",
            {"waits": waits, "error": error, "here": wanted.query, "wanted": wanted},
        )
    ticked = set(request.POST.getlist("photo"))
    names = class_names(current_guideline(project))
    may_edit = may(request.user, project, Action.ADMIN)
    views = list(views_of(project))
    context = project_context(
        request,
        project,
        "photos",
        photos=[
            {
                "item": row.item,
                "chosen": row.item.image.sha256 in ticked,
                "status": row.status,
                "called": names.get(row.class_id, "?") if row.class_id else "",
            }
            for row in found.rows
        ],
        older=found.next and _onwards(wanted, after=found.next),
        newer=found.previous and _onwards(wanted, before=found.previous),
        stopped=found.stopped,
        most=MOST_LOOKED_AT,
        wanted=wanted,
        given=given,
        error=error,
        waits=waits,
        chips=chips(
            wanted,
            names={each.label_class.key: each.name for each in definitions}
            | ({wanted.like: found.like.name} if found.like else {}),
        ),
        views=[{"view": each, "chosen": bool(wanted) and each.query == wanted.query} for each in views],
        definitions=definitions,
        statuses=Status.choices,
        reasons=list(dict([*HoldReason.choices, *UnusableReason.choices]).items()),
        people=User.objects.filter(memberships__project=project).order_by("username"),
        sources=sources(project),
        form=form,
        may_edit=may_edit,
        **(publishing(request, project) if may_edit and found.rows else {}),
        deeds=[each for each in Deed if may(request.user, project, NEEDS[each])],
        by_words=backbone_for_words(project),
        here=request.GET.urlencode(),
        search_query=urlencode({"search": wanted.query}),
        intake_url=reverse("intake", args=[project.slug]),
    )
    return render(
        request, "explorer/photos.html", context, status=422 if form.errors or (error and not waits) else 200
    )


def _onwards(wanted: Wanted, **where: int) -> str:
    return "&".join(filter(None, [wanted.query, urlencode(where)]))
