"""What a screen reader or a keyboard needs on the pages with most controls, checked by hand-written rules.

The rules follow WCAG 2.2: 1.1.1 (images), 1.3.1 and 2.4.6 (headings), 2.4.3 (order), 2.4.7 (focus visible), 2.4.2 and 3.1.1
(title, language), 3.3.2 and 4.1.2 (names of controls), 4.1.1 (ids that repeat).
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from labeling.catalog.images import add_image, add_items
from labeling.catalog.models import Project
from labeling.truth.services import request_review
from tests.factories import make_member, make_project, photo_bytes

PageFor = Callable[..., Page]

FAULTS = """() => {
  const faults = [];
  const seen = (each) => each.checkVisibility({ visibilityProperty: true }) && !each.closest('[inert]');
  const at = (each) => each.outerHTML.slice(0, 120);
  const given = (each) => {
    const by = (each.getAttribute('aria-labelledby') || '').split(/\\s+/).filter(Boolean)
      .map((id) => document.getElementById(id)?.textContent || '').join(' ');
    const labels = [...(each.labels || [])].map((label) => label.textContent).join(' ');
    return (by || each.getAttribute('aria-label') || labels || '').trim();
  };
  const said = (each) => {
    const inside = [...each.querySelectorAll('img[alt]')].map((image) => image.alt).join(' ');
    return given(each) || `${each.textContent} ${inside}`.trim() || each.title;
  };
  if (!document.documentElement.lang) faults.push('no language');
  if (!document.title.trim()) faults.push('no title');
  for (const each of document.querySelectorAll('input:not([type=hidden]), select, textarea')) {
    if (seen(each) && !given(each)) faults.push(`no label: ${at(each)}`);
  }
  for (const each of document.querySelectorAll('button, a[href], summary, [role=button]')) {
    if (seen(each) && !said(each)) faults.push(`no name: ${at(each)}`);
  }
  for (const each of document.querySelectorAll('img')) {
    if (!each.hasAttribute('alt')) faults.push(`no alt: ${at(each)}`);
    const alone = each.closest('a, button');
    if (seen(each) && alone && !said(alone)) faults.push(`a picture alone in a link says nothing: ${at(alone)}`);
  }
  for (const each of document.querySelectorAll('[tabindex]')) {
    if (each.tabIndex > 0) faults.push(`positive tabindex: ${at(each)}`);
  }
  for (const name of ['aria-labelledby', 'aria-describedby', 'aria-controls']) {
    for (const each of document.querySelectorAll(`[${name}]`)) {
      for (const id of each.getAttribute(name).split(/\\s+/).filter(Boolean)) {
        if (!document.getElementById(id)) faults.push(`${name} leads nowhere: ${at(each)}`);
      }
    }
  }
  const ids = [...document.querySelectorAll('[id]')].map((each) => each.id);
  for (const id of new Set(ids.filter((id, place) => ids.indexOf(id) !== place))) faults.push(`id twice: ${id}`);
  for (const label of document.querySelectorAll('label[for]')) {
    if (!document.getElementById(label.htmlFor)) faults.push(`a label of nothing: ${at(label)}`);
  }
  const headings = [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].filter(seen);
  const levels = headings.map((each) => Number(each.tagName[1]));
  if (levels.filter((level) => level === 1).length !== 1) faults.push(`h1: ${levels}`);
  levels.forEach((level, place) => {
    if (place && level > levels[place - 1] + 1) faults.push(`a level is left out: ${at(headings[place])}`);
  });
  if (document.querySelectorAll('main').length !== 1) faults.push('not one main');
  for (const th of document.querySelectorAll('th')) if (!th.scope) faults.push(`th without scope: ${at(th)}`);
  return faults;
}"""

#: The control in focus: whether an outline, or a changed border or background, shows it; and where it is.
FOCUS = """() => {
  const each = document.activeElement;
  if (!each || each === document.body) return null;
  const style = getComputedStyle(each);
  const box = each.getBoundingClientRect();
  return {
    name: each.outerHTML.slice(0, 100),
    outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    inView: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    place: [...document.querySelectorAll('*')].indexOf(each),
  };
}"""

PAGES = (
    "photos",
    "members",
    "guideline",
    "intake",
    "settings",
    "label",
    "review",
    "labelers",
    "models",
    "jobs",
    "",
)


@pytest.fixture
def project(live_stack: object) -> Project:
    project = make_project()
    make_member(project, "reviewer")
    images = [(add_image(data=photo_bytes(n, size=(160, 120)))[0], f"cell-{n}.png") for n in range(3)]
    items = add_items(project=project, images=images, source="test")
    request_review(project=project, item=items[0], by=project.created_by, note="Look again")
    return project


FAULTY = {
    "<h1>x</h1><main><input></main>": "no label",
    "<h1>x</h1><main><label for=a></label><input id=a></main>": "no label",
    "<h1>x</h1><main><button></button></main>": "no name",
    "<h1>x</h1><main><img src=x></main>": "no alt",
    "<h1>x</h1><main><a href=x><img src=x alt=''></a></main>": "a picture alone",
    "<h1>x</h1><main><p tabindex=3>x</p></main>": "positive tabindex",
    "<h1>x</h1><main><p aria-describedby=no>x</p></main>": "leads nowhere",
    "<h1>x</h1><main><p id=a>x</p><p id=a>x</p></main>": "id twice",
    "<h1>x</h1><main><label for=no>x</label></main>": "a label of nothing",
    "<h2>x</h2><main></main>": "h1:",
    "<h1>x</h1><main><h3>x</h3></main>": "a level is left out",
    "<h1>x</h1>": "not one main",
    "<h1>x</h1><main><table><tr><th>x</th></tr></table></main>": "th without scope",
}


@pytest.mark.parametrize(("body", "fault"), FAULTY.items())
def test_the_rules_find_what_is_wrong(page_for: PageFor, body: str, fault: str) -> None:
    page = page_for(None)
    page.set_content(f"<!doctype html><html lang=en><title>x</title><body>{body}</body></html>")
    found = page.evaluate(FAULTS)
    assert any(each.startswith(fault) or fault in each for each in found), found


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_control_has_a_name_and_every_page_an_order(
    project: Project, page_for: PageFor, language: str
) -> None:
    page = page_for(project.created_by, locale=language)
    faults = {}
    for name in PAGES:
        page.goto(f"/p/{project.slug}/{name}")
        page.wait_for_load_state("networkidle" if name not in {"", "label"} else "load")
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        if found := page.evaluate(FAULTS):
            faults[name] = found
        assert page.evaluate("document.documentElement.lang") == language
    assert faults == {}


@pytest.mark.parametrize("name", ["photos", "members", "guideline", "intake"])
def test_tab_goes_down_the_page_and_the_focus_is_seen(project: Project, page_for: PageFor, name: str) -> None:
    page = page_for(project.created_by)
    page.goto(f"/p/{project.slug}/{name}")
    places = []
    for _step in range(60):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        if focus is None:  # past the last control
            break
        assert focus["outlined"], focus["name"]
        assert focus["inView"], focus["name"]
        places.append(focus["place"])
    assert len(places) > 15
    assert places == sorted(places)


def test_the_first_tab_leads_past_the_navigation(project: Project, page_for: PageFor) -> None:
    page = page_for(project.created_by)
    page.goto(f"/p/{project.slug}/photos")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
