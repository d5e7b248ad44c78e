"""Lend photos by a question sheet, make and change one: one import for all writes. Answers go to their own projects
(:mod:`labeling.queue.services`)."""

from labeling.queue.sheets.lending import AT_ONCE, SheetClaimed, SheetPhoto, claim_sheet
from labeling.queue.sheets.making import FEWEST, MOST, archive_sheet, change_sheet, create_sheet

__all__ = [
    "AT_ONCE",
    "FEWEST",
    "MOST",
    "SheetClaimed",
    "SheetPhoto",
    "archive_sheet",
    "change_sheet",
    "claim_sheet",
    "create_sheet",
]
