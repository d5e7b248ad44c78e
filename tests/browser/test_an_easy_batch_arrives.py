"""An easy batch arrives in mid-walk: the page says so, and nothing false is certified.

With ``HILLTOP_FRONTIER_SHOTS`` set to a folder, the page is photographed: light, dark and 360 px wide.
"""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

import labeling.frontier.tasks
import labeling.monitors.tasks  # noqa: F401  (registers the handlers)
from labeling.frontier.models import AutomaticDecision
from labeling.frontier.services import in_force, request_deciding
from tests.browser.test_frontier_page import shoot
from tests.frontier.proving import make_pool
from tests.frontier.test_arrivals import arrive

WRONG_BELOW = 0.2


def test_the_page_says_so_and_nothing_false_is_certified(page_for: Callable[..., Page]) -> None:
    pool = make_pool(slug="cells")
    pool.policy(precision=0.9, planned_labels=180)
    # Half of the labels are there when 400 sure and right photos of one class come in.
    pool.settle_all(pool.wrong_below(WRONG_BELOW, pool.draw(90)))
    batch = arrive(pool, 400, easy=True)
    pool.settle_all(pool.wrong_below(WRONG_BELOW, pool.draw(280)))
    pool.policy(mode="on", audit_share=0.0)
    pool.work()
    request_deciding(project=pool.project)
    pool.work()

    page = page_for(pool.admin)
    page.goto("/p/cells/frontier")
    expect(page.get_by_text("400 photos that came in since differ from the pool")).to_be_visible()
    shoot(page, "easy-batch")
    page.goto("/p/cells/")
    expect(page.get_by_text("400 photos that came in differ from the pool")).to_be_visible()

    assert not AutomaticDecision.objects.filter(item__in=batch).exists()
    old = {item.pk for item in pool.items} - {item.pk for item in batch}
    for certificate in in_force(pool.project):
        key = certificate.label_class.key
        inside = [pk for pk in old if pool.predicted[pk] == key and pool.margin[pk] >= certificate.threshold]
        rest = set(inside) - set(
            pool.project.ground_truths.filter(item__in=inside).values_list("item_id", flat=True)
        )
        assert sum(pool.margin[pk] < WRONG_BELOW for pk in rest) <= 0.1 * len(rest)
    decided = AutomaticDecision.objects.filter(project=pool.project).values_list("item_id", flat=True)
    assert sum(pool.margin[pk] < WRONG_BELOW for pk in decided) <= 0.1 * len(decided)
