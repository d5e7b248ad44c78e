"""What the catalog does for pages, the API and the rooms above: one import for all its writes."""

from labeling.catalog.activity import log_activities, log_activity
from labeling.catalog.guidelines import amend_guideline
from labeling.catalog.images import Looked, add_image, add_items, lay_down, look_at, rows_of
from labeling.catalog.intake.handing_in import (
    cancel_intake,
    discard_rest,
    resume_intake,
    start_intake,
    start_upload,
)
from labeling.catalog.intake.renaming import read_names_again
from labeling.catalog.members import invite_member, remove_member, set_role
from labeling.catalog.metadata.values import put_one as put_metadata
from labeling.catalog.objecting import object_to_wording
from labeling.catalog.projects import archive_project, create_project, restore_project, update_settings
from labeling.catalog.proposing import agree_to_proposal, decline_proposal, propose_guideline
from labeling.catalog.set_aside import let_in
from labeling.catalog.taking_out import TakenOut, bring_back, take_out
from labeling.catalog.twins import join
from labeling.catalog.watched import change_watch, look_now, unwatch, watch

__all__ = [
    "Looked",
    "TakenOut",
    "add_image",
    "add_items",
    "agree_to_proposal",
    "amend_guideline",
    "archive_project",
    "bring_back",
    "cancel_intake",
    "change_watch",
    "create_project",
    "decline_proposal",
    "discard_rest",
    "invite_member",
    "join",
    "lay_down",
    "let_in",
    "log_activities",
    "log_activity",
    "look_at",
    "look_now",
    "object_to_wording",
    "propose_guideline",
    "put_metadata",
    "read_names_again",
    "remove_member",
    "restore_project",
    "resume_intake",
    "rows_of",
    "set_role",
    "start_intake",
    "start_upload",
    "take_out",
    "unwatch",
    "update_settings",
    "watch",
]
