"""An admin sees every band, what it holds, and in words why it has not settled; and may overrule the pace with a reason."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse

from labeling.catalog.models import Activity, Project, Role
from labeling.catalog.services import amend_guideline
from labeling.frontier.bands import BandRow, BandState, band_table
from labeling.frontier.models import Certificate, CertificateEnd, CertificationRun
from labeling.frontier.picture import picture
from labeling.overview.dashboard.timeline import frames
from labeling.overview.diary import diary
from labeling.queue import services
from labeling.queue.models import BandOpening, Ranking
from labeling.truth.models import Dispute
from tests.factories import make_member, place_order
from tests.frontier.proving import certified_pool
from tests.frontier.test_picture import Scene
from tests.queue.conftest import Setting, answer_with, setting  # noqa: F401  (a fixture)
from tests.queue.test_bands_settle_and_reopen import Passed, both_say

pytestmark = pytest.mark.django_db


def table(project: Project) -> list[BandRow]:
    return band_table(project, picture(project))


def as_user(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_each_band_says_what_it_holds_of_what_it_needs_and_why_it_is_not_settled(setting: Setting) -> None:  # noqa: F811
    both_say(setting, "functional")
    both_say(setting, "functional", "defective")
    held = services.claim(project=setting.project, labeler=setting.ann, count=1)[0]
    answer_with(setting.project, held, kind="hold", reason="between")
    rows = table(setting.project)
    assert [row.gate.state for row in rows] == [BandState.OPEN, BandState.CLOSED, BandState.CLOSED]
    first = rows[0]
    assert (first.gate.ground_truths, first.gate.needed, first.gate.here) == (1, 4, True)
    assert (first.holds, first.disputes, first.waiting) == (1, 2, 7)
    assert first.agreement is not None and (first.agreement.part, first.agreement.whole) == (1, 2)
    assert first.reliability is not None and first.reliability.alpha == 0
    assert "3 more ground truths" in first.gate.says and "agreement of 70\u00a0%" in first.gate.says
    assert rows[1].gate.says.startswith("Opens next")
    assert (rows[1].holds, rows[1].agreement, rows[1].waiting) == (0, None, 10)


def test_a_band_waits_for_alpha_in_words(setting: Setting) -> None:  # noqa: F811
    setting.project.band_alpha = 0.9
    setting.project.band_agreement = 0.5
    setting.project.save()
    both_say(setting, "functional", "defective")
    for said in ("functional", "defective", "functional", "functional"):
        both_say(setting, said)
    says = table(setting.project)[0].gate.says
    assert says.startswith("The next band opens with an alpha of 0.90 (now 0.")
    assert "ground truth" not in says


def test_a_band_that_is_open_again_says_where_the_queue_goes_on() -> None:
    scene = Passed()
    services.reopen_band(project=scene.project, band=0, by=scene.project.created_by, reason="A new camera")
    rows = table(scene.project)
    assert [row.gate.state for row in rows] == [BandState.OPEN, BandState.SETTLED, BandState.CLOSED]
    assert rows[0].gate.says == "Open again. The queue goes back to band 3 with 2 more ground truths."
    assert rows[2].gate.says == "The queue comes back here when band 1 has what it lacks."
    seen = picture(scene.project)
    assert seen.open_band is not None and seen.open_band.number == 0
    assert "A new camera" in diary(scene.project)[0].text and "again" in diary(scene.project)[0].text


def test_a_band_that_an_admin_passed_over_is_not_called_settled() -> None:
    scene = Passed("admin", "pace")
    scene.project.boundary_after = 30
    scene.project.save()
    rows = table(scene.project)
    assert [row.gate.state for row in rows[:2]] == [BandState.PASSED, BandState.PASSED]
    assert "8 ground truths are missing" in rows[0].gate.says
    assert f"{20 - rows[1].gate.ground_truths} ground truths are missing" in rows[1].gate.says


def test_a_band_is_settled_only_while_it_holds_what_it_needs() -> None:
    """The queue went on from it because it had settled; the champion of today puts one ground truth there."""
    scene = Scene()
    scene.settle(scene.items["functional"][0], "functional")
    scene.project.boundary_after = 75 * 3
    scene.project.save()
    (first, *_rest) = table(scene.project)
    assert (first.gate.ground_truths, first.gate.needed, first.state) == (1, 75, BandState.PASSED)
    assert "ettled" not in first.says and "74 ground truths are missing" in first.says
    assert {line[0] for line in frames(scene.project)[-1].lines} == {BandState.PASSED}
    scene.project.boundary_after = 3
    scene.project.save()
    (first, *_rest) = table(scene.project)
    assert (first.gate.ground_truths, first.gate.needed, first.state) == (1, 1, BandState.SETTLED)
    assert {line[0] for line in frames(scene.project)[-1].lines} == {BandState.SETTLED}


def test_what_is_certified_to_the_boundary_has_no_open_band() -> None:
    """A walk's last threshold is the least margin of a photo; the picture's boundary band begins at 0."""
    pool = certified_pool()
    run = CertificationRun.objects.latest("id")
    run.pk = None
    run.save()
    for each in Certificate.objects.filter(ends__isnull=True):
        CertificateEnd.objects.create(certificate_id=each.pk, kind="renewed", reason="look")
        each.pk, each.run, each.threshold, each.coverage = None, run, 0.003, 1.0
        each.save()
    summary = {
        str(each.pk): {str(n): [1 - (n + 1) / 3, 1 - n / 3, 60] for n in range(3)}
        for each in pool.classes.values()
    }
    Ranking.objects.filter(project=pool.project, current=True).update(current=False)
    order = Ranking.objects.create(
        project=pool.project, number=9, strategy="inward", bands=3, model_version=pool.model, current=True, summary=summary
    )  # fmt: skip
    place_order(order)
    seen = picture(pool.project)
    assert {band.state for line in seen.lines for band in line.bands} == {BandState.CERTIFIED}
    rows = band_table(pool.project, seen)
    assert {row.state for row in rows} == {BandState.CERTIFIED}
    assert all("open" not in row.says for row in rows)
    newest = frames(pool.project)[-1]
    assert {state for line in newest.lines for state in line} == {BandState.CERTIFIED}


def test_ground_truths_that_mean_something_else_today_are_not_counted() -> None:
    scene = Passed()
    assert [row.gate.ground_truths for row in table(scene.project)][:2] == [2, 4]
    amend_guideline(
        project=scene.project,
        by=scene.project.created_by,
        note="Sharper",
        criteria={"defective": "A crack of a centimetre or more."},
    )
    rows = table(scene.project)
    assert rows[1].gate.ground_truths == 2
    assert rows[0].gate.here
    assert "the guideline asks something else" in diary(scene.project)[0].text


def test_an_admin_overrides_on_the_page_and_the_reason_is_kept() -> None:
    scene = Passed("pace")
    admin = scene.project.created_by
    client, slug = as_user(admin), scene.project.slug
    page = client.get(reverse("frontier-bands", args=[slug])).content.decode()
    assert "Bands and gates" in page and "Open the next band" in page
    client.post(reverse("frontier-open-band", args=[slug]), {"reason": "Clear enough"})
    newest = BandOpening.objects.order_by("-id")[0]
    assert (newest.band, newest.cause, newest.by, newest.reason) == (2, "admin", admin, "Clear enough")
    client.post(reverse("frontier-reopen-band", args=[slug]), {"band": "1", "reason": "A new camera"})
    newest = BandOpening.objects.order_by("-id")[0]
    assert (newest.band, newest.cause, newest.figures["back_to"]) == (1, "admin", 2)
    client.post(reverse("frontier-reopen-band", args=[slug]), {"band": "0", "reason": ""})
    client.post(reverse("frontier-reopen-band", args=[slug]), {"band": "x", "reason": "?"})
    assert BandOpening.objects.order_by("-id")[0] == newest
    assert Activity.objects.filter(kind="band_opened").count() == 2


def test_a_reviewer_reads_the_bands_and_has_no_word_on_them() -> None:
    scene = Passed()
    client = as_user(make_member(scene.project, Role.REVIEWER))
    page = client.get(reverse("frontier-bands", args=[scene.project.slug])).content.decode()
    assert "Bands and gates" in page and "Override bands" not in page
    for name in ("frontier-open-band", "frontier-reopen-band"):
        answer = client.post(reverse(name, args=[scene.project.slug]), {"band": "0", "reason": "Mine"})
        assert answer.status_code == 403
    assert scene.openings() == [(1, "pace"), (2, "pace")]


def test_the_api_tells_the_same_and_takes_an_admins_word() -> None:
    scene = Passed()
    client, slug = as_user(scene.project.created_by), scene.project.slug
    told = client.get(reverse("api-bands", args=[slug])).json()["bands"]
    assert [(each["band"], each["state"], each["ground_truths"]) for each in told] == [
        (0, "settled", 2),
        (1, "settled", 4),
        (2, "open", 0),
    ]
    answer = client.post(
        reverse("api-reopen-band", args=[slug]),
        {"band": 1, "reason": "A new camera"},
        content_type="application/json",
    )
    assert answer.json() == {"band": 1, "missing": 2}
    answer = client.post(
        reverse("api-reopen-band", args=[slug]),
        {"band": 2, "reason": "Too far in"},
        content_type="application/json",
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_passed")


def test_the_api_draws_random_photos_as_the_page_does() -> None:
    scene = Passed()
    client, url = as_user(scene.project.created_by), reverse("api-draw", args=[scene.project.slug])
    answer = client.post(url, {"count": 3}, content_type="application/json")
    assert answer.json() == {"drawn": 3}
    assert scene.project.items.filter(audit_drawn_at__isnull=False).count() == 3
    assert client.post(url, {"count": 0}, content_type="application/json").status_code in (400, 422)
    client.post(url, {"count": 100}, content_type="application/json")
    answer = client.post(url, {"count": 1}, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "all_drawn")


def test_open_disputes_only_are_counted_and_in_the_band_where_people_saw_them(setting: Setting) -> None:  # noqa: F811
    both_say(setting, "functional", "defective")
    assert [row.disputes for row in table(setting.project)] == [1, 0, 0]
    assert Dispute.objects.count() == 1


def test_the_pages_around_the_frontier_are_linked_as_far_as_they_exist() -> None:
    scene = Passed()
    page = as_user(scene.project.created_by).get(reverse("frontier", args=[scene.project.slug]))
    for name in ("monitors", "dashboard"):
        try:
            address = reverse(name, args=[scene.project.slug])
        except NoReverseMatch:
            continue
        assert f'href="{address}"' in page.content.decode()
