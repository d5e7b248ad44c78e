"""The templates of projects that there are."""

from __future__ import annotations

from pathlib import Path

from labeling.catalog.models import KeptProjectTemplate
from labeling.catalog.project_templates.shelf import Shelf
from labeling.catalog.project_templates.template import KIND, ProjectTemplate, check

PROJECTS = Shelf(KIND, Path(__file__).parent / "ready_made", KeptProjectTemplate, check, ProjectTemplate)
