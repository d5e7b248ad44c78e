"""What Hilltop writes is for its own account; what an earlier version left open is closed."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

from config.database import ROOT

#: A process as Hilltop starts it, under the usual open mask: it loads the settings and writes.
WRITES = """
import os, tempfile
from pathlib import Path
os.umask(0o022)
import django
django.setup()
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from labeling.catalog import storage
storage.keep("ab" * 32, b"photo", {"thumb": b"thumb"})
default_storage.save("elsewhere/file", ContentFile(b"x"))
for folder in (settings.STAGING_DIR, settings.EMBEDDINGS_DIR, settings.MODELS_DIR, settings.BACKBONES_DIR):
    (folder / "in").mkdir(parents=True)
    (folder / "in" / "file").write_bytes(b"x")
tempfile.mkdtemp()
(Path(tempfile.gettempdir()) / "temporary").write_bytes(b"x")
staticfiles_storage.save("css/site.css", ContentFile(b"x"))
"""


def open_to_others(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def run(var: Path, temporary: Path, code: str) -> None:
    environment = os.environ | {"HILLTOP_VAR": str(var), "TMPDIR": str(temporary)}
    environment.pop("HILLTOP_STORAGE", None)
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, timeout=300)


def test_only_the_own_account_reads_what_is_written_and_static_files_stay_open(tmp_path: Path) -> None:
    var, temporary = tmp_path / "var", tmp_path / "temporary"
    temporary.mkdir()
    run(var, temporary, WRITES)
    written = [path for path in [*var.rglob("*"), *temporary.rglob("*")] if "static" not in path.parts]
    assert {"photos", "staging", "embeddings", "models", "backbones", "elsewhere", "temporary"} <= {
        path.name for path in written
    }
    assert [path for path in written if open_to_others(path)] == []
    assert stat.S_IMODE((var / "static" / "css").stat().st_mode) == 0o755
    assert stat.S_IMODE((var / "static" / "css" / "site.css").stat().st_mode) == 0o644


def test_what_an_earlier_version_left_open_is_closed(tmp_path: Path) -> None:
    names = ("photos", "staging", "embeddings", "models", "backbones")
    with tempfile.TemporaryDirectory() as place:
        var = Path(place)
        for name in (*names, "intake"):
            (var / name).mkdir()
            (var / name).chmod(0o755)
        run(var, tmp_path, "import django; django.setup()")
        assert not any(open_to_others(var / name) for name in names)
        assert open_to_others(var / "intake"), "where people put photos for Hilltop to take is not its own"
