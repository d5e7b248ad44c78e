"""Training a backbone further on a company's own photos, without labels (``diet``).

``python -m inference.selfsup`` does it from a folder of photos; the web app's job ``adapt`` from a project's. Knows
nothing of projects, labels or heads.
"""

from inference.selfsup.augment import Augmentation
from inference.selfsup.diet import Diverged, Recipe, TooFewPhotos, Trained, train

__all__ = ["Augmentation", "Diverged", "Recipe", "TooFewPhotos", "Trained", "train"]
