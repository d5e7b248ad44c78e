"""Certificates: what is proven of the machine, and when that is suspended."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from labeling.frontier.models import Certificate, CertificateEnd, EndReason
from labeling.notify.kinds.kind import NUMBER, TEXT, WHOLE, Json, Kind, one_of


def _issued(rows: Sequence[str]) -> dict[str, Json]:
    found = Certificate.objects.filter(pk__in=rows).select_related("label_class", "model_version")
    return {
        str(each.pk): {
            "certificate": each.pk,
            "class": each.label_class.key,
            "version": each.model_version.number,
            "precision": each.precision,
            "delta": each.delta,
            "threshold": each.threshold,
            "coverage": each.coverage,
            "n": each.n,
            "errors": each.errors,
            "bound": each.bound,
        }
        for each in found
    }


def _suspended(rows: Sequence[str]) -> dict[str, Json]:
    found = CertificateEnd.objects.filter(pk__in=rows).select_related(
        "certificate__label_class", "certificate__model_version"
    )
    return {
        str(each.pk): {
            "certificate": each.certificate_id,
            "class": each.certificate.label_class.key,
            "version": each.certificate.model_version.number,
            "reason": each.reason,
        }
        for each in found
    }


KINDS = [
    Kind(
        "certificate.issued",
        1,
        _("A certificate is issued"),
        "From here on photos that the version predicts as the class with at least the margin `threshold` may be decided "
        "alone. `precision` is what is stated, `bound` its lower bound at `delta`, from `errors` of `n` random labels; "
        "`coverage`: share of the pool's photos of the class.",
        {
            "certificate": WHOLE,
            "class": TEXT,
            "version": WHOLE,
            "precision": NUMBER,
            "delta": NUMBER,
            "threshold": NUMBER,
            "coverage": NUMBER,
            "n": WHOLE,
            "errors": WHOLE,
            "bound": NUMBER,
        },
        {"frontier_certificate": _issued},
    ),
    Kind(
        "certificate.suspended",
        1,
        _("A certificate is suspended"),
        "The certificate allows nothing more, and nothing that was decided under it stands: its photos went back to people.",
        {"certificate": WHOLE, "class": TEXT, "version": WHOLE, "reason": one_of(EndReason.values)},
        {"frontier_certificateend": _suspended},
    ),
]
