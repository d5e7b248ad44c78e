"""One browser, two people, several tabs: what a person answered is stored under their name, whoever has signed in since."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from labeling.catalog.models import Project
from labeling.people.models import User
from labeling.truth.models import Ruling
from labeling.truth.services import Answer, Viewing, record_answer
from tests.browser.routing import take_over
from tests.browser.test_labeling_screen import Screen, answers_of, project_with_photos, wait_for_answers
from tests.factories import make_member

#: The form's button is in a part that is folded.
UNFOLD = "document.querySelectorAll('main details').forEach((each) => { each.open = true; })"

PageFor = Callable[..., Page]
SignIn = Callable[[BrowserContext, User], None]


@pytest.fixture
def project() -> Project:
    return project_with_photos(16)


@pytest.fixture
def ada(project: Project) -> User:
    return _member(project, "ada")


@pytest.fixture
def bea(project: Project) -> User:
    return _member(project, "bea")


def _member(project: Project, name: str, role: str = "labeler") -> User:
    user = make_member(project, role, name)
    User.objects.filter(pk=user.pk).update(toured_at=project.created_at)
    return user


@pytest.fixture
def screen(live_stack: object, project: Project, ada: User, page_for: PageFor) -> Screen:
    return Screen(page_for(ada), project).open()


def _stopped(page: Page) -> None:
    expect(page.locator("#card-title")).to_have_text("Somebody else is signed in here now")
    expect(page.locator("#card-text")).to_contain_text("bea")
    expect(page.locator("#card-another")).to_be_visible()
    expect(page.locator("#bar")).to_have_attribute("inert", "")


def _three_waiting(screen: Screen) -> None:
    take_over(screen.page, "**/annotations", lambda route: route.abort())
    for key in "121":
        screen.press(key)
    screen.expect_state("3 answers are waiting")


def test_answers_wait_for_their_person_while_another_works_in_the_next_tab(
    screen: Screen, project: Project, ada: User, bea: User, sign_in: SignIn
) -> None:
    _three_waiting(screen)
    context = screen.page.context
    sign_in(context, bea)
    screen.page.unroute("**/annotations")
    _stopped(screen.page)
    for key in "1212":  # nothing more is answered on the page that was made for Ada
        screen.page.keyboard.press(key)
    screen.expect_state("Somebody else is signed in")

    beas = Screen(context.new_page(), project).open()
    beas.press("2")
    beas.press("2")
    assert [row.label_class.key for row in wait_for_answers(bea, 2) if row.label_class] == ["defective"] * 2
    assert not answers_of(ada)

    sign_in(context, ada)
    screen.page.bring_to_front()
    screen.page.keyboard.press("Enter")
    stored = wait_for_answers(ada, 3)
    assert [row.label_class.key for row in stored if row.label_class] == [
        "functional",
        "defective",
        "functional",
    ]
    screen.wait_for_photo()
    expect(screen.page.locator("#card")).to_be_hidden()
    screen.press("2")
    assert len(wait_for_answers(ada, 4)) == 4
    assert len(answers_of(bea)) == 2


def test_they_are_delivered_from_any_page_as_soon_as_their_person_is_signed_in(
    screen: Screen, project: Project, ada: User, bea: User, sign_in: SignIn
) -> None:
    _three_waiting(screen)
    context = screen.page.context
    sign_in(context, bea)
    screen.page.unroute("**/annotations")
    _stopped(screen.page)
    screen.page.close()
    page = context.new_page()
    page.goto("/")
    page.wait_for_load_state("networkidle")
    assert not answers_of(ada) and not answers_of(bea)

    sign_in(context, ada)
    page.goto("/")
    assert len(wait_for_answers(ada, 3)) == 3
    assert not answers_of(bea)


def test_signing_in_as_oneself_leads_back_to_the_photos(
    screen: Screen, ada: User, bea: User, sign_in: SignIn
) -> None:
    page = screen.page
    sign_in(page.context, bea)
    page.keyboard.press("1")
    _stopped(page)
    page.click("#card-another button")
    page.locator("[name=username], [name=login]").fill("ada")
    page.locator("[name=password]").fill("ada")
    page.locator("main form").get_by_role("button").click()
    screen.wait_for_photo()
    assert len(wait_for_answers(ada, 1)) == 1
    assert not answers_of(bea)


def test_a_ruling_waits_on_the_desk_for_its_person(
    live_stack: object, project: Project, ada: User, bea: User, page_for: PageFor, sign_in: SignIn
) -> None:
    item = project.items.first()
    assert item is not None
    for person, key in ((ada, "functional"), (bea, "defective")):
        record_answer(
            project=project,
            labeler=person,
            key=uuid4(),
            answer=Answer("class", key),
            viewing=Viewing(item_id=item.pk, round=1, draw="rank", context={}, view_ms=1500),
        )
    rosa, ruth = _member(project, "rosa", "reviewer"), _member(project, "ruth", "reviewer")
    page = page_for(rosa)
    page.goto(f"/p/{project.slug}/review")
    sign_in(page.context, ruth)
    page.keyboard.press("1")
    expect(page.locator("#desk [data-failed]")).to_contain_text("ruth is signed in")
    assert not Ruling.objects.exists()
    sign_in(page.context, rosa)
    page.keyboard.press("1")
    expect(page.get_by_role("heading", name="Nothing is in dispute")).to_be_visible()
    assert Ruling.objects.get().reviewer == rosa


def test_a_form_of_another_person_is_refused_in_words_and_a_sign_in_does_not_make_it_old(
    live_stack: object, project: Project, ada: User, bea: User, page_for: PageFor, sign_in: SignIn
) -> None:
    admin = project.created_by
    page = page_for(admin)
    page.goto(f"/p/{project.slug}/settings")
    sign_in(page.context, bea)
    page.evaluate(UNFOLD)
    page.locator("main form button.primary").first.click()
    expect(page.get_by_role("alert")).to_contain_text("bea is signed in")
    sign_in(page.context, admin)
    page.go_back()
    page.context.clear_cookies(name="csrftoken")  # as a sign-in does it: another one takes its place
    page.request.get("/login")
    page.context.new_page().goto(f"/p/{project.slug}")
    page.evaluate(UNFOLD)
    page.locator("main form button.primary").first.click()
    expect(page.get_by_text("This page was open for too long")).to_have_count(0)


def test_of_two_tabs_the_newest_works_and_the_other_offers_no_undo(
    screen: Screen, project: Project, ada: User
) -> None:
    first = screen.page
    screen.press("1")
    wait_for_answers(ada, 1)  # "All saved" may still be of before
    second = Screen(first.context.new_page(), project).open()
    expect(first.locator("#card-title")).to_have_text("Open in another tab")
    first.keyboard.press("z")
    expect(first.locator("#toast")).to_have_text("Open in another tab")
    first.keyboard.press("1")
    assert len(answers_of(ada)) == 1
    second.press("2")
    assert len(wait_for_answers(ada, 2)) == 2

    first.click("#card-here")  # and the other way round
    screen.wait_for_photo()
    expect(second.page.locator("#card-title")).to_have_text("Open in another tab")
    assert screen.shown not in {str(row.slot.pk) for row in answers_of(ada)}
    screen.press("1")
    assert len(wait_for_answers(ada, 3)) == 3
    first.close()  # whoever comes back to the one that is left goes on in it
    second.page.bring_to_front()
    second.wait_for_photo()
    expect(second.page.locator("#card")).to_be_hidden()
