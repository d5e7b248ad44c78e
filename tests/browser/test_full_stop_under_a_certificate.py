"""A full stop under a certificate, both ways: another wording lets nothing fall, a change of meaning what was said."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

import labeling.frontier.tasks
import labeling.monitors.tasks  # noqa: F401  (registers the handlers)
from labeling.catalog.models import Role
from labeling.catalog.price import price_of_meaning
from labeling.frontier.services import in_force
from tests.factories import make_member
from tests.frontier.proving import certified_pool


def _with_a_full_stop(page: Page) -> None:
    page.goto("/p/cells/guideline/edit")
    criteria = page.locator("[data-class]", has_text="defective").first.get_by_label("Criteria")
    criteria.fill(criteria.input_value() + ".")
    page.get_by_label("What changes, and why").fill("A full stop")


def test_a_full_stop_under_a_certificate_both_ways(page_for: Callable[..., Page]) -> None:
    pool = certified_pool(slug="cells")
    standing = {each.pk for each in in_force(pool.project)}
    price = price_of_meaning(pool.project).says
    page = page_for(pool.admin)

    _with_a_full_stop(page)
    page.get_by_label("What changes, and why").press("Enter")  # says neither, so nothing is published
    expect(page.get_by_text("press one of the two buttons")).to_be_visible()
    page.get_by_role("button", name="another wording only").click()
    expect(page.get_by_text("Version 2 of the guideline.")).to_be_visible()
    assert {each.pk for each in in_force(pool.project)} == standing
    expect(page.locator(".versions .diff ins").first).to_have_text(".")
    page.goto("/p/cells")
    expect(page.get_by_text("the certificate fell")).to_have_count(0)

    _with_a_full_stop(page)
    page.get_by_role("button", name=f"the meaning changes ({price})").click()
    expect(page.get_by_text("Version 3 of the guideline.")).to_be_visible()
    assert in_force(pool.project) == []
    page.goto("/p/cells")
    fall = page.get_by_role("alert").filter(has_text="the certificate fell")
    expect(fall).to_contain_text("What to do: certify again on the Frontier page")
    fall.get_by_role("link", name="Frontier").click()
    page.wait_for_url("**/p/cells/frontier")


def test_a_reviewer_leaves_another_meaning_to_an_admin_who_may_object_to_a_wording(
    page_for: Callable[..., Page],
) -> None:
    pool = certified_pool(slug="cells")
    reviewer, admin = page_for(make_member(pool.project, Role.REVIEWER)), page_for(pool.admin)
    _with_a_full_stop(admin)
    admin.get_by_role("button", name="another wording only").click()
    expect(admin.get_by_text("Version 2 of the guideline.")).to_be_visible()
    reviewer.goto("/p/cells/guideline")
    expect(reviewer.locator(".versions .diff ins").first).to_have_text(".")
    expect(reviewer.get_by_text("Object: it changes the meaning")).to_have_count(0)

    admin.get_by_text("Object: it changes the meaning").click()
    admin.get_by_label("What means something else now").fill("It is more than a full stop")
    admin.get_by_role("button", name="Count it as a change of meaning (ends 2 certificates").click()
    expect(admin.get_by_text("Version 2 counts as a change of meaning now.")).to_be_visible()
    assert in_force(pool.project) == []
    reviewer.reload()
    expect(reviewer.get_by_text("It is more than a full stop")).to_be_visible()
