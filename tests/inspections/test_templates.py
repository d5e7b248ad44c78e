"""Templates of protocols: each makes its projects and itself at once, protocols go out and come back, shots are edited."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from labeling.catalog.models import Project
from labeling.inspections import rules as ruling
from labeling.inspections.models import Protocol, ProtocolVersion
from labeling.inspections.protocol_templates.creating import create_from_template
from labeling.inspections.protocol_templates.known import PROTOCOLS
from labeling.inspections.protocol_templates.of_protocol import template_of_protocol
from labeling.inspections.protocol_templates.template import read
from labeling.inspections.protocols import described
from labeling.inspections.services import publish_version
from labeling.overview.trail.topics import TOPICS
from labeling.people.models import AccountEvent, User
from labeling.refusals import Refused
from tests.factories import make_member, make_project, make_user

pytestmark = pytest.mark.django_db
WASH = "car-wash-certification"


@pytest.fixture
def admin() -> User:
    return make_user(is_superuser=True)


@pytest.fixture
def client(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def wash(admin: User) -> Protocol:
    template = PROTOCOLS.called(WASH)
    assert template is not None
    return create_from_template(template=template, by=admin, slug="wash")


def test_each_is_read_and_then_created_whole_in_either_language(client: Client) -> None:
    for template in PROTOCOLS.shipped():
        for language in ("en", "ko"):
            headers = {"accept-language": language}
            page = client.get(reverse("protocol-new"), {"template": template.key}, headers=headers)
            form = page.context["form"]
            sent = {name: form[name].value() for name in form.fields}
            answer = client.post(reverse("protocol-new"), sent, headers=headers)
            assert answer.status_code == 302, answer.context["form"].errors
            with translation.override(language):
                said = template.__class__(template.content).said
            version = Protocol.objects.get(slug=sent["slug"]).current
            made = described(version)
            assert [shot["name"] for shot in made["shots"]] == [shot["name"] for shot in said["shots"]]
            assert version.passed_name == said["passed_name"]
            asked = {slug for shot in made["shots"] for slug in shot["checks"]}
            assert len(asked) == len(said.get("checks", []))
            assert all(slug.startswith(sent["slug"]) for slug in asked)


def test_the_wash_passes_by_one_proof_and_is_held_without_any(admin: User) -> None:
    said = described(wash(admin).current)
    check = said["shots"][0]["checks"][0]
    rules = ruling.read(said["rules"], {check: [shot["key"] for shot in said["shots"]]})

    def outcome(**answers: str | None) -> str:
        return ruling.judge(
            rules, said["otherwise"], {(shot, check): answer for shot, answer in answers.items()}
        ).outcome

    plain = dict.fromkeys(("front", "rear", "left", "right", "interior"), "plain")
    assert outcome(**plain) == "held"
    assert outcome(**plain | {"left": "foam"}) == "passed"
    assert outcome(front="plain", interior="tunnel") == "passed"
    assert outcome(front="plain", interior="foam") == "held"
    assert outcome(front=None, rear="foam") == "passed"


def test_what_cannot_be_created_whole_leaves_nothing(admin: User, client: Client) -> None:
    wash(admin)
    projects = Project.objects.count()
    answer = client.post(reverse("protocol-new"), {"template": WASH, "slug": "wash", "name": "Again"})
    assert answer.status_code == 422 and "slug" in answer.context["form"].errors
    assert Protocol.objects.count() == 1 and Project.objects.count() == projects


def test_a_protocol_goes_out_with_its_projects_and_comes_back(admin: User, client: Client) -> None:
    before = wash(admin)
    file = client.get(reverse("protocol-template", args=["wash"]) + "?file").content
    Project.objects.filter(slug__startswith="wash").update(archived_at="2026-01-01T00:00Z")
    answer = client.post(reverse("protocol-templates"), {"file": SimpleUploadedFile("wash.toml", file)})
    assert answer.status_code == 302, answer.content
    template = PROTOCOLS.called("wash")
    assert template is not None and template.is_own
    after = create_from_template(template=template, by=admin, slug="again")
    old, new = described(before.current), described(after.current)
    (check,) = new["shots"][0]["checks"]
    assert check == "again-wash-car-wash"
    assert repr(new) == repr(old).replace("wash-car-wash", check)
    assert template_of_protocol(after).content["rules"][0]["when"][0]["project"] == check
    assert client.post(reverse("protocol-template-remove", args=["wash"])).status_code == 302
    assert PROTOCOLS.called("wash") is None


LEAST: dict[str, Any] = {
    "kind": "protocol",
    "key": "look",
    "name": "Look",
    "checks": [{"template": "dirt"}],
    "shots": [{"key": "front", "name": "Front", "checks": ["dirt"]}],
    "rules": [
        {"outcome": "passed", "when": [{"project": "dirt", "shots": [], "of": "every", "is": ["clean"]}]}
    ],
}
SHOT = LEAST["shots"][0]
LEAST_PROJECT = {
    "kind": "project",
    "key": "dirt",
    "name": "Dirt",
    "question": "Clean?",
    "classes": [{"key": "clean", "name": "Clean"}, {"key": "dirty", "name": "Dirty"}],
}


def ruled(**changes: Any) -> dict[str, Any]:
    return LEAST | {"rules": [{"outcome": "passed", "when": [LEAST["rules"][0]["when"][0] | changes]}]}


@pytest.mark.parametrize(
    ("content", "places"),
    [
        ({}, {"kind", "key", "name", "shots"}),
        (LEAST | {"checks": [{"template": "dirtt"}]}, {"checks[1].template"}),
        (LEAST | {"checks": [{"project": LEAST_PROJECT | {"name": 5}}]}, {"checks[1].project.name"}),
        (LEAST | {"checks": [{"template": "dirt"}] * 2}, {"checks"}),
        (LEAST | {"otherwise": "passed"}, {"otherwise"}),
        (LEAST | {"shots": [SHOT | {"max_tilt": float("inf"), "advice": 2}]}, {"shots[1].max_tilt", "shots[1].advice"}),
        (LEAST | {"shots": [SHOT | {"checks": ["wash"]}], "rules": []}, {"shots[1].checks"}),
        (LEAST | {"shots": [SHOT | {"min_brightness": 9, "max_brightness": 8}]}, {"shots[1].min_brightness"}),
        (LEAST | {"shots": [SHOT, SHOT]}, {"shots"}),
        (ruled(project="wash"), {"rules[1].when[1].project"}),
        (ruled(**{"is": ["shiny"]}), {"rules[1].when[1].is"}),
        (LEAST | {"rules": "none"}, {"rules"}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_its_place(content: dict[str, Any], places: set[str]) -> None:
    with pytest.raises(Refused) as caught:
        read(content)
    assert (caught.value.status, set(caught.value.fields)) == (422, places)


def shots_as_shown(client: Client, slug: str) -> dict[str, Any]:
    """What the page of the shots would send as it stands."""
    page = client.get(reverse("protocol-shots", args=[slug]))
    form, rows = page.context["form"], page.context["rows"]
    sent = {f"shots-{name}": rows.management_form[name].value() for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    for part in (form, *rows.forms):
        for name in part.fields:
            value = part[name].value()
            if value not in (None, False):
                sent[part.add_prefix(name)] = value
    return sent


def test_shots_are_edited_and_published_as_a_version(admin: User, client: Client) -> None:
    wash(admin)
    page = reverse("protocol-shots", args=["wash"])
    sent = shots_as_shown(client, "wash")
    assert client.post(page, sent).status_code == 422, "a version says why"
    sent |= {
        "note": "Mirrors too",
        "shots-0-min_side": "1080",
        "shots-1-DELETE": "on",
        "shots-2-ORDER": "1",
        "shots-0-ORDER": "2",
        "shots-5-name": "거울",
        "shots-5-checks": ["wash-car-wash"],
    }
    answer = client.post(page, sent)
    assert answer.status_code == 422, "a rule names the shot that is taken out"
    assert "rules" not in answer.context["form"].fields and answer.context["form"].non_field_errors()
    sent["shots-1-DELETE"] = ""
    assert client.post(page, sent).status_code == 302
    version = ProtocolVersion.objects.get(number=2)
    shots = list(version.shots.all())
    assert [shot.name for shot in shots] == ["Left side", "Front", "Rear", "Right side", "Interior", "거울"]
    assert shots[1].min_side == 1080 and shots[-1].key == "shot-1"
    assert version.rules == ProtocolVersion.objects.get(number=1).rules


def test_who_publishes_second_reads_what_the_other_changed_and_then_means_it(
    admin: User, client: Client
) -> None:
    protocol, page = wash(admin), reverse("protocol-shots", args=["wash"])
    sent = shots_as_shown(client, "wash") | {"note": "Mine", "shots-0-name": "Nose"}
    said = described(protocol.current)
    theirs = [said["shots"][0] | {"min_side": 1080}, *said["shots"][1:], {"key": "roof", "name": "Roof"}]
    publish_version(protocol=protocol, by=admin, note="Theirs", shots=theirs)
    refused = client.post(page, sent)
    assert refused.status_code == 422 and protocol.versions.count() == 2
    number, changed = refused.context["moved"]
    assert (number, len(changed)) == (2, 2)
    assert "New shot: Roof" in changed and any("Shorter side" in each for each in changed)
    assert refused.context["rows"].forms[0]["name"].value() == "Nose", "what was typed stays"
    again = sent | {"expected": refused.context["form"]["expected"].value()}
    assert client.post(page, again).status_code == 302
    assert described(protocol.current)["shots"][0]["name"] == "Nose"
    with pytest.raises(Refused) as late:
        publish_version(protocol=protocol, by=admin, note="Late", expected=2, otherwise="failed")
    assert (late.value.code, late.value.status) == ("version_moved", 409)


def test_a_project_that_was_put_away_stays_asked_until_it_is_unticked(admin: User, client: Client) -> None:
    protocol, page = wash(admin), reverse("protocol-shots", args=["wash"])
    Project.objects.filter(slug="wash-car-wash").update(archived_at=timezone.now())
    sent = shots_as_shown(client, "wash") | {"note": "Nothing but a note"}
    before = described(protocol.current)["shots"]
    assert client.post(page, sent).status_code == 302
    assert described(protocol.current)["shots"] == before
    make_project(slug="away")
    Project.objects.filter(slug="away").update(archived_at=timezone.now())
    with pytest.raises(Refused):
        shots = [{**before[0], "checks": ["away"]}]
        publish_version(protocol=protocol, by=admin, note="Anew", shots=shots, rules=[])


def test_only_who_may_sees_and_edits(admin: User) -> None:
    wash(admin)
    project = Project.objects.get(slug="wash-car-wash")
    other = make_project(slug="other")
    for role, status in (("reviewer", 403), ("admin", 200)):
        member = make_member(project, role)
        mine = Client()
        mine.force_login(member)
        assert mine.get(reverse("protocol-shots", args=["wash"])).status_code == status
        assert mine.get(reverse("protocol-new")).status_code == 403
    stranger = Client()
    stranger.force_login(other.created_by)
    assert stranger.get(reverse("protocol-shots", args=["wash"])).status_code == 404


def test_a_check_asks_a_project_that_is_there_and_has_the_classes(admin: User, client: Client) -> None:
    template = PROTOCOLS.called(WASH)
    assert template is not None
    (check,) = template.projects
    needed = sorted(template.classes_needed(check))
    make_project(slug="washed", classes=(*needed, "other"))
    make_project(slug="cats", classes=("cat", "dog"))
    page = reverse("protocol-new")
    form = client.get(page, {"template": WASH}).context["form"]
    assert [slug for slug, _name in form.fields[f"asks.{check}"].choices] == ["", "washed"]
    sent = {"template": WASH, "name": "Wash", "slug": "wash", f"asks.{check}": "washed"}
    before = Project.objects.count()
    assert client.post(page, sent).status_code == 302
    said = described(Protocol.objects.get(slug="wash").current)
    assert {slug for shot in said["shots"] for slug in shot["checks"]} == {"washed"}
    assert Project.objects.count() == before
    for asks, told in (({check: "cats"}, ", ".join(needed)), ({"paint": "washed"}, check)):
        with pytest.raises(Refused, match=told):
            create_from_template(template=template, by=admin, slug="other", asks=asks)


def test_who_keeps_and_removes_a_template_stands_in_the_audit_trail(admin: User) -> None:
    kept = PROTOCOLS.keep(read(LEAST | {"key": "ours"}), by=admin)
    PROTOCOLS.remove(kept.key, by=admin)
    found = AccountEvent.objects.filter(kind__startswith="template_").order_by("id")
    assert [(each.kind, each.what, each.by) for each in found] == [
        ("template_kept", "protocol ours", admin),
        ("template_removed", "protocol ours", admin),
    ]
    assert {each.kind for each in found} <= TOPICS["settings"].of_accounts
