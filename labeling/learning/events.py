"""What the learning room tells the rooms above it. Receivers call services, in the sender's transaction."""

from django.dispatch import Signal

#: kwargs: project. New photos have embeddings.
embedded = Signal()
#: kwargs: project, model_version. Another champion: re-score and re-rank.
promoted = Signal()
