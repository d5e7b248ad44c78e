"""What another admin's version changed, in words, for whoever was editing the one before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from labeling.inspections.editing.forms import ProtocolVersionForm, ShotForm


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """A sentence a change. Each as :func:`labeling.inspections.protocols.described` gives it."""
    was, is_ = ({shot["key"]: shot for shot in each["shots"]} for each in (before, now))
    said = [_("New shot: %(name)s") % shot for key, shot in is_.items() if key not in was]
    said += [_("Shot removed: %(name)s") % shot for key, shot in was.items() if key not in is_]
    for key, shot in is_.items():
        changed = [name for name in shot if key in was and shot[name] != was[key].get(name)]
        if changed:
            fields = ", ".join(str(ShotForm.base_fields[name].label) for name in changed)
            said.append(_("%(name)s: %(fields)s") % {"name": shot["name"], "fields": fields})
    if [key for key in was if key in is_] != [key for key in is_ if key in was]:
        said.append(_("The order of the shots"))
    if any(before[name] != now[name] for name in ("rules", "otherwise")):
        said.append(_("The rules"))
    names = [name for name in ("passed_name", "held_name", "failed_name") if before[name] != now[name]]
    return said + [f"{ProtocolVersionForm.base_fields[name].label}: {now[name]}" for name in names]
