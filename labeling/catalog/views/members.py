"""Who belongs to the project; for its admins."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from labeling.catalog import selectors, services
from labeling.catalog.forms.members import InviteMemberForm, MemberForm
from labeling.catalog.models import Project, Role
from labeling.catalog.pages import open_to, project_context
from labeling.catalog.permissions import Action
from labeling.http.refused import refusals_beside, refusals_said
from labeling.people.links import days_of_links
from labeling.people.models import User
from labeling.people.services import make_link
from labeling.people.signed_in import signed_in
from labeling.refusals import Refused
from labeling.text.plain import isolated


@open_to(get=Action.ADMIN, post=Action.ADMIN)
def members(request: HttpRequest, project: Project) -> HttpResponse:
    action = request.POST.get("action", "") if request.method == "POST" else ""
    form = MemberForm(request.POST if action == "add" else None)
    account = InviteMemberForm(request.POST if action == "create" else None, prefix="account")
    if action in ("role", "remove"):
        return _change(request, project, action)
    if action == "add" and form.is_valid():
        if _add(request, project, form):
            return redirect("members", slug=project.slug)
    elif action == "create" and account.is_valid() and (person := _invite(request, project, account)):
        return _page(
            request, project, MemberForm(), InviteMemberForm(prefix="account"), 201, **_link(request, person)
        )
    return _page(request, project, form, account, 422 if form.errors or account.errors else 200)


def _page(
    request: HttpRequest,
    project: Project,
    form: MemberForm,
    account: InviteMemberForm,
    status: int,
    **more: Any,
) -> HttpResponse:
    shown = {
        "members": selectors.members(project),
        "roles": Role.choices,
        "form": form,
        "account": account,
        "me": signed_in(request),
        "mail": settings.MAIL_IS_SET_UP,
    }
    context = project_context(request, project, "members", **shown, **more)
    return render(request, "catalog/members.html", context, status=status)


def _link(request: HttpRequest, person: User) -> dict[str, Any]:
    """The invited person's one-time link, which is shown this once."""
    mail = settings.MAIL_IS_SET_UP and "mail" in request.POST
    link, mailed = make_link(person=person, by=signed_in(request), request=request, mail=mail)
    return {
        "person": person,
        "link": link,
        "mailed": mailed,
        "not_mailed": mail and not mailed,
        "days": days_of_links(),
    }


def _add(request: HttpRequest, project: Project, form: MemberForm) -> bool:
    user = User.objects.filter(username=form.cleaned_data["username"]).first()
    if user is None:
        form.add_error("username", _("There is no account with this name. Ask an administrator to make one."))
        return False
    with refusals_beside(form):
        services.set_role(project=project, user=user, role=form.cleaned_data["role"], by=signed_in(request))
        messages.success(request, _("%(name)s is a member now.") % {"name": isolated(str(user))})
        return True
    return False


def _invite(request: HttpRequest, project: Project, form: InviteMemberForm) -> User | None:
    with refusals_beside(form):
        return services.invite_member(project=project, by=signed_in(request), **form.cleaned_data)
    return None


def _change(request: HttpRequest, project: Project, action: str) -> HttpResponse:
    user = User.objects.filter(username=request.POST.get("username", "")).first()
    with refusals_said(request):
        if user is None:
            raise Refused("not_a_member", _("There is no account with this name any more."), status=404)
        if action == "remove":
            services.remove_member(project=project, user=user, by=signed_in(request))
            messages.success(
                request,
                _("%(name)s is no member any more. Their answers are kept.") % {"name": isolated(str(user))},
            )
        else:
            role = request.POST.get("role", "")
            services.set_role(project=project, user=user, role=role, by=signed_in(request))
            messages.success(request, _("The role of %(name)s is changed.") % {"name": isolated(str(user))})
    if user == request.user:  # who gave up the admin's role cannot see this page any more
        return redirect("project", slug=project.slug)
    return redirect("members", slug=project.slug)
