"""The suite runs on its own database and photo store."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from config.database import ROOT


@pytest.mark.django_db
def test_the_suite_runs_on_a_real_postgresql_of_its_own() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        version = int(cursor.fetchone()[0])
        cursor.execute("SHOW data_directory")
        data = Path(cursor.fetchone()[0])
    assert version >= 160_000
    assert data.is_relative_to(os.environ["HILLTOP_TEST_FOLDER"])
    assert not data.is_relative_to(ROOT)


def test_the_suite_keeps_its_photos_away_from_var() -> None:
    assert Path(settings.VAR).is_relative_to(os.environ["HILLTOP_TEST_FOLDER"])
    assert Path(settings.STORAGES["default"]["OPTIONS"]["location"]).is_relative_to(settings.VAR)
