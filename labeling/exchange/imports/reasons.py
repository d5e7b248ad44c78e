"""Why a row of an import cannot come in, and what to do about it. ``%(about)s``: what the row's ``about`` holds."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

REASONS = {
    "bad_row": _("The row cannot be read. Mend it in the file."),
    "no_photo_named": _("It names no photo."),
    "no_label": _("It names no class."),
    "no_photo": _("No photo of this project is called so, or has this hash. Take the photo in first."),
    "two_photos": _("Several photos are called so. Name the folder as well, or the hash."),
    "unmapped": _("Say what “%(about)s” is here."),
    "several_classes": _("It names several classes (%(about)s), and a photo has one here. Leave out the others."),
    "said_twice": _("The same person says something else of this photo before (%(about)s)."),
    "annotators_differ": _("Annotators differ (%(about)s). Bring them in as answers, so that people or a reviewer decide."),
    "not_a_class": _("Gold is of a class; this is none."),
    "settled": _("The photo is settled as %(about)s. Correct it on its page if that is wrong."),
    "in_review": _("A reviewer is asked about the photo."),
    "drawn": _("The photo was drawn at random: what people say of it, blind, certifies or audits the machine."),
    "decided": _("The machine decided the photo. Overrule the decision if it is wrong."),
    "begun": _("People here have begun to answer the photo. Bring the label in as an answer."),
    "not_asked": _("The photo gets no further answer: as many as it is to have are given, or on loan."),
    "answered": _("The same source has said something else of this photo before (%(about)s)."),
    "gold_otherwise": _("The photo is gold, or was, as %(about)s."),
    "exemplar": _("The photo is an exemplar, so everybody sees its class."),
    "several_texts": _("The photo has another text before (%(about)s). Leave one of them."),
    "full": _("The photo has 50 values already. Take some away first."),
    "not_written": _("The database refused this row. Bring them in again, and tell whoever runs Hilltop if it stays so."),
}  # fmt: skip


def told(reason: str, about: str) -> str:
    """A reason in words."""
    return str(REASONS[reason]) % {"about": about} if reason else ""
