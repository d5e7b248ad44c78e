"""Photos as two people answered them, and the review desk of whoever rules on them."""

from __future__ import annotations

from uuid import uuid4

from playwright.sync_api import Page

from labeling.catalog.images import add_image, add_items
from labeling.catalog.models import Item, Project
from labeling.truth.services import Answer, Viewing, record_answer
from tests.factories import make_member, photo_bytes


def answered(project: Project, *photos: tuple[Answer, Answer]) -> list[Item]:
    """A photo for each pair of answers, by the same two people."""
    people = make_member(project), make_member(project)
    images = [
        (add_image(data=photo_bytes(n, size=(320, 240)))[0], f"photo-{n}.png") for n in range(len(photos))
    ]
    items = add_items(project=project, images=images, source="test")
    for item, answers in zip(items, photos, strict=True):
        for person, answer in zip(people, answers, strict=True):
            record_answer(
                project=project,
                labeler=person,
                key=uuid4(),
                answer=answer,
                viewing=Viewing(item_id=item.pk, round=1, draw="rank", context={}, view_ms=1500),
            )
    return items


def shown(page: Page) -> str:
    """The id of the dispute that the desk shows."""
    return str(page.locator(".desk-root").get_attribute("data-dispute"))
