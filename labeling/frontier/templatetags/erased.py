"""How many photos of a certificate's sample were erased since."""

from __future__ import annotations

from django import template

from labeling.frontier import erased

register = template.Library()
register.simple_tag(erased.erased_of, name="erased_of")
