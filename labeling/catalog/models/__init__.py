"""The catalog's tables, one idea a file."""

from labeling.catalog.models.activity import Activity
from labeling.catalog.models.damage import Damage
from labeling.catalog.models.erased import Erased
from labeling.catalog.models.guideline import (
    ClassDefinition,
    ClassState,
    Exemplar,
    Guideline,
    LabelClass,
    MeaningObjection,
)
from labeling.catalog.models.intake import IntakeBatch, IntakeFile, IntakeKind, IntakeOutcome
from labeling.catalog.models.likeness import Likeness
from labeling.catalog.models.membership import Membership
from labeling.catalog.models.metadata import Metadata, MetadataChange, MetadataNumber
from labeling.catalog.models.photo import Image, Item
from labeling.catalog.models.project import SHARE, AgreementRule, Levels, NearDuplicates, Project, Role
from labeling.catalog.models.proposal import GuidelineProposal, ProposalAnswer
from labeling.catalog.models.template import KeptProjectTemplate, KeptTemplate
from labeling.catalog.models.watched import WatchedFile, WatchedSource
from labeling.database.append_only import APPEND_ONLY

__all__ = [
    "APPEND_ONLY",
    "SHARE",
    "Activity",
    "AgreementRule",
    "ClassDefinition",
    "ClassState",
    "Damage",
    "Erased",
    "Exemplar",
    "Guideline",
    "GuidelineProposal",
    "Image",
    "IntakeBatch",
    "IntakeFile",
    "IntakeKind",
    "IntakeOutcome",
    "Item",
    "KeptProjectTemplate",
    "KeptTemplate",
    "LabelClass",
    "Levels",
    "Likeness",
    "MeaningObjection",
    "Membership",
    "Metadata",
    "MetadataChange",
    "MetadataNumber",
    "NearDuplicates",
    "Project",
    "ProposalAnswer",
    "Role",
    "WatchedFile",
    "WatchedSource",
]
