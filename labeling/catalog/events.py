"""What the catalog tells the rooms above it. Receivers call services, inside the sender's transaction."""

from django.dispatch import Signal

#: kwargs: project, item_ids (list of int)
items_added = Signal()
#: kwargs: project. Photos that it holds were lost or damaged, and are there again
photos_put_back = Signal()
#: kwargs: project. Photos did not come in, as near-duplicates: their embeddings are to say whether they are
photos_set_aside = Signal()
#: kwargs: project, guideline
guideline_changed = Signal()
#: kwargs: project, by (User). What answers mean is another thing from now on: by a new version, or an objection to one
meaning_changed = Signal()
#: kwargs: project. Asks what :data:`meaning_changed` would cost now: receivers return {name: number}
meaning_priced = Signal()
#: kwargs: project. Asks how people work: receivers return a part of :class:`~labeling.catalog.work.Work`, {name: number}
work_measured = Signal()
#: kwargs: images (collection of ids). Asks which of these a room above still names: receivers return their ids
images_named = Signal()
#: kwargs: user, sha256. Asks whether a room above shows the person this photo: receivers return a bool
photo_shown = Signal()
#: kwargs: project, changed (set of setting names)
settings_changed = Signal()
#: kwargs: project, changed ({item id: {name: text, number, or None: taken away}}). Something was said of photos
metadata_said = Signal()
