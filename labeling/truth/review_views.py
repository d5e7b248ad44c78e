"""Pages of review: one dispute after the other, several at once, and what was ruled taken back.

The address of each says which disputes are wanted (:class:`~labeling.truth.filtering.Wanted`), and what follows a ruling is
one of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.catalog.publishing import publishing
from labeling.catalog.services import amend_guideline, propose_guideline
from labeling.database.read_once import only_looking
from labeling.http.refused import refusals_said
from labeling.people.models import User
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused
from labeling.truth import desk, selectors, services
from labeling.truth.filtering import Wanted
from labeling.truth.forms import AmendForm, RulingForm, first_error
from labeling.truth.models import Dispute, Ruling
from labeling.truth.ruling_several import NotDone, not_done

#: review.js asks with this header and gets the desk alone; without it the same address answers a whole page.
DESK_HEADER = "X-Hilltop-Desk"
#: Of the session: ruled disputes of which this reviewer has read who answered. Such a ruling is not taken back: the next one
#: on the photo would not be blind.
NAMES_READ, MOST_KEPT = "review-names-read", 100


@open_to(get=Action.REVIEW)
def review(request: HttpRequest, project: Project) -> HttpResponse:
    """The oldest of the wanted disputes that this reviewer may rule on."""
    if request.GET.get("fragment") == "strip":
        shown = desk.strip(project, signed_in(request), Wanted.of(request.GET))
        return render(request, "truth/_strip.html", {"project": project} | shown)
    return _desk(request, project, _next(request, project))


@open_to(get=Action.REVIEW)
def review_dispute(request: HttpRequest, project: Project, dispute_id: UUID) -> HttpResponse:
    """One dispute, open or ruled; ``?skip`` goes to the one behind it."""
    dispute = _dispute(project, dispute_id)
    if "skip" in request.GET:
        return _to(request, project, _next(request, project, after=dispute))
    if hasattr(dispute, "ruling") and hasattr(dispute.ruling, "retraction"):
        again = selectors.open_disputes(project).filter(item=dispute.item_id).first()
        if again is not None:
            return _to(request, project, again)
    return _desk(request, project, dispute)


@open_to(post=Action.REVIEW)
def ruling(request: HttpRequest, project: Project, dispute_id: UUID) -> HttpResponse:
    """Rule, then show the next dispute. What is refused shows the same dispute with the reason and the text kept."""
    dispute = _dispute(project, dispute_id)
    form = RulingForm(request.POST)
    if not form.is_valid():
        return _desk(request, project, dispute, status=422, error=first_error(form), kept=request.POST)
    try:
        made = services.rule(
            project=project,
            dispute_id=dispute.pk,
            reviewer=signed_in(request),
            **form.ruled(),
        )
    except Refused as refused:
        return _desk(
            request, project, dispute, status=refused.status, error=refused.message, kept=request.POST
        )
    following = _next(request, project, after=dispute)
    if DESK_HEADER in request.headers:
        return _desk(request, project, following, done=[made])
    messages.success(request, _ruled([made]))
    return _to(request, project, following)


@open_to(get=Action.REVIEW, post=Action.REVIEW)
def several(request: HttpRequest, project: Project) -> HttpResponse:
    """The wanted disputes as a grid; a POST rules alike on all that are marked, each by itself."""
    if request.method != "POST":
        return _several(request, project)
    form = RulingForm(request.POST)
    if not form.is_valid():
        return _several(request, project, status=422, error=first_error(form), kept=request.POST)
    try:
        done, left = services.rule_alike(
            project=project, dispute_ids=_marked(request), reviewer=signed_in(request), **form.ruled()
        )
    except Refused as refused:
        return _several(request, project, status=refused.status, error=refused.message, kept=request.POST)
    return _several(request, project, done=done, left=left, status=200 if done else 409)


@open_to(post=Action.REVIEW)
def undo(request: HttpRequest, project: Project) -> HttpResponse:
    """Take fresh rulings back: one leads to its photo, several to the grid."""
    ids = _marked(request)
    read = [each for each in ids if str(each) in request.session.get(NAMES_READ, [])]
    known = Refused(
        "names_read", _("You have read who answered, so the ruling stands. Reopen the dispute instead.")
    )
    left = [not_done(project, each, known) for each in read]
    back: list[Dispute] = []
    if read != ids or not ids:
        back, others = services.undo_rulings(
            project=project,
            dispute_ids=[each for each in ids if each not in read],
            reviewer=signed_in(request),
        )
        left += others
    if not back:
        return _desk(request, project, _next(request, project), status=409, error=left[0].why)
    said = ngettext(
        "The ruling is taken back: rule again.", "%(n)d rulings are taken back: rule again.", len(back)
    ) % {"n": len(back)}
    if len(back) == 1 and not left:
        if DESK_HEADER in request.headers:
            return _desk(request, project, back[0], notice=said)
        messages.success(request, said)
        return _to(request, project, back[0])
    return _several(request, project, notice=said, left=left, marked={each.pk for each in back})


@open_to(post=Action.REVIEW)
def amend(request: HttpRequest, project: Project, dispute_id: UUID) -> HttpResponse:
    """Write a new guideline version from the dispute, or propose one to an admin, and stay on it."""
    dispute = _dispute(project, dispute_id)
    form = AmendForm(request.POST, detail=selectors.dispute_detail(dispute))
    if not form.is_valid():
        return _desk(
            request,
            project,
            dispute,
            status=422,
            error=first_error(form),
            kept=request.POST,
            amending=True,
            detail=form.detail,
        )
    try:
        said = _amended(project, signed_in(request), form)
    except Refused as refused:
        return _desk(
            request,
            project,
            dispute,
            status=refused.status,
            error=refused.message,
            kept=request.POST,
            amending=True,
            detail=form.detail,
        )
    if DESK_HEADER in request.headers:
        return _desk(request, project, dispute, notice=said)
    messages.success(request, said)
    return _to(request, project, dispute)


def _amended(project: Project, by: User, form: AmendForm) -> str:
    """What was done, in words."""
    if form.proposes:
        propose_guideline(project=project, by=by, **form.amendment())
        return _("The admins are asked. What they say will stand on the Guideline page.")
    guideline = amend_guideline(project=project, by=by, **form.amendment())
    return _("The guideline is now version %(number)d. Labelers see it with their next photo.") % {
        "number": guideline.number
    }


@open_to(post=Action.REVIEW)
def dispute_again(request: HttpRequest, project: Project, dispute_id: UUID) -> HttpResponse:
    """A ruling was a slip: put the photo before reviewers again. The ruling stays on record."""
    dispute = _dispute(project, dispute_id)
    with refusals_said(request):
        dispute = services.request_review(
            project=project, item=dispute.item, by=signed_in(request), note=request.POST.get("note", "")
        )
    return _to(request, project, dispute)


@open_to(post=Action.REVIEW)
def paused_back(request: HttpRequest, project: Project) -> HttpResponse:
    """Send all photos back that came to review because a labeler was paused."""
    try:
        sent, left = services.send_back_paused(
            project=project, reviewer=signed_in(request), comment=request.POST.get("comment", "")
        )
    except Refused as refused:
        messages.error(request, refused.message)
    else:
        said = ngettext("%(n)d photo was sent back.", "%(n)d photos were sent back.", sent) % {"n": sent}
        if left:
            said += " " + ngettext(
                "%(n)d is left, as you answered it yourself.",
                "%(n)d are left, as you answered them yourself.",
                left,
            ) % {"n": left}
        messages.success(request, said)
    return redirect("review", project.slug)


@only_looking()
def _desk(
    request: HttpRequest,
    project: Project,
    dispute: Dispute | None,
    *,
    status: int = 200,
    error: str = "",
    notice: str = "",
    kept: Any = None,
    amending: bool = False,
    done: Sequence[Ruling] = (),
    detail: selectors.DisputeDetail | None = None,
) -> HttpResponse:
    wanted = Wanted.of(request.GET)
    context = {
        "notice": notice,
        "amending": amending,
        **publishing(request, project),
        **desk.desk(project, signed_in(request), dispute, wanted=wanted, done=done, detail=detail),
    }
    if context["detail"] is not None and context["detail"].names_told:
        read = [*request.session.get(NAMES_READ, []), str(context["detail"].dispute.pk)]
        request.session[NAMES_READ] = list(dict.fromkeys(read))[-MOST_KEPT:]
    return _page(request, project, "truth/_desk.html", context, status, error, kept, done)


@only_looking()
def _several(
    request: HttpRequest,
    project: Project,
    *,
    status: int = 200,
    error: str = "",
    notice: str = "",
    kept: Any = None,
    done: Sequence[Ruling] = (),
    left: Sequence[NotDone] = (),
    marked: set[UUID] | None = None,
) -> HttpResponse:
    if kept is not None:
        marked = set(_marked(request))
    context = {
        "notice": notice,
        "left": left,
        "marked": marked or set(),
        **desk.several(project, signed_in(request), wanted=Wanted.of(request.GET), done=done),
    }
    return _page(request, project, "truth/_several.html", context, status, error, kept, done)


def _page(
    request: HttpRequest,
    project: Project,
    inner: str,
    context: dict[str, Any],
    status: int,
    error: str,
    kept: Any,
    done: Sequence[Ruling],
) -> HttpResponse:
    """``inner`` in its page, or alone for review.js. ``said``: what a screen reader hears when it is there."""
    if any(str(each.dispute_id) in request.session.get(NAMES_READ, []) for each in context["done"]):
        context["undo_left"] = 0
    context = project_context(
        request,
        project,
        "review",
        inner=inner,
        error=error,
        kept=kept or {},
        said=error or _ruled(done) or context["notice"],
        here=reverse("review-several" if "cards" in context else "review", args=[project.slug]),
        **context,
    )
    template = inner if DESK_HEADER in request.headers else "truth/review.html"
    return render(request, template, context, status=status)


def _ruled(done: Sequence[Ruling]) -> str:
    if not done:
        return ""
    what = {"outcome": selectors.ruling_text(done[0]), "n": len(done)}
    return (
        _("%(n)d photos are ruled: %(outcome)s.") % what if len(done) > 1 else _("Ruled: %(outcome)s.") % what
    )


def _next(request: HttpRequest, project: Project, *, after: Dispute | None = None) -> Dispute | None:
    rulable = Wanted.of(request.GET).rulable(project, signed_in(request))
    found = selectors.next_dispute(rulable, after=after)
    if found is not None:
        found.project = project  # as whoever goes on from here asks for it
    return found


def _to(request: HttpRequest, project: Project, dispute: Dispute | None) -> HttpResponse:
    """To the page of ``dispute``, or to that which says that none waits; the filter stays."""
    where = (
        reverse("review-dispute", args=[project.slug, dispute.pk])
        if dispute
        else reverse("review", args=[project.slug])
    )
    return redirect(where + Wanted.of(request.GET).query)


def _dispute(project: Project, dispute_id: UUID) -> Dispute:
    found = (
        Dispute.objects.select_related("item__image", "project", "ruling__retraction")
        .filter(project=project, pk=dispute_id)
        .first()
    )
    if found is None:
        raise Http404(_("This project has no such dispute. Go on with the next one on its Review page."))
    return found


def _marked(request: HttpRequest) -> list[UUID]:
    try:
        return [UUID(each) for each in request.POST.getlist("dispute")]
    except ValueError as error:
        raise Refused.invalid(
            "dispute", _("Mark photos on the review page: one of these is no dispute.")
        ) from error
