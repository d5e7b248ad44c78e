"""CLIP-like models as the Hugging Face hub has them: ``clip:OWNER--NAME`` is the hub's ``OWNER/NAME``.

Any model there that is laid out as ``inference.backbones.clip`` reads it may be fetched. Its licence, and the
hashes of its large files, are what the hub states.
"""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

from inference.backbones.base import UnknownBackbone, WeightsError
from inference.backbones.names import Name
from inference.backbones.published import Published

#: What a model is read from, and what says how it may be used.
_ALSO = ("tokenizer_config.json", "LICENSE", "README.md")


def published(name: Name, family: str, files: tuple[str, ...]) -> Published:
    """What the hub offers of ``files`` (names, which may lie in a folder ``onnx``); it is asked, so there must be a network.

    Raises:
        UnknownBackbone: the name is none of the hub's.
        WeightsError: the hub cannot be reached, has no such model, or has it in another layout.
    """
    owner, parted, called = name.architecture.partition("--")
    if not parted:
        raise UnknownBackbone(
            f"{name} is no model of the Hugging Face hub. Ask for clip:OWNER--NAME, as its address there says."
        )
    where = f"{owner}/{called}"
    told = _asked(where)
    there = {each.rfilename: each for each in told.siblings or []}
    wanted = {file: next((path for path in (f"onnx/{file}", file) if path in there), "") for file in files}
    if lacking := [file for file, path in wanted.items() if not path]:
        raise WeightsError(
            f"{where} has no {', '.join(lacking)}: it is no CLIP-like model exported to ONNX in two halves. Choose another."
        )
    paths = [*wanted.values(), *(file for file in _ALSO if file in there)]
    hashes = {path: there[path].lfs.sha256 for path in paths if there[path].lfs}
    return Published(
        address=f"https://huggingface.co/{where}",
        licence=str((told.card_data or {}).get("license") or "its page states none; read it"),
        family=family,
        file=name.architecture,
        get=partial(_download, where, told.sha, paths, hashes),
    )


def _asked(where: str) -> Any:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        return HfApi().model_info(where, files_metadata=True)
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise WeightsError(
            f"The hub does not tell of {where} ({str(error).splitlines()[0]}). Fetch its files on a machine with network, "
            "and put them into the folder clip/ of the folder of weights."
        ) from error


def _download(where: str, revision: str, paths: list[str], hashes: dict[str, str]) -> Path:
    """The folder of these files in the hub's cache, fetched unless it is there."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(where, revision=revision, allow_patterns=paths))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise WeightsError(f"{where} could not be fetched ({str(error).splitlines()[0]}).") from error
    for path, sha256 in hashes.items():
        with (folder / path).open("rb") as opened:
            if hashlib.file_digest(opened, "sha256").hexdigest() != sha256:
                raise WeightsError(
                    f"{folder / path} is not the {path} of {where} that the hub names. Remove it, and fetch it again."
                )
    return folder
