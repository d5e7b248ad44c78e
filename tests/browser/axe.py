"""axe-core on a page: what WCAG 2.2 AA and best practice find wrong, light on a desk and dark on a phone."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

#: All that WCAG 2.2 asks at A and AA, and best practice. "experimental" has rules of both that axe leaves out by itself:
#: that a control's name holds its visible words (2.5.3), that no paragraph stands in for a heading (1.3.1).
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice", "experimental"]

OPTIONS = {
    "runOnly": {"type": "tag", "values": TAGS},
    "rules": {
        # Left out by axe: where an id repeats, a label or a script finds the wrong element.
        "duplicate-id": {"enabled": True},
        # The one exception. It would take the focus from what scrolls, which "scrollable-region-focusable" asks for.
        "focus-order-semantics": {"enabled": False},
    },
    "resultTypes": ["violations"],
    "preload": False,  # it would fetch the style sheets once more, for a rule that is not among these
}

#: Two frames later: what follows a change at once is there.
DRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"

_AXE = Axe().axe_script
#: Only the faults leave the page, not all that was looked at.
_RUN = "async (options) => (await axe.run(options)).violations"


def faults(page: Page) -> list[str]:
    """One line a fault, with the look that it was found in: light on a desk, dark on a phone. The page is left light."""
    size = page.viewport_size
    assert size is not None
    # Evaluated from outside, so the pages' content security policy stays as it is.
    page.evaluate(_AXE)
    found = _run(page, "light")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate(DRAWN)  # or a colour of the light look is met on a dark ground
    found += _run(page, "dark, 390 px")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(size)
    return found


def _run(page: Page, look: str) -> list[str]:
    return [
        f"{look}: {rule['id']} ({rule['impact']}): {node['html'][:160]}: "
        + "; ".join(check["message"] for check in node["any"] + node["all"] + node["none"])
        for rule in page.evaluate(_RUN, OPTIONS)
        for node in rule["nodes"]
    ]
