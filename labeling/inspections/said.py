"""What a caller says of an inspection beside its photos: checked, and compared with what was recorded before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.catalog.metadata import values as metadata
from labeling.inspections.models import Asset, Inspection, Protocol
from labeling.refusals import Refused
from labeling.text.plain import composed, plain

_TEXTS = ("external_id", "site", "photographer")
#: Of the asset.
_OF_ASSET = ("identifier", "type", "site")
#: Of the occasion: a clock that was never set says 1970, and no database of time zones reaches everywhere.
_YEARS = range(1971, 2200)


class Said:
    """Neither ``inspection`` nor its ``asset`` is saved. Raises :class:`Refused` ``invalid`` (422)."""

    def __init__(
        self,
        protocol: Protocol,
        *,
        asset: Mapping[str, str],
        event: str,
        happened_at: datetime | None,
        more: Mapping[str, Any] | None,
        **said: Any,
    ) -> None:
        self.happened_at = happened_at
        self.asset = Asset(kind=protocol.asset_kind, **{name: _text(asset.get(name)) for name in _OF_ASSET})
        known = {name: value for name, value in metadata.checked(more or {}).items() if value is not None}
        said |= {name: _text(said[name]) for name in _TEXTS}
        self.inspection = Inspection(protocol=protocol, event=event, metadata=known, **said)
        self.inspection.happened_at = happened_at or timezone.now()
        wrong = _wrong(self.asset, _OF_ASSET, "asset.") | _wrong(self.inspection, ("event", *_TEXTS))
        if timezone.is_naive(self.inspection.happened_at):
            wrong["happened_at"] = _("Say the time zone too, as in 2026-05-01T09:30:00+09:00.")
        elif self.inspection.happened_at.year not in _YEARS:
            wrong["happened_at"] = _("This is no time at which a photo was taken.")
        if wrong:
            raise Refused.invalid_fields(wrong)

    def recorded(self) -> Inspection | None:
        """What is there under the caller's id."""
        mine = self.inspection
        return (
            Inspection.objects.filter(protocol=mine.protocol, external_id=mine.external_id)
            .select_related("asset", "version", "protocol", "verdict")
            .first()
        )

    def known_asset(self) -> Asset:
        """The asset as it is in the database; its type and site are what was said of it last."""
        said = {name: getattr(self.asset, name) for name in ("type", "site") if getattr(self.asset, name)}
        row, created = Asset.objects.get_or_create(
            kind=self.asset.kind, identifier=self.asset.identifier, defaults=said
        )
        if not created and any(getattr(row, name) != value for name, value in said.items()):
            Asset.objects.filter(pk=row.pk).update(**said)
        return row

    def differs(self, before: Inspection) -> list[str]:
        """Names of what was recorded otherwise. What is not said this time, or was left to us, is no difference."""
        mine = self.inspection
        told: dict[str, tuple[Any, Any]] = {
            "asset.identifier": (self.asset.identifier, before.asset.identifier),
            **{name: (getattr(mine, name), getattr(before, name)) for name in ("event", *_TEXTS, "metadata")},
            "happened_at": (self.happened_at, before.happened_at),
        }
        return [name for name, (now, then) in told.items() if now and now != then]


def _text(given: str | None) -> str:
    return composed(" ".join(plain(given or "").split()))


def _wrong(row: Asset | Inspection, names: Collection[str], prefix: str = "") -> dict[str, Any]:
    try:
        row.clean_fields(exclude=[field.name for field in row._meta.fields if field.name not in names])
    except ValidationError as error:
        return {f"{prefix}{name}": " ".join(messages) for name, messages in error.message_dict.items()}
    return {}
