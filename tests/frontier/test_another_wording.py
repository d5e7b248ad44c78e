"""Another wording of the guideline costs nothing; a change of what it means costs what was said before."""

from __future__ import annotations

from dataclasses import asdict
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labeling.catalog.meaning import meaning_now, meanings, same_meaning
from labeling.catalog.models import Guideline, Role
from labeling.catalog.price import Price, price_of_meaning
from labeling.catalog.services import amend_guideline, object_to_wording
from labeling.frontier.models import Certificate, CertificationPlan
from labeling.frontier.services import in_force
from labeling.frontier.status import frontier_status
from labeling.people.models import User
from labeling.queue.models import BandOpening
from labeling.refusals import Refused
from labeling.truth.models import GroundTruth
from labeling.truth.settling import raise_dispute
from tests.factories import make_member
from tests.frontier.proving import Pool, certified_pool
from tests.frontier.test_certificates import look

pytestmark = pytest.mark.django_db


def amend(pool: Pool, *, by: User | None = None, wording_only: bool, text: str = "Any crack.") -> Guideline:
    return amend_guideline(
        project=pool.project,
        by=by or pool.admin,
        note="A full stop",
        criteria={"defective": text},
        wording_only=wording_only,
    )


def reach_band(pool: Pool) -> None:
    """The queue has gone on from the outermost band."""
    BandOpening.objects.create(project=pool.project, band=1, cause=BandOpening.Cause.PACE)


def standing(pool: Pool) -> set[int]:
    return {each.pk for each in in_force(pool.project)}


def test_another_wording_leaves_certificates_plans_labels_and_bands_as_they_were() -> None:
    pool = certified_pool()
    reach_band(pool)
    before, openings = standing(pool), BandOpening.objects.filter(project=pool.project).count()
    labels = Certificate.objects.filter(project=pool.project)[0].run.item_ids
    amend(pool, wording_only=True)
    assert standing(pool) == before
    assert frontier_status(pool.project).state == "certified"
    assert BandOpening.objects.filter(project=pool.project).count() == openings > 0
    run = look(pool)
    assert (run.item_ids, run.counts["older"]) == (labels, 0)
    assert CertificationPlan.objects.filter(project=pool.project).count() == 1


def test_labels_given_under_another_wording_count_with_those_before_it() -> None:
    pool = certified_pool()
    amend(pool, wording_only=True)
    more = pool.draw(5)
    for item in more:
        pool.settle(item)
    run = look(pool)
    newest = pool.project.guidelines.first()
    assert GroundTruth.objects.filter(item__in=more, guideline=newest).count() == len(more)
    assert {item.pk for item in more} <= set(run.item_ids)
    assert run.counts["older"] == 0


def test_what_the_button_counts_is_what_falls() -> None:
    pool = certified_pool()
    reach_band(pool)
    certificates = len(standing(pool))
    labels = len(look(pool).item_ids)
    price = price_of_meaning(pool.project)
    assert price == Price(certificates=certificates, random_labels=labels, bands=1)
    assert f"voids {labels} random labels" in price.says
    amend(pool, wording_only=False)
    assert standing(pool) == set()
    assert look(pool).item_ids == []
    assert price_of_meaning(pool.project).certificates == price_of_meaning(pool.project).random_labels == 0


def test_while_a_certificate_stands_an_admin_agrees_to_another_meaning() -> None:
    pool = certified_pool()
    reviewer = make_member(pool.project, Role.REVIEWER)
    before = standing(pool)
    with pytest.raises(Refused, match="an admin must agree") as refused:
        amend(pool, by=reviewer, wording_only=False)
    assert (refused.value.code, refused.value.status) == ("admin_must_agree", 403)
    assert (standing(pool), pool.project.guidelines.count()) == (before, 1)
    amend(pool, by=reviewer, wording_only=True)
    assert standing(pool) == before
    amend(pool, wording_only=False, text="Any crack at all")
    assert standing(pool) == set()
    amend(pool, by=reviewer, wording_only=False, text="Nothing stands, so a reviewer may")


def test_an_admin_objects_and_the_wording_counts_as_a_change_of_meaning() -> None:
    pool = certified_pool()
    second = amend(pool, wording_only=True)
    third = amend(pool, wording_only=True, text="Any crack!")
    first = pool.project.guidelines.get(number=1)
    assert meanings(pool.project) == {first.pk: first.pk, second.pk: first.pk, third.pk: first.pk}
    object_to_wording(project=pool.project, number=2, by=pool.admin, note="It excluded scratches")
    assert meaning_now(pool.project) == second
    assert same_meaning(first) == [first.pk]
    assert same_meaning(third) == [second.pk, third.pk]
    assert {each.ends.get().reason for each in Certificate.objects.filter(project=pool.project)} == {
        "guideline"
    }
    assert look(pool).item_ids == []


@pytest.mark.parametrize(
    ("number", "note", "code"),
    [(2, " ", "invalid"), (9, "No such", "not_found"), (1, "The first", "not_wording")],
)
def test_an_objection_needs_a_version_that_is_said_to_be_a_wording_and_a_reason(
    number: int, note: str, code: str
) -> None:
    pool = certified_pool()
    amend(pool, wording_only=True)
    with pytest.raises(Refused) as refused:
        object_to_wording(project=pool.project, number=number, by=pool.admin, note=note)
    assert refused.value.code == code
    assert standing(pool)


def test_nobody_objects_twice() -> None:
    pool = certified_pool()
    amend(pool, wording_only=True)
    object_to_wording(project=pool.project, number=2, by=pool.admin, note="It is another thing")
    with pytest.raises(Refused, match="already"):
        object_to_wording(project=pool.project, number=2, by=pool.admin, note="Again")


@pytest.mark.parametrize(
    "change",
    [{"add": [{"name": "Dirty"}]}, {"retire": ["defective"]}, {"merge": {"defective": "functional"}}],
)
def test_which_classes_there_are_is_no_wording(change: dict[str, Any]) -> None:
    pool = certified_pool()
    with pytest.raises(Refused, match="no wording"):
        amend_guideline(project=pool.project, by=pool.admin, note="Others", wording_only=True, **change)


def page(pool: Pool, user: User, name: str = "guideline") -> str:
    client = Client()
    client.force_login(user)
    return unescape(client.get(reverse(name, args=[pool.project.slug])).content.decode())


def test_the_pages_say_the_price_on_the_button_and_show_what_changed_word_by_word() -> None:
    pool = certified_pool()
    reach_band(pool)
    price = price_of_meaning(pool.project).says
    assert price.startswith("ends 2 certificates, voids ") and price.endswith("can open 1 band again")
    for name in ("guideline-edit", "photos"):
        assert f"the meaning changes ({price})" in page(pool, pool.admin, name), name
    amend(pool, wording_only=True, text="What makes a photo defective!")
    text = page(pool, pool.labelers[0])
    assert ">What makes a photo defective</span>" in text and ">.</del><ins>!</ins>" in text
    assert "another wording only" in text and "Object:" not in text
    assert f"Count it as a change of meaning ({price})" in page(pool, pool.admin)
    object_to_wording(project=pool.project, number=2, by=pool.admin, note="It shouts")
    assert "objected, so it counts as a change of meaning: “It shouts”" in page(pool, pool.labelers[0])
    assert "the meaning changes (nothing falls)" not in page(pool, pool.admin, "guideline-edit")


def test_an_objection_is_sent_from_the_page() -> None:
    pool = certified_pool()
    amend(pool, wording_only=True)
    client = Client()
    client.force_login(pool.admin)
    url = reverse("guideline-object", args=[pool.project.slug, 2])
    assert client.post(url, {"note": ""}).status_code == 302
    assert standing(pool)
    assert client.post(url, {"note": "Scratches were none"}).status_code == 302
    assert standing(pool) == set()


def test_the_api_says_the_price_asks_which_it_is_and_tells_the_difference() -> None:
    pool = certified_pool()
    client = Client()
    client.force_login(pool.admin)
    root = f"/api/v1/projects/{pool.project.slug}/guideline"

    def post(path: str, **given: Any) -> Any:
        return client.post(root + path, given, content_type="application/json")

    price = price_of_meaning(pool.project)
    assert client.get(f"{root}/price").json() == asdict(price)
    text = {"defective": "What makes a photo defective!"}
    refused = post("s", note="!", criteria=text)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "say_meaning")
    assert price.says in refused.json()["error"]["message"]
    made = post("s", note="!", criteria=text, wording_only=True).json()
    assert (made["number"], made["means_as"], made["wording_only"], made["objection"]) == (2, 1, True, None)
    (change,) = client.get(f"{root}s/2/changes").json()["changes"]
    assert (change["key"], change["after"]) == ("defective", text["defective"])
    assert change["pieces"][1:] == [{"kind": "del", "text": "."}, {"kind": "ins", "text": "!"}]
    assert client.get(f"{root}s/3/changes").status_code == 404
    assert standing(pool)
    objected = post("s/2/object", note="It shouts").json()
    assert (objected["means_as"], objected["objection"]["note"]) == (2, "It shouts")
    assert standing(pool) == set()
    assert post("s", note="again", criteria={"defective": "Again"}).status_code == 201  # nothing stands


def test_a_reviewer_at_a_dispute_is_told_that_an_admin_must_agree() -> None:
    pool = certified_pool()
    reviewer = make_member(pool.project, Role.REVIEWER)
    raise_dispute(pool.project, pool.items[0].pk, 1, "disagreement")
    text = page(pool, reviewer, "review")
    assert "An admin must agree" in text and 'value="changed"' not in text
    assert 'value="changed"' in page(pool, pool.admin, "review")


def test_after_a_fall_the_overview_says_so_in_red_with_what_to_do_until_it_stands_again() -> None:
    pool = certified_pool()
    reviewer = make_member(pool.project, Role.REVIEWER)
    amend(pool, wording_only=True)
    assert "the certificate fell" not in page(pool, pool.admin, "project")
    amend(pool, wording_only=False, text="Any crack of a centimetre.")
    for person in (pool.admin, reviewer):
        text = page(pool, person, "project")
        assert 'class="notice error"' in text
        assert "The machine decides no more of “Functional”, “Defective”: the certificate fell" in text
        assert "The guideline was changed. People decide all photos again. What to do: certify again" in text
    assert "the certificate fell" not in page(pool, pool.labelers[0], "project")
    pool.policy(precision=0.7, planned_labels=150)
    pool.settle_all((item, None) for item in pool.draw(160))
    look(pool)
    assert len(standing(pool)) == 2
    assert "the certificate fell" not in page(pool, pool.admin, "project")


def test_the_overview_says_that_the_guideline_opened_a_band_again() -> None:
    pool = certified_pool()
    figures = {"missing": 7, "back_to": 1}
    BandOpening.objects.create(project=pool.project, band=0, cause="guideline", figures=figures)
    text = page(pool, pool.admin, "project")
    assert "Band 1 is open again: the guideline asks something else now, and 7 ground truths" in text
    assert "What to do: label." in text
