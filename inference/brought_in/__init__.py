"""Classifiers that were trained elsewhere, brought in as ONNX: judged as untrusted files, and made into backbones.

What such a network says of each class becomes a photo's vector, so that everything that reads vectors reads it: scores,
orders, trainings, certificates.
"""

from inference.brought_in.folder import Asked, FolderError, bring, look, read_manifest
from inference.brought_in.refusals import NotTaken

__all__ = ["Asked", "FolderError", "NotTaken", "bring", "look", "read_manifest"]
