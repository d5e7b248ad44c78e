"""What is promised stands on the frontier's page, with who settles what; whoever labels sees nothing of it."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from labeling.frontier.models import AuditWatch
from tests.browser.test_frontier_page import shoot
from tests.factories import make_member
from tests.frontier.promised import decides, inside, look, one_answer_settles, under, wishes
from tests.frontier.proving import make_pool

PageFor = Callable[..., Page]


def test_the_page_tells_of_a_second_reader_and_a_labelers_screen_does_not(page_for: PageFor) -> None:
    pool = make_pool(100, slug="cells")
    proofs = under(pool, "assisted")
    ring, sure = inside(pool, 0.2, 0.6), inside(pool, 0.6, 1.0)
    for item in sure[:5]:
        decides(pool, proofs["functional"], item)
    for item in ring[:7]:
        one_answer_settles(pool, proofs["functional"], item)
    one_answer_settles(pool, proofs["functional"], ring[7], audit=True)
    AuditWatch.objects.create(
        project=pool.project,
        model_version=pool.model,
        guideline=proofs["functional"].guideline,
        label_class=proofs["functional"].label_class,
        part="assisted",
        precision=0.95,
        n=20,
        errors=1,
        low=0.8,
        high=0.99,
    )
    page = page_for(pool.admin)
    page.goto("/p/cells/frontier")
    expect(
        page.get_by_role("heading", name="of another 40 % one answer that agrees settles a photo")
    ).to_be_visible()
    expect(page.get_by_text("Audit of what one answer settled: 1 wrong of 20")).to_be_visible()
    expect(page.locator(".proof-ladder").first.locator(".step.ring")).to_have_count(1)
    shoot(page, "second-reader")
    page.get_by_role("link", name="Decisions").click()
    settled = page.locator(".figures > div", has_text="Settled by one answer")
    expect(settled.locator(".big")).to_have_text("7")
    expect(settled).to_contain_text("1 more had such an answer, and waits for a second person")
    page.get_by_role("link", name="Policy").click()
    expect(page.get_by_role("group", name="What is promised")).to_be_visible()
    expect(page.get_by_label("Of a delivered set, floor under what the machine decides")).to_be_hidden()
    korean = page_for(pool.admin, locale="ko-KR")
    korean.goto("/p/cells/frontier")
    expect(korean.get_by_role("heading", name="모델과 같은 답변 하나로 확정되는 범위")).to_be_visible()
    shoot(korean, "second-reader-korean")

    page = page_for(make_member(pool.project))
    with page.expect_response("**/claims") as claimed:
        page.goto("/p/cells/label")
    tasks = claimed.value.json()["tasks"]
    assert tasks and set(tasks[0]) == {"lease", "photo", "expires_at", "note", "sent_back"}
    told = re.compile("assist|second reader|one answer|promise|certif|machine|floor", re.IGNORECASE)
    assert told.findall(page.content()) == []
    page.goto("/p/cells/")
    assert told.findall(page.content()) == []


def test_a_delivered_set_is_chosen_with_its_floor_and_the_page_says_when_its_look_is_due(
    page_for: PageFor,
) -> None:
    pool = make_pool(100, slug="cells")
    wishes(pool, "alone")
    page = page_for(pool.admin)
    page.goto("/p/cells/frontier/policy")
    floor = page.get_by_label("Of a delivered set, floor under what the machine decides")
    expect(floor).to_be_hidden()
    page.get_by_role("radio", name=re.compile("^The delivered set")).check()
    expect(floor).to_be_visible()
    floor.fill("99")
    page.get_by_label("Reason", exact=True).fill("Less work")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("The floor under what the machine decides lies below").first).to_be_visible()
    expect(floor).to_be_visible()
    floor.fill("90")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("The policy is applied.")).to_be_visible()
    pool.work()

    look(pool, "delivered", lacks=212, used=40)
    page.goto("/p/cells/frontier")
    due = "The look is due when 212 more random labels of the pool are settled."
    expect(page.get_by_role("heading", name=due)).to_be_visible()
    expect(page.get_by_label("Random photos")).to_have_value("212")
    shoot(page, "delivered-set-due")
    under(pool, "delivered")
    page.goto("/p/cells/frontier")
    expect(
        page.get_by_role("heading", name="Of all labels that leave here at least 95 % are right")
    ).to_be_visible()
    shoot(page, "delivered-set")
