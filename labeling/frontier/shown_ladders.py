"""Which ladders of the frontier picture a page draws, where a project has more classes than one picture holds."""

from __future__ import annotations

from dataclasses import dataclass

from labeling.frontier.picture import Band, Picture, RidgeLine

#: Lines of a picture at most.
MOST = 12


@dataclass(frozen=True)
class ShownLadders:
    """``lines``: those that are drawn; ``left``: how many are not; ``find``: by which text they were looked for."""

    lines: list[RidgeLine]
    left: int
    find: str
    names: list[str]
    open_band: Band | None

    @property
    def found(self) -> bool:
        return bool(self.lines) or not self.find


def shown_ladders(picture: Picture, find: str = "") -> ShownLadders:
    """All where they are few; else those with the most photos waiting in the open band, or the ones that ``find`` names."""
    lines = picture.lines
    find = " ".join(find.split())
    names: list[str] = []
    if len(lines) > MOST:
        names = [line.left.name for line in lines]
        if find:
            wanted = find.casefold()
            lines = [line for line in lines if wanted in line.left.name.casefold()]
            lines.sort(key=lambda line: not line.left.name.casefold().startswith(wanted))
        else:
            lines = sorted(lines, key=lambda line: _needed(line, picture.current_band))
        lines = lines[:MOST]
    else:
        find = ""
    bands = [band for line in lines for band in line.bands]
    return ShownLadders(
        lines=lines,
        left=len(picture.lines) - len(lines),
        find=find,
        names=names,
        open_band=picture.explained(bands),
    )


def _needed(line: RidgeLine, current: int) -> tuple[int, int]:
    """Before others: more waiting in the band that is open, then more waiting at all."""
    here = sum(band.waiting for band in line.bands if band.number == current)
    return -here, -sum(band.waiting for band in line.bands)
