"""What the truth room tells the rooms above it. Receivers call services, inside the sender's transaction."""

from django.dispatch import Signal

#: kwargs: project, item_ids. These photos are settled (each has a current ground truth).
settled = Signal()
#: kwargs: project, item_ids. An import settled these photos, of which none was drawn at random.
imported = Signal()
#: kwargs: project, item_ids. These photos are about to become gold; whoever must not let some returns id -> ``Refused``.
gold_chosen = Signal()
#: kwargs: reviewer. Asks beside which photos the reviewer was shown something that makes their ruling not blind: receivers
#: return a condition over :class:`~labeling.catalog.models.Item`, which is asked with what a ruling looks up anyway.
about_to_be_ruled = Signal()
#: kwargs: project, item_id, limit. Asks which settled photos look like this one: a receiver returns, by class id, up to
#: ``limit`` item ids, nearest first.
similar_asked = Signal()
#: kwargs: project, item_ids. The photos went to review and need no further answers.
disputed = Signal()
#: kwargs: project, item_id, annotation. An answer was given, and the photo waits for another: neither ground truth nor
#: dispute came of it. Sent under the photo's lock. Whoever hears it may settle the photo (``services.settle_by_answer``).
answer_waits = Signal()
#: kwargs: project, rounds (item id -> round). More answers are wanted: an undo, or a reviewer who asks again.
reopened = Signal()
