"""Hilltop from notebooks and scripts: photos, labels, scores and embeddings, and heads that go back as challengers.

>>> from hilltop_client import Hilltop
>>> cells = Hilltop("https://hilltop.example.com", token="…").project("cells")
>>> cells.labels().pandas()
"""

from hilltop_client.deciding import Answer
from hilltop_client.embeddings import Embeddings
from hilltop_client.errors import HilltopError
from hilltop_client.examples import Examples
from hilltop_client.hilltop import Hilltop
from hilltop_client.project import Project
from hilltop_client.rows import Rows
from hilltop_client.uploading import Upload

__all__ = ["Answer", "Embeddings", "Examples", "Hilltop", "HilltopError", "Project", "Rows", "Upload"]
