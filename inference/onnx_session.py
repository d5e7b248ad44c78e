"""A graph in ONNX Runtime, as everything here runs one: on as many CPU threads as the caller says, and no spinning ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def open_session(model: Path, threads: int = 1) -> Any:
    """An ``onnxruntime.InferenceSession`` on ``threads`` CPU threads; with one, in the caller's own.

    Raises:
        Exception: whatever ONNX Runtime raises for a file that is no graph, or has what it does not know.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Waiting threads would spin on cores that others need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model.read_bytes(), options, providers=["CPUExecutionProvider"])
