"""Pages of the truth room: review one dispute after the other; labelers, agreement and gold."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from labeling.catalog.models import Item, Project
from labeling.catalog.pages import project_context
from labeling.catalog.permissions import Action, project_for
from labeling.catalog.publishing import publishing
from labeling.catalog.selectors import active_definitions
from labeling.catalog.services import amend_guideline
from labeling.looked_at import only_looked_at
from labeling.people.models import User
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused
from labeling.truth import selectors, services
from labeling.truth.desk import desk, strip
from labeling.truth.forms import AmendForm, GoldForm, RulingForm
from labeling.truth.labelers_page import figures, golds
from labeling.truth.models import Dispute, Gold, Ruling
from labeling.typed_numbers import whole

#: review.js asks with this header and gets the desk alone; without it the same address answers a whole page.
DESK_HEADER = "X-Hilltop-Desk"


# --- review -----------------------------------------------------------------------------------------------------


@login_required
@only_looked_at
def review(request: HttpRequest, slug: str) -> HttpResponse:
    """The oldest dispute that this reviewer may rule on."""
    project = project_for(request.user, slug, Action.REVIEW)
    if request.GET.get("fragment") == "strip":
        return render(request, "truth/_strip.html", {"project": project} | strip(project, signed_in(request)))
    return _desk(request, project, selectors.next_dispute(project, signed_in(request)))


@login_required
@only_looked_at
def review_dispute(request: HttpRequest, slug: str, dispute_id: UUID) -> HttpResponse:
    """One dispute, open or ruled; ``?skip`` goes to the one behind it."""
    project = project_for(request.user, slug, Action.REVIEW)
    dispute = _dispute(project, dispute_id)
    if "skip" in request.GET:
        following = selectors.next_dispute(project, signed_in(request), after=dispute)
        return redirect("review-dispute", slug, following.pk) if following else redirect("review", slug)
    return _desk(request, project, dispute)


@login_required
@require_POST
def ruling(request: HttpRequest, slug: str, dispute_id: UUID) -> HttpResponse:
    """Rule, then show the next dispute. What is refused shows the same dispute with the reason and the text kept."""
    project = project_for(request.user, slug, Action.REVIEW)
    dispute = _dispute(project, dispute_id)
    form = RulingForm(request.POST)
    if not form.is_valid():
        return _desk(request, project, dispute, status=422, error=_first_error(form), kept=request.POST)
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
    following = selectors.next_dispute(project, signed_in(request), after=dispute)
    if DESK_HEADER in request.headers:
        return _desk(request, project, following, done=made)
    messages.success(request, _("Ruled: %(outcome)s.") % {"outcome": selectors.ruling_text(made)})
    return redirect("review-dispute", slug, following.pk) if following else redirect("review", slug)


@login_required
@require_POST
def amend(request: HttpRequest, slug: str, dispute_id: UUID) -> HttpResponse:
    """Write a new guideline version from the dispute, and stay on it."""
    project = project_for(request.user, slug, Action.REVIEW)
    dispute = _dispute(project, dispute_id)
    form = AmendForm(request.POST, detail=selectors.dispute_detail(dispute))
    if not form.is_valid():
        return _desk(
            request, project, dispute, status=422, error=_first_error(form), kept=request.POST, amending=True
        )
    try:
        guideline = amend_guideline(project=project, by=signed_in(request), **form.amendment())
    except Refused as refused:
        return _desk(
            request,
            project,
            dispute,
            status=refused.status,
            error=refused.message,
            kept=request.POST,
            amending=True,
        )
    said = _("The guideline is now version %(number)d. Labelers see it with their next photo.") % {
        "number": guideline.number
    }
    if DESK_HEADER in request.headers:
        return _desk(request, project, dispute, notice=said)
    messages.success(request, said)
    return redirect("review-dispute", slug, dispute.pk)


@login_required
@require_POST
def dispute_again(request: HttpRequest, slug: str, dispute_id: UUID) -> HttpResponse:
    """A ruling was a slip: put the photo before reviewers again. The ruling stays on record."""
    project = project_for(request.user, slug, Action.REVIEW)
    dispute = _dispute(project, dispute_id)
    fresh = services.request_review(
        project=project, item=dispute.item, by=signed_in(request), note=request.POST.get("note", "")[:300]
    )
    return redirect("review-dispute", slug, fresh.pk)


@login_required
@require_POST
def paused_back(request: HttpRequest, slug: str) -> HttpResponse:
    """Send all photos back that came to review because a labeler was paused."""
    project = project_for(request.user, slug, Action.REVIEW)
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
    return redirect("review", slug)


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
    done: Ruling | None = None,
) -> HttpResponse:
    """The review desk, as a page, or alone for review.js."""
    context = project_context(
        request,
        project,
        "review",
        error=error,
        notice=notice,
        kept=kept or {},
        amending=amending,
        **publishing(request, project),
        **desk(project, signed_in(request), dispute, done=done),
    )
    template = "truth/_desk.html" if DESK_HEADER in request.headers else "truth/review.html"
    return render(request, template, context, status=status)


def _dispute(project: Project, dispute_id: UUID) -> Dispute:
    found = (
        Dispute.objects.select_related("item__image", "project")
        .filter(project=project, pk=dispute_id)
        .first()
    )
    if found is None:
        raise Http404(_("This project has no such dispute. Go on with the next one on its Review page."))
    return found


def _first_error(form: Any) -> str:
    return str(next(iter(form.errors.values()))[0])


# --- labelers ---------------------------------------------------------------------------------------------------


@login_required
@only_looked_at
def labelers(request: HttpRequest, slug: str) -> HttpResponse:
    """Agreement, Dawid-Skene, each labeler's figures, and the gold photos."""
    project = project_for(request.user, slug, Action.ADMIN)
    if request.GET.get("fragment") == "figures":
        return render(
            request, "truth/_figures.html", project_context(request, project, "labelers", **figures(project))
        )
    page = whole(request.GET.get("gold", "")) or 1
    context = project_context(
        request,
        project,
        "labelers",
        definitions=active_definitions(project),
        **figures(project),
        **golds(project, page=page, find=request.GET.get("find")),
    )
    return render(request, "truth/labelers.html", context)


@login_required
@require_POST
def request_estimates(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask a worker for alpha and Dawid-Skene; one such job at a time."""
    project = project_for(request.user, slug, Action.ADMIN)
    services.request_estimates(project=project, by=signed_in(request))
    messages.success(request, _("A worker is computing the estimates. They appear here by themselves."))
    return redirect("labelers", slug)


@login_required
@require_POST
def resume(request: HttpRequest, slug: str, username: str) -> HttpResponse:
    """Let a paused labeler go on."""
    project = project_for(request.user, slug, Action.ADMIN)
    labeler = User.objects.filter(username=username).first()
    if labeler is None:
        raise Http404(_("There is nobody of this name. See who labels on the Labelers page."))
    services.lift_pause(project=project, labeler=labeler, by=signed_in(request))
    messages.success(request, _("%(name)s may label again.") % {"name": labeler})
    return redirect("labelers", slug)


@login_required
@require_http_methods(["POST"])
def gold_add(request: HttpRequest, slug: str) -> HttpResponse:
    """Make a photo of the project gold."""
    project = project_for(request.user, slug, Action.ADMIN)
    form = GoldForm(request.POST)
    if not form.is_valid():
        raise Refused.invalid_fields(dict(form.errors.items()), _first_error(form))
    item = Item.objects.filter(project=project, image__sha256=form.cleaned_data["sha256"]).first()
    if item is None:
        raise Http404(_("This project holds no such photo."))
    services.add_gold(
        project=project, item=item, class_key=form.cleaned_data["class_key"], by=signed_in(request)
    )
    messages.success(request, _("The photo is gold now, and is asked blind like any other."))
    return redirect(f"{reverse('labelers', args=[slug])}?find={request.POST.get('find', '')}#gold")


@login_required
@require_POST
def gold_retire(request: HttpRequest, slug: str, gold_id: int) -> HttpResponse:
    project = project_for(request.user, slug, Action.ADMIN)
    gold = Gold.objects.filter(project=project, pk=gold_id).first()
    if gold is None:
        raise Http404(_("This project has no such gold photo. See its gold on the Labelers page."))
    services.retire_gold(gold=gold, by=signed_in(request))
    messages.success(request, _("The photo is no longer asked as gold."))
    return redirect(f"{reverse('labelers', args=[slug])}#gold")
