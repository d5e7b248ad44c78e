"""Page of the labelers: agreement, each labeler's figures, and gold."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from labeling.catalog.models import Item, Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.catalog.selectors import active_classes
from labeling.people.models import User
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused
from labeling.text.typed_numbers import whole
from labeling.truth import services
from labeling.truth.forms import GoldForm, first_error
from labeling.truth.labelers_page import figures, golds
from labeling.truth.models import Gold


@open_to(get=Action.ADMIN)
def labelers(request: HttpRequest, project: Project) -> HttpResponse:
    """Agreement, Dawid-Skene, each labeler's figures, and the gold photos."""
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


@open_to(post=Action.ADMIN)
def request_estimates(request: HttpRequest, project: Project) -> HttpResponse:
    """Ask a worker for alpha and Dawid-Skene; one such job at a time."""
    services.request_estimates(project=project, by=signed_in(request))
    messages.success(request, _("A worker is computing the estimates. They appear here by themselves."))
    return redirect("labelers", project.slug)


@open_to(post=Action.ADMIN)
def resume(request: HttpRequest, project: Project, username: str) -> HttpResponse:
    """Let a paused labeler go on."""
    labeler = User.objects.filter(username=username).first()
    if labeler is None:
        raise Http404(_("There is nobody of this name. See who labels on the Labelers page."))
    services.lift_pause(project=project, labeler=labeler, by=signed_in(request))
    messages.success(request, _("%(name)s may label again.") % {"name": labeler})
    return redirect("labelers", project.slug)


@open_to(post=Action.ADMIN)
def gold_add(request: HttpRequest, project: Project) -> HttpResponse:
    """Make a photo of the project gold."""
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
    return redirect(f"{reverse('labelers', args=[project.slug])}?find={request.POST.get('find', '')}#gold")


@open_to(post=Action.ADMIN)
def gold_retire(request: HttpRequest, project: Project, gold_id: int) -> HttpResponse:
    gold = Gold.objects.filter(project=project, pk=gold_id).first()
    if gold is None:
        raise Http404(_("This project has no such gold photo. See its gold on the Labelers page."))
    services.retire_gold(gold=gold, by=signed_in(request))
    messages.success(request, _("The photo is no longer asked as gold."))
    return redirect(f"{reverse('labelers', args=[project.slug])}#gold")
