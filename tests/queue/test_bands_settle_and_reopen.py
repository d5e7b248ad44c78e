"""A band settles by number, agreement and alpha, and opens again when a model or a guideline takes away what it held."""

from __future__ import annotations

import pytest

from labeling.catalog.models import Item
from labeling.catalog.selectors import current_guideline
from labeling.catalog.services import amend_guideline
from labeling.learning.models import ModelVersion, Promotion, Score, Snapshot
from labeling.queue import pace, services
from labeling.queue.events import ranking_swapped
from labeling.queue.models import BandOpening, Entry, Ranking
from labeling.refusals import Refused
from labeling.truth.models import GroundTruth
from tests.factories import make_member, place_order
from tests.frontier.test_picture import BANDS, Scene
from tests.queue.conftest import Setting, answer_with

pytestmark = pytest.mark.django_db


def both_say(setting: Setting, first: str, second: str | None = None) -> None:
    mine = services.claim(project=setting.project, labeler=setting.ann, count=1)[0]
    theirs = services.claim(project=setting.project, labeler=setting.bob, count=1)[0]
    assert mine.item_id == theirs.item_id
    answer_with(setting.project, mine, first)
    answer_with(setting.project, theirs, second or first)


def spread_answers(setting: Setting) -> None:
    """Five photos settled, of both classes, one disputed: five of six agree, alpha is .59."""
    both_say(setting, "functional", "defective")
    for said in ("functional", "functional", "defective", "functional", "functional"):
        both_say(setting, said)


def with_alpha(setting: Setting, alpha: float) -> None:
    setting.project.band_alpha = alpha
    setting.project.boundary_after = 15  # five a band
    setting.project.save()


def test_alpha_holds_a_band_open_that_agreement_alone_would_let_go(setting: Setting) -> None:
    with_alpha(setting, 0.8)
    spread_answers(setting)
    at = pace.band_progress(setting.project)
    assert (at.band, at.settled, at.needed) == (0, 5, 5)
    assert pace.agreement_allows(setting.project) and not pace.alpha_allows(setting.project)
    for _ in range(4):  # four more of the rarer class in agreement: alpha .83
        both_say(setting, "defective")
    assert pace.current_band(setting.project) == 1


def test_without_a_wish_for_alpha_the_pace_is_what_it_was(setting: Setting) -> None:
    with_alpha(setting, 0.0)
    spread_answers(setting)
    assert pace.current_band(setting.project) == 1
    assert BandOpening.objects.get().figures["alpha"] == pytest.approx(1 - 11 * 2 / (144 - 81 - 9), abs=0.2)


def test_an_undefined_alpha_holds_up_nothing(setting: Setting) -> None:
    with_alpha(setting, 1.0)
    for _ in range(5):
        both_say(setting, "functional")
    assert pace.current_band(setting.project) == 1


class Passed(Scene):
    """Three bands of two ground truths each; the queue has settled the outer two and is at the boundary."""

    def __init__(self, *causes: str) -> None:
        super().__init__(current=0)
        self.project.boundary_after = 6
        self.project.save()
        self.truths = [
            self.settle(self.items[key][place], key)
            for key in ("functional", "defective")
            for place in (0, 3)
        ]
        for band, cause in enumerate(causes or ("pace", "pace"), start=1):
            BandOpening.objects.create(
                project=self.project,
                band=band,
                cause=cause,
                figures={"ground_truths": 2 * band, "last_truth": self.truths[-1].pk},
            )

    def another_champion(self, moved: dict[Item, float]) -> None:
        """It scores everything as the first one did, but these photos with other margins; its order takes over."""
        snapshot = Snapshot.objects.create(
            project=self.project,
            guideline=current_guideline(self.project),
            ground_truth_ids=[],
            digest=f"{ModelVersion.objects.count()}" * 64,
            counts={},
        )
        first = self.model
        self.model = ModelVersion.objects.create(
            project=self.project,
            number=first.number + 1,
            snapshot=snapshot,
            backbone="none",
            backbone_hash="0" * 64,
            classes=first.classes,
            artifact="none",
            manifest={},
            metrics=first.metrics,
        )
        Promotion.objects.create(project=self.project, model_version=self.model)
        margins = {item.pk: margin for item, margin in moved.items()}
        for score in Score.objects.filter(model_version=first):
            Score.objects.create(
                model_version=self.model,
                item_id=score.item_id,
                predicted_id=score.predicted_id,
                confidence=margins.get(score.item_id, score.confidence),
                probabilities=score.probabilities,
            )
        old = self.ranking
        Ranking.objects.filter(pk=old.pk).update(current=False)
        self.ranking = Ranking.objects.create(
            project=self.project,
            number=old.number + 1,
            strategy="inward",
            bands=BANDS,
            model_version=self.model,
            current=True,
            summary=old.summary,
        )
        place_order(self.ranking)
        for entry in Entry.objects.filter(ranking=old):
            entry.ranking = self.ranking
            entry.pk = (self.ranking.pk, entry.item_id)
            entry.save(force_insert=True)
        Entry.objects.filter(ranking=old).delete()
        ranking_swapped.send(sender=Ranking, project=self.project)

    def settle_one(self, band: int, *, agreed: bool = True) -> GroundTruth:
        """As people would: the next photo of the band."""
        entry = Entry.objects.filter(ranking=self.ranking, band=band).order_by("position").first()
        assert entry is not None and entry.ladder is not None
        truth = self.settle(entry.item, entry.ladder.key)
        pace.move_inward(self.project)
        return truth

    def openings(self) -> list[tuple[int, str]]:
        return list(
            BandOpening.objects.filter(project=self.project).order_by("id").values_list("band", "cause")
        )


def test_a_new_champion_that_takes_everything_from_a_band_opens_it_again_for_what_is_missing() -> None:
    scene = Passed()
    scene.another_champion({truth.item: 0.01 for truth in scene.truths})
    assert scene.openings() == [(1, "pace"), (2, "pace"), (0, "model")]
    at = pace.band_progress(scene.project)
    assert (at.band, at.settled, at.needed, at.back_to) == (0, 0, 2, 2)
    slot = services.claim(project=scene.project, labeler=make_member(scene.project), count=1)[0]
    assert slot.context["band"] == 0
    scene.settle_one(0)
    assert pace.current_band(scene.project) == 0
    scene.settle_one(0)
    # Band 1 needs four in it or further out and holds two: half, so it still holds, and the queue goes back.
    assert scene.openings()[-1] == (2, "pace")
    assert pace.band_progress(scene.project).back_to is None


def test_bands_that_lack_are_taken_one_after_the_other_from_the_outside() -> None:
    scene = Passed()
    scene.project.boundary_after = 12  # four a band, of which the outer two hold two and four
    scene.project.save()
    scene.another_champion({truth.item: 0.01 for truth in scene.truths})
    assert pace.band_progress(scene.project).needed == 4
    for _ in range(3):
        scene.settle_one(0)
    scene.settle(
        scene.items["functional"][9], "functional"
    )  # one of the four turns out to lie at the boundary
    pace.move_inward(scene.project)
    assert scene.openings()[-2:] == [(0, "model"), (1, "model")]
    at = pace.band_progress(scene.project)
    assert (at.band, at.needed, at.back_to) == (1, 5, 2)


def test_an_ordinary_retraining_leaves_the_queue_where_it_is() -> None:
    scene = Passed()
    scene.another_champion({scene.truths[0].item: 0.6})  # half of the outer band's went inward
    assert scene.openings() == [(1, "pace"), (2, "pace")]


def test_another_order_by_the_same_champion_opens_nothing() -> None:
    scene = Passed()
    old = scene.ranking
    Ranking.objects.filter(pk=old.pk).update(current=False)
    order = Ranking.objects.create(
        project=scene.project,
        number=2,
        strategy="inward",
        bands=BANDS,
        model_version=scene.model,
        current=True,
        summary=old.summary,
    )
    Score.objects.filter(model_version=scene.model).update(confidence=0.01)
    place_order(order)
    ranking_swapped.send(sender=Ranking, project=scene.project)
    assert scene.openings() == [(1, "pace"), (2, "pace")]


def test_a_band_that_an_admin_passed_over_is_not_called_back_by_a_model() -> None:
    scene = Passed("admin", "admin")
    scene.another_champion({truth.item: 0.01 for truth in scene.truths})
    assert scene.openings() == [(1, "admin"), (2, "admin")]


def amend(scene: Scene, **changes: object) -> None:
    amend_guideline(
        project=scene.project,
        by=scene.project.created_by,
        note="Sharper",
        **changes,  # type: ignore[arg-type]
    )


def test_a_changed_guideline_takes_what_meant_something_else_and_opens_the_band_again() -> None:
    scene = Passed()
    amend(scene, criteria={"defective": "A crack of a centimetre or more."})
    assert scene.openings()[-1] == (0, "guideline")
    at = pace.band_progress(scene.project)
    # Of four ground truths the two functional ones still count; of the outer band's two, one.
    assert (at.needed, at.ground_truths, at.back_to) == (1, 2, 2)
    scene.settle_one(0)
    # Up to band 1 it held two defective ones, and neither counts any more.
    assert scene.openings()[-1] == (1, "guideline")
    assert pace.band_progress(scene.project).needed == 2
    scene.settle_one(1)
    scene.settle_one(1)
    assert scene.openings()[-1] == (2, "pace")


def test_a_class_that_lost_its_meaning_calls_the_queue_back_however_many_others_there_are() -> None:
    scene = Passed()
    for place in (1, 2, 4, 5):
        scene.settle(scene.items["functional"][place], "functional")
    amend(scene, criteria={"defective": "A crack of a centimetre or more."})
    at = pace.band_progress(scene.project)
    assert (at.band, at.needed) == (0, 1)


def test_a_guideline_that_says_the_same_in_other_words_of_a_name_opens_nothing() -> None:
    scene = Passed()
    amend(scene, rename={"defective": "Broken"})
    assert scene.openings() == [(1, "pace"), (2, "pace")]


def test_a_changed_guideline_makes_the_first_band_count_anew(setting: Setting) -> None:
    for _ in range(3):
        both_say(setting, "functional")
    amend_guideline(
        project=setting.project,
        by=setting.project.created_by,
        note="Other criteria",
        criteria={"functional": "Nothing dark."},
    )
    at = pace.band_progress(setting.project)
    assert (at.band, at.settled, at.needed, at.ground_truths) == (0, 0, 4, 0)
    for _ in range(4):
        both_say(setting, "functional")
    assert pace.current_band(setting.project) == 1


def test_an_admin_calls_the_queue_back_with_a_reason_and_it_returns_by_itself() -> None:
    scene = Passed()
    admin = scene.project.created_by
    with pytest.raises(Refused) as refusal:
        services.reopen_band(project=scene.project, band=0, by=admin, reason=" ")
    assert refusal.value.code == "invalid"
    with pytest.raises(Refused) as refusal:
        services.reopen_band(project=scene.project, band=2, by=admin, reason="Again")
    assert refusal.value.code == "not_passed"
    with pytest.raises(Refused) as refusal:
        services.reopen_band(project=scene.project, band=7, by=admin, reason="Again")
    assert refusal.value.status == 422
    assert services.reopen_band(project=scene.project, band=0, by=admin, reason="A new camera") == 2
    newest = BandOpening.objects.order_by("-id")[0]
    assert (newest.cause, newest.by, newest.reason) == ("admin", admin, "A new camera")
    scene.settle_one(0)
    scene.settle_one(0)
    assert scene.openings()[-1] == (2, "pace")


def test_what_an_open_again_band_cannot_give_does_not_hold_the_queue() -> None:
    scene = Passed()
    Entry.objects.filter(ranking=scene.ranking, band=0).delete()
    services.reopen_band(project=scene.project, band=0, by=scene.project.created_by, reason="A new camera")
    slot = services.claim(project=scene.project, labeler=make_member(scene.project), count=1)[0]
    assert slot.context["band"] == 2
    assert scene.openings()[-1] == (2, "exhausted")


def test_a_decision_that_rests_on_an_earlier_opening_does_not_count() -> None:
    scene = Passed()
    at = pace.band_progress(scene.project)
    services.reopen_band(project=scene.project, band=0, by=scene.project.created_by, reason="A new camera")
    assert pace.open_band(scene.project, 2, "pace", at=at) == 0
    assert scene.openings()[-1] == (0, "admin")


def test_what_was_to_come_first_still_does_in_another_band() -> None:
    scene = Passed()
    asked = scene.items["functional"][9]
    Entry.objects.filter(ranking=scene.ranking, item=asked).update(position=-1)
    services.reopen_band(project=scene.project, band=0, by=scene.project.created_by, reason="A new camera")
    slot = services.claim(project=scene.project, labeler=make_member(scene.project), count=1)[0]
    assert slot.item_id == asked.pk


def test_an_order_with_more_bands_than_the_project_has_by_now_ends_at_the_innermost(setting: Setting) -> None:
    setting.project.bands = 2
    setting.project.save()
    Entry.objects.filter(ranking=setting.ranking, band__lt=2).delete()
    slot = services.claim(project=setting.project, labeler=setting.ann, count=1)[0]
    assert slot.context["band"] == 2
    assert pace.current_band(setting.project) == 1
    assert BandOpening.objects.count() == 1
