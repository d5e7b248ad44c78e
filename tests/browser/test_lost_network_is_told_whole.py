"""What the labeling screen says of a lost network is never cut, however narrow the window and however long the name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from labeling.catalog.models import Project
from labeling.people.models import User
from tests.browser.test_labeling_screen import Screen, project_with_photos
from tests.factories import make_member

CUT = """() => {
  const text = document.getElementById('state-text');
  const box = text.getBoundingClientRect();
  const top = document.querySelector('.lb-top').getBoundingClientRect();
  const floats = getComputedStyle(text.parentElement).position === 'fixed';
  return text.scrollWidth > text.clientWidth + 1 || text.scrollHeight > text.clientHeight + 1
    || (!floats && (box.top < top.top || box.bottom > top.bottom));
}"""


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_state_of_a_lost_network_is_read_to_its_end(
    live_stack: object, page_for: Callable[..., Page], language: str
) -> None:
    project = project_with_photos(12)
    Project.objects.filter(pk=project.pk).update(name="Solar cells of the second line, incoming inspection")
    labeler = make_member(project)
    User.objects.filter(pk=labeler.pk).update(toured_at=project.created_at)
    screen = Screen(page_for(labeler, locale=language), project).open()
    screen.wait_until_ahead(5)
    screen.page.context.set_offline(True)
    screen.press("1")
    screen.press("1")
    screen.page.wait_for_selector('#state[data-state="offline"]')
    for width in (1920, 1280, 1024, 961, 960, 700, 360):
        screen.page.set_viewport_size({"width": width, "height": 800})
        assert screen.page.evaluate(CUT) is False, width
    screen.page.context.set_offline(False)
    screen.page.wait_for_selector('#state[data-state="saved"]')
