"""For whom a page was made. On a shared computer the session may be another person's by the time that the page writes.

Every form and every request of a page's script carries the mark of the person whom the page was made for: forms through
``{% csrf_token %}`` (:mod:`labeling.people.templatetags.whose_page`), scripts through a header. One middleware of the
gateway compares it, for all routes.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext as _

from labeling.refusals import Refused
from labeling.text.plain import isolated

HEADER = "X-Hilltop-Person"
FIELD = "made_for"
_SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}
_FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}


def mark(request: HttpRequest) -> str:
    """Who is signed in, as a page carries it: the account's id, or nothing."""
    user = getattr(request, "user", None)
    return str(user.pk) if user is not None and user.is_authenticated else ""


def refuse_another(request: HttpRequest, *, by_form: bool) -> None:
    """``by_form``: the mark may stand in a form's field, which is read for it.

    Raises :class:`Refused` ``another_person`` (409) where the page was made for somebody else.

    ``whose_page`` (401) where a browser writes and does not say for whom: a browser names its origin with all that it
    writes, a program does not. Nothing is asked of whoever is not signed in.
    """
    said = request.headers.get(HEADER)
    writes = request.method not in _SAFE
    if said is None and not writes:
        return  # somebody goes to a page; nothing is read for that
    signed_in = mark(request)
    if not signed_in:
        return
    if said is None and by_form and request.content_type in _FORMS:
        said = request.POST.get(FIELD)
    if said == signed_in:
        return
    if said is not None:
        raise Refused(
            "another_person",
            _(
                "%(name)s is signed in on this browser now, and this page was made for somebody else. Nothing was "
                "stored. Sign %(name)s out and sign in as yourself, or load the page anew to go on as %(name)s."
            )
            % {"name": isolated(str(request.user))},
        )
    if "Origin" in request.headers:
        raise Refused(
            "whose_page",
            _(
                "This page does not say for whom it was made. Nothing was stored: load it anew, then send it again."
            ),
            status=401,
        )
