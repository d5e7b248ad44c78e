"""What the audit trail can be narrowed to. Every kind of event belongs to one topic; a test finds one that does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from labeling.people.models import AccountEvent


@dataclass(frozen=True)
class Topic:
    """``of_accounts``: kinds of :class:`AccountEvent`; ``of_projects``: kinds of activity."""

    name: Any
    of_accounts: frozenset[str] = frozenset()
    of_projects: frozenset[str] = frozenset()


_EXPORTS = frozenset({"trail_exported"})
_TEMPLATES = frozenset({"template_kept", "template_removed"})
_SIGNING_IN = frozenset(map(str, AccountEvent.SIGN_INS))

TOPICS: dict[str, Topic] = {
    "sign-ins": Topic(_("Sign-ins"), of_accounts=_SIGNING_IN),
    "accounts": Topic(
        _("Accounts and tokens"),
        of_accounts=frozenset(AccountEvent.Kind.values) - _SIGNING_IN - _EXPORTS - _TEMPLATES,
    ),
    "members": Topic(_("Members"), of_projects=frozenset({"role_set", "member_removed"})),
    "settings": Topic(
        _("Projects and their settings"),
        of_accounts=_TEMPLATES,
        of_projects=frozenset(
            {
                "project_created",
                "project_archived",
                "project_restored",
                "settings_changed",
                "backbone_adapted",
                "sheet_made",
                "sheet_changed",
                "sheet_removed",
                "protocol_published",
                "protocol_archived",
                "protocol_restored",
                "capture_link_prolonged",
                "capture_link_revoked",
                "endpoint_made",
                "endpoint_changed",
                "endpoint_secret",
                "endpoint_removed",
                "endpoint_on",
                "endpoint_off",
                "endpoint_left",
            }
        ),
    ),
    "guideline": Topic(
        _("Guideline"),
        of_projects=frozenset(
            {"guideline_changed", "wording_objected", "guideline_proposed", "proposal_declined"}
        ),
    ),
    "photos": Topic(
        _("Photos"),
        of_projects=frozenset(
            {
                "intake_started",
                "intake_finished",
                "intake_cancelled",
                "intake_discarded",
                "intake_renamed",
                "source_watched",
                "source_paused",
                "source_resumed",
                "source_removed",
                "near_duplicates_let_in",
            }
        ),
    ),
    "review": Topic(
        _("Review and labelers"),
        of_projects=frozenset(
            {
                "band_opened",
                "review_requested",
                "ruled",
                "ruling_undone",
                "gold_retired",
                "bulk",
                "bulk_undone",
                "labeler_paused",
                "labeler_resumed",
            }
        ),
    ),
    "models": Topic(
        _("Models"),
        of_projects=frozenset(
            {
                "model_trained",
                "model_brought_in",
                "model_registered",
                "model_promoted",
                "shadow_began",
                "shadow_ended",
            }
        ),
    ),
    "decisions": Topic(
        _("Certificates and decisions"),
        of_projects=frozenset(
            {
                "frontier_policy",
                "certified",
                "band_drawn",
                "random_drawn",
                "arrivals_unusual",
                "certificates_void",
                "certificate_suspended",
                "decided",
                "deciding_paused",
                "deciding_resumed",
                "decision_overruled",
                "verdict_overruled",
            }
        ),
    ),
    "monitors": Topic(
        _("Monitors"),
        of_projects=frozenset(
            {"monitor_alert", "monitor_closed", "monitor_acknowledged", "monitor_thresholds"}
        ),
    ),
    "erasure": Topic(
        _("Erasure"),
        of_projects=frozenset({"erasure_asked", "erasure_undone", "erasure_done", "erasure_lifted"}),
    ),
    "imports": Topic(
        _("Imports"), of_projects=frozenset({"import_started", "import_applied", "import_undone"})
    ),
    "categories": Topic(_("Categories"), of_projects=frozenset({"vocabulary_made", "vocabulary_version"})),
    "exports": Topic(
        _("Exports"),
        of_accounts=_EXPORTS,
        of_projects=frozenset({"exported", "data_set", "feed_made", "feed_prolonged", "feed_revoked"}),
    ),
}
