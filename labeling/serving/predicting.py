"""What a model says of photos, and how much that is worth: scores, class, band, and whether it is certified.

Of a photo that the project holds its score is read, where the champion has scored it: there is one figure for one photo. Any
other is decoded, embedded and scored by the prediction service, as the pool is, and is kept nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial

from django.utils.translation import gettext as _

from labeling.catalog import storage
from labeling.catalog.models import Item, Project
from labeling.catalog.photos import PhotoRefused, advice, judge_header
from labeling.database.read_once import only_looking
from labeling.frontier.proofs import NONE, Proof, Proofs
from labeling.learning import selectors
from labeling.learning.models import ModelVersion, Promotion, Score
from labeling.queue.placing import bands_of
from labeling.refusals import Refused
from labeling.serving.asking import probabilities

#: Photos of one request.
MOST_PHOTOS = 64


@dataclass(frozen=True)
class Prediction:
    """``error``: the code of why there is none; then all else is empty.

    ``scores``: class key -> probability; ``confidence``: the largest minus the second; ``band``: from 0, the outermost, in
    the order of today, where there is one by this version. ``version``: its number.
    """

    sha256: str
    error: str = ""
    version: int | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    label_class: str = ""
    confidence: float | None = None
    band: int | None = None
    proof: Proof = NONE

    @property
    def advice(self) -> str:
        if self.error == "not_here":
            return _("The project does not hold this photo. Send the photo itself.")
        if self.error == "lost":
            return _("The file of this photo is lost or damaged here. Send the photo itself.")
        return advice(self.error) if self.error else ""


@dataclass
class _Photo:
    """One that was asked about. ``item_id``: where the project holds it; ``scores`` (k,) by ``version``."""

    sha256: str
    data: bytes = b""
    item_id: int | None = None
    error: str = ""
    version: int = 0
    scores: Sequence[float] = ()


def predict(
    *, project: Project, sent: Sequence[tuple[str, bytes]], hashes: Sequence[str]
) -> list[Prediction]:
    """Of photos that were ``sent`` (SHA-256, bytes), then of those that the project holds, in the order of both.

    Raises :class:`Refused`: ``invalid`` (422) without photos or with more than ``MOST_PHOTOS``; ``no_model``, ``damaged``
    (409); and :class:`~labeling.serving.asking.ServiceAway`.
    """
    if not 0 < len(sent) + len(hashes) <= MOST_PHOTOS:
        raise Refused.invalid(
            None,
            _("Send photos, or hashes of photos that are here: 1 to %(most)d of them.")
            % {"most": MOST_PHOTOS},
        )
    with only_looking():
        asked = Promotion.objects.filter(project=project).values_list(
            "model_version_id", "project__shadow__model_version_id"
        )
        champion, shadow = asked.first() or (None, None)
        if champion is None:
            raise Refused(
                "no_model", _("No model was promoted in this project yet. Train one, and promote it.")
            )
        photos = [_judged(sha256, data) for sha256, data in sent] + _held(project, champion, hashes)
        return _told(project, photos, _asked(project, champion, shadow, photos))


def _judged(sha256: str, data: bytes) -> _Photo:
    try:
        judge_header(data)
    except PhotoRefused as refused:
        return _Photo(sha256, error=refused.code)
    return _Photo(sha256, data)


def _held(project: Project, champion: int, hashes: Sequence[str]) -> list[_Photo]:
    """With their scores, or where they have none yet, with their bytes."""
    if not hashes:
        return []
    of_hash = dict(
        Item.objects.filter(project=project, image__sha256__in=hashes).values_list("image__sha256", "pk")
    )
    known = Score.objects.filter(model_version=champion, item_id__in=of_hash.values())
    scores = dict(known.values_list("item_id", "probabilities"))
    return [_of_item(champion, each, of_hash.get(each), scores) for each in hashes]


def _of_item(
    champion: int, sha256: str, item_id: int | None, scores: Mapping[int, Sequence[float]]
) -> _Photo:
    if item_id is None:
        return _Photo(sha256, error="not_here")
    if item_id in scores:
        return _Photo(sha256, item_id=item_id, version=champion, scores=scores[item_id])
    try:
        return _Photo(sha256, storage.original_of(sha256), item_id)
    except FileNotFoundError:
        return _Photo(sha256, item_id=item_id, error="lost")


def _asked(project: Project, champion: int, shadow: int | None, photos: Sequence[_Photo]) -> _Version:
    """Put into the ``photos`` what the service says of those that have no scores, and by which version.

    What the champion's scores mean is looked up meanwhile.
    """
    asked = [photo for photo in photos if photo.data]
    meaning = cache(partial(_Version, project, champion, photos))
    if asked:
        version, answers = probabilities(
            [photo.data for photo in asked],
            project=project.pk,
            version=champion,
            shadow=shadow,
            meanwhile=meaning,
        )
        for photo, answer in zip(asked, answers, strict=True):
            photo.version, photo.scores = version, answer.get("probabilities", ())
            photo.error = answer.get("error", "")
    return meaning()


class _Version:
    """What a version's scores mean: by what never changes of it, and by ``band`` and ``proofs`` as they are now."""

    def __init__(self, project: Project, pk: int, photos: Sequence[_Photo]) -> None:
        self.pk = pk
        self.number, self.classes, self.keys = _known(pk)
        self.band = bands_of(project, pk)
        self.proofs = Proofs(project, pk, [each.item_id for each in photos if each.item_id is not None])


@lru_cache(maxsize=256)
def _known(pk: int) -> tuple[int, list[int], list[str]]:
    """A version's number, its classes (ids) and their keys, in the order of the scores."""
    version = ModelVersion.objects.only("number", "classes").get(pk=pk)
    return version.number, version.classes, selectors.class_keys(version)


def _told(project: Project, photos: Sequence[_Photo], champion: _Version) -> list[Prediction]:
    others = {photo.version for photo in photos if not photo.error} - {champion.pk}
    versions = {champion.pk: champion} | {pk: _Version(project, pk, photos) for pk in others}

    def told(photo: _Photo) -> Prediction:
        if photo.error:
            return Prediction(photo.sha256, photo.error)
        by = versions[photo.version]
        best, confidence = top(photo.scores)
        return Prediction(
            photo.sha256,
            version=by.number,
            scores=dict(zip(by.keys, photo.scores, strict=True)),
            label_class=by.keys[best],
            confidence=confidence,
            band=by.band(by.classes[best], confidence),
            proof=by.proofs.of(by.classes[best], confidence, photo.item_id),
        )

    return [told(photo) for photo in photos]


def top(scores: Sequence[float]) -> tuple[int, float]:
    """The column of the largest, and how far the second is behind; 1 where there is one class only."""
    best = max(range(len(scores)), key=scores.__getitem__)
    others = [score for column, score in enumerate(scores) if column != best]
    return best, min(1.0, max(0.0, scores[best] - max(others))) if others else 1.0
