"""The pages of categories: which texts are normalised, what is proposed, what was said, and the versions."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.catalog.models import Project
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.exchange.categories import selectors, services
from labeling.exchange.categories.forms import MakeForm, RenameForm, VersionForm
from labeling.exchange.imports.forms import SendForm
from labeling.exchange.models import Use
from labeling.exchange.vocabularies import Vocabulary, Why
from labeling.http.refused import refusals_beside, show_refusal
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused

ROWS, PHOTOS, VERSIONS = 50, 3, 20
_FIELD = "text-"


@open_to(get=Action.ADMIN, post=Action.ADMIN)
def categories(request: HttpRequest, project: Project) -> HttpResponse:
    form = MakeForm(request.POST if request.method == "POST" else None)
    send = SendForm(initial={"use": Use.TEXT}, auto_id="send-%s")
    send.fields["file"].label = _("Table of texts")
    if request.method == "POST" and form.is_valid():
        with refusals_beside(form):
            made = services.make_vocabulary(project=project, by=signed_in(request), **form.cleaned_data)
            return redirect("vocabulary", slug=project.slug, vocabulary_id=made.pk)
    return render(
        request,
        "exchange/categories.html",
        project_context(
            request,
            project,
            "categories",
            form=form,
            send=send,
            vocabularies=selectors.with_counts(project),
            names=selectors.names_of(project),
        ),
        status=422 if form.errors else 200,
    )


@open_to(get=Action.ADMIN, post=Action.ADMIN)
def vocabulary(request: HttpRequest, project: Project, vocabulary_id: int) -> HttpResponse:
    of = selectors.vocabulary_of(project, vocabulary_id)
    action = request.POST.get("action", "")
    rename = RenameForm(request.POST if action == "rename" else None)
    version = VersionForm(request.POST if action == "save" else None)
    if request.method == "POST" and _act(request, of, action, rename, version):
        return redirect(request.get_full_path())
    report = selectors.report(of)
    chosen = request.GET.get("which", selectors.WAITING)
    which = chosen if chosen in (selectors.SAID, selectors.ALL) else selectors.WAITING
    page = Paginator(selectors.texts_of(of, which), ROWS).get_page(request.GET.get("page"))
    rows = list(page.object_list)
    photos = selectors.photos_of(rows, PHOTOS)
    return render(
        request,
        "exchange/vocabulary.html",
        project_context(
            request,
            project,
            "vocabulary",
            of=of,
            report=report,
            which=which,
            parts=[
                (selectors.WAITING, _("Waiting"), report.waiting),
                (selectors.SAID, _("Assigned"), report.said),
                (selectors.ALL, _("All"), report.waiting + report.said),
            ],
            shown=page,
            rows=[(row, photos[row.pk]) for row in rows],
            proposed=[(why, Why(why).label, n) for why, n in report.proposed.items()],
            versions=selectors.versions_of(of)[:VERSIONS],
            rename=rename,
            save=version,
        ),
        status=422 if rename.errors or version.errors else 200,
    )


def _act(request: HttpRequest, of: Vocabulary, action: str, rename: RenameForm, version: VersionForm) -> bool:
    """Do what a button says; False where a form must be shown again."""
    form: Form | None = {"rename": rename, "save": version}.get(action)
    try:
        if form is not None and not form.is_valid():
            return False
        _do(request, of, action, {} if form is None else form.cleaned_data)
    except Refused as refusal:
        if form is not None and refusal.fields:
            show_refusal(form, refusal)
            return False
        messages.error(request, refusal.message)
    return True


def _do(request: HttpRequest, of: Vocabulary, action: str, given: dict[str, str]) -> None:
    by = signed_in(request)
    match action:
        case "say":
            texts = dict(of.texts.values_list("pk", "text"))
            said = {
                texts[int(pk)]: value
                for name, value in request.POST.items()
                if isinstance(value, str)
                and name.startswith(_FIELD)
                and (pk := name.removeprefix(_FIELD)).isdecimal()
                and int(pk) in texts
            }
            services.say(of=of, categories=said)
            messages.success(request, _("Kept. It takes effect with the next version."))
        case "accept":
            n = services.accept_proposals(of=of, why=request.POST.get("why", ""))
            messages.success(
                request,
                ngettext("Took one proposal as said.", "Took %(n)d proposals as said.", n) % {"n": n},
            )
        case "rename":
            n = services.rename_category(of=of, **given)
            messages.success(
                request,
                ngettext("One text has the category.", "%(n)d texts have the category.", n) % {"n": n},
            )
        case "save":
            made = services.save_version(of=of, by=by, **given)
            messages.success(
                request,
                _("Version %(number)d is in force. The photos are being mapped.") % {"number": made.number},
            )
        case "look":
            services.look_again(of=of, by=by)
        case _:
            raise Refused.invalid(None, _("This button is not known. Load the page again."))
