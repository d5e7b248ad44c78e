"""Page of the labelers: agreement, each labeler's figures, and gold."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from labeling.catalog.models import Item
from labeling.catalog.pages import project_context
from labeling.catalog.permissions import Action, project_for
from labeling.catalog.selectors import active_classes
from labeling.http.safe_methods import only_looked_at
from labeling.people.models import User
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused
from labeling.text.typed_numbers import whole
from labeling.truth import services
from labeling.truth.forms import GoldForm, first_error
from labeling.truth.labelers_page import figures, golds
from labeling.truth.models import Gold


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
        definitions=active_classes(project),
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
        raise Refused.invalid_fields(dict(form.errors.items()), first_error(form))
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
