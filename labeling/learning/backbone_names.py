"""Backbones as people read them: one that was adapted goes by what it was made of."""

from __future__ import annotations

from django.utils.translation import gettext as _

from labeling.learning.models import BROUGHT_IN_FAMILY, FUSED_BY, DomainBackbone


def said(name: str) -> str:
    """A version's backbone, or several joined: "efficientnet_lite0, adapted & torchvision:resnet50"."""
    return FUSED_BY.join(_said(each) for each in name.split(FUSED_BY))


def _said(name: str) -> str:
    if name.startswith(BROUGHT_IN_FAMILY):
        return _("a classifier that was brought in")
    if not name.startswith("domain:"):
        return name
    base = DomainBackbone.objects.filter(name=name).values_list("base", flat=True).first()
    return _("%(name)s, adapted") % {"name": base} if base else _("an adapted backbone")
