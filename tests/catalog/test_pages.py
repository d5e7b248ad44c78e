"""The catalog's pages: who may open them, what their forms do without a script, and what they say when refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labeling.catalog import services
from labeling.catalog.models import Item, Membership, Project
from labeling.catalog.selectors import active_definitions, class_resolution, current_guideline
from labeling.jobs.models import Job
from labeling.people.models import User
from tests.catalog.conftest import upload, zip_of
from tests.factories import make_items, make_member, make_project, make_user, photo_bytes

pytestmark = pytest.mark.django_db
PAGES = ("photos", "intake", "guideline", "members", "project-settings")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def html(response: Any) -> str:
    text: str = response.content.decode()
    return text


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("admin", set(PAGES)),
        ("reviewer", {"photos", "guideline"}),
        ("labeler", {"guideline"}),
        (None, set()),
    ],
)
def test_pages_open_to_the_roles_that_need_them(role: str | None, allowed: set[str]) -> None:
    project = make_project()
    client = signed_in(make_member(project, role) if role else make_user())
    statuses = {page: client.get(reverse(page, args=[project.slug])).status_code for page in PAGES}
    denied = 404 if role is None else 403
    assert statuses == {page: 200 if page in allowed else denied for page in PAGES}


@pytest.mark.parametrize("page", PAGES)
def test_the_signed_out_are_sent_to_sign_in(page: str) -> None:
    response = Client().get(reverse(page, args=[make_project().slug]))
    assert response.status_code == 302 and response["Location"].startswith("/login")


@pytest.mark.parametrize("page", PAGES)
def test_no_page_carries_inline_scripts_or_styles(page: str) -> None:
    project = make_project()
    text = html(signed_in(project.created_by).get(reverse(page, args=[project.slug])))
    assert " style=" not in text and "<script>" not in text and " onclick=" not in text


# ---- founding


def new_project(**given: str) -> dict[str, str]:
    fields = {
        "name": "Car washes", "question": "Was it washed?", "slug": "", "description": "",
        "classes-TOTAL_FORMS": "4", "classes-INITIAL_FORMS": "0",
        "classes-0-name": "Passed", "classes-0-criteria": "Foam outside.", "classes-0-checklist": "foam\nwheels",
        "classes-1-name": "Held",
    }  # fmt: skip
    return fields | given


def test_a_superuser_founds_a_project_and_is_led_to_the_intake() -> None:
    client = signed_in(make_user(is_superuser=True))
    assert client.get(reverse("project-new")).status_code == 200
    response = client.post(reverse("project-new"), new_project())
    assert response.status_code == 302 and response["Location"] == "/p/car-washes/intake"
    first, _second = active_definitions(Project.objects.get())
    assert (first.name, first.criteria, first.checklist) == ("Passed", "Foam outside.", ["foam", "wheels"])


@pytest.mark.parametrize(
    "given",
    [
        {"name": ""},
        {"classes-1-name": ""},
        {"slug": "no slug"},
        {"name": "세차"},
        {"classes-2-criteria": "no name"},
    ],
)
def test_a_form_that_cannot_be_comes_back_with_what_was_typed(given: dict[str, str]) -> None:
    response = signed_in(make_user(is_superuser=True)).post(reverse("project-new"), new_project(**given))
    assert response.status_code == 422 and not Project.objects.exists()
    assert "Foam outside." in html(response) and (
        "errorlist" in html(response) or "notice error" in html(response)
    )


def test_rows_of_classes_are_added_without_losing_what_was_typed_and_without_a_script() -> None:
    client = signed_in(make_user(is_superuser=True))
    given = new_project(**{"more-rows": "yes", "pasted": "Third", "classes-0-group": "Good"})
    response = client.post(reverse("project-new"), given)
    assert response.status_code == 200 and not Project.objects.exists()
    text = html(response)
    assert "errorlist" not in text and "Car washes" in text and "Foam outside." in text and "Third" in text
    assert response.context["classes"].rows.total_form_count() > 4


def test_a_pasted_list_makes_many_classes_behind_the_rows() -> None:
    client = signed_in(make_user(is_superuser=True))
    lines = "\n".join([*(f"Glass / Chip {n}" for n in range(400)), "and/or", ""])
    response = client.post(reverse("project-new"), new_project(pasted=lines, **{"classes-0-group": "Body"}))
    assert response.status_code == 302, html(response)
    made = active_definitions(Project.objects.get())
    assert [(each.group, each.name) for each in (*made[:3], made[-1])] == [
        ("Body", "Passed"),
        ("", "Held"),
        ("Glass", "Chip 0"),
        ("", "and/or"),
    ]
    assert len(made) == 403


@pytest.mark.parametrize(
    "pasted", ["x" * 81, "g" * 61 + " / name", "\n".join(map(str, range(501))), "Passed"]
)
def test_a_list_that_cannot_be_is_explained(pasted: str) -> None:
    response = signed_in(make_user(is_superuser=True)).post(
        reverse("project-new"), new_project(pasted=pasted)
    )
    assert response.status_code == 422 and not Project.objects.exists()
    assert pasted[:60] in html(response)


def test_others_cannot_found_projects() -> None:
    client = signed_in(make_project().created_by)
    assert client.get(reverse("project-new")).status_code == 403
    assert client.post(reverse("project-new"), new_project()).status_code == 403
    assert Project.objects.count() == 1


# ---- settings


def settings_of(project: Project, **changes: Any) -> dict[str, Any]:
    response = signed_in(project.created_by).get(reverse("project-settings", args=[project.slug]))
    form = response.context["form"]
    fields = {name: form[name].value() for name in form.fields}
    sent = {name: value for name, value in (fields | changes).items() if value is not False}
    return {name: "" if value is None else value for name, value in sent.items()}


def test_settings_are_saved_and_what_was_not_touched_stays() -> None:
    project = make_project()
    before = Project.objects.values().get()
    response = signed_in(project.created_by).post(
        reverse("project-settings", args=[project.slug]),
        settings_of(project, bands=8, checklist_required="on"),
    )
    assert response.status_code == 302
    assert Project.objects.values().get() == before | {"bands": 8, "checklist_required": True}


@pytest.mark.parametrize(
    "changes", [{"gold_rate": 0.7, "audit_rate": 0.7}, {"bands": 1}, {"rule": "k_of_n", "agreement_k": 9}]
)
def test_settings_that_cannot_be_are_explained_and_not_saved(changes: dict[str, Any]) -> None:
    project = make_project()
    before = Project.objects.values().get()
    response = signed_in(project.created_by).post(
        reverse("project-settings", args=[project.slug]), settings_of(project, **changes)
    )
    assert response.status_code == 422 and "errorlist" in html(response)
    assert Project.objects.values().get() == before


def test_a_project_is_put_away_only_when_its_address_was_typed_and_an_admin_brings_it_back() -> None:
    project = make_project()
    labeler = make_member(project, "labeler")
    client = signed_in(project.created_by)
    url = reverse("project-settings", args=[project.slug])
    assert client.post(url, {"action": "archive", "confirm": "something"}).status_code == 422
    assert client.post(url, {"action": "archive", "confirm": project.slug}).status_code == 302
    assert "Bring back" not in html(signed_in(labeler).get(reverse("home")))
    assert "Bring back" in html(client.get(reverse("home")))
    back = reverse("project-restore", args=[project.slug])
    assert signed_in(labeler).post(back).status_code == 403
    assert client.get(url).status_code == 404
    assert client.post(back).status_code == 302
    assert client.get(url).status_code == 200
    assert "is not archived" in html(client.post(back, follow=True))


# ---- members


def test_members_are_added_changed_and_removed() -> None:
    project, person = make_project(), make_user("mina")
    client = signed_in(project.created_by)
    url = reverse("members", args=[project.slug])
    client.post(url, {"action": "add", "username": "mina", "role": "labeler"})
    assert Membership.objects.get(user=person).role == "labeler"
    client.post(url, {"action": "role", "username": "mina", "role": "reviewer"})
    assert Membership.objects.get(user=person).role == "reviewer"
    client.post(url, {"action": "remove", "username": "mina"})
    assert not Membership.objects.filter(user=person).exists()


def test_adding_somebody_without_an_account_says_so() -> None:
    project = make_project()
    response = signed_in(project.created_by).post(
        reverse("members", args=[project.slug]), {"action": "add", "username": "nobody", "role": "labeler"}
    )
    assert response.status_code == 422 and "no account with this name" in html(response)


def test_the_last_admin_who_removes_themself_is_told_why_not() -> None:
    project = make_project()
    response = signed_in(project.created_by).post(
        reverse("members", args=[project.slug]),
        {"action": "remove", "username": project.created_by.username},
        follow=True,
    )
    assert "last admin" in str(next(iter(response.context["messages"])))


def test_a_superuser_invites_a_member_and_an_admin_cannot() -> None:
    project = make_project()
    url = reverse("members", args=[project.slug])
    given = {
        "action": "create", "account-username": "joon", "account-full_name": "Joon Park",
        "account-role": "labeler",
    }  # fmt: skip
    assert signed_in(project.created_by).post(url, given).status_code == 422
    assert not User.objects.filter(username="joon").exists()
    made = signed_in(make_user(is_superuser=True)).post(url, given)
    assert made.status_code == 201 and "/link/" in made.context["link"]
    assert Membership.objects.get(user__username="joon").role == "labeler"


# ---- guideline


def guideline_form(project: Project, **changes: Any) -> dict[str, Any]:
    client = signed_in(project.created_by)
    form = client.get(reverse("guideline-edit", args=[project.slug])).context["form"]
    fields: dict[str, Any] = {"expected": form["expected"].value()}
    for part in (*form.classes, form.new_class):
        values = {part[name].html_name: part[name].value() for name in part.fields}
        fields |= {name: value for name, value in values.items() if value}
    return fields | {"note": "Clearer", "meaning": "changed", **changes}


def test_one_submit_renames_adds_merges_and_amends_as_one_version() -> None:
    project = make_project(classes=("a", "b", "c"))
    item, other = make_items(project, 2)
    response = signed_in(project.created_by).post(
        reverse("guideline-edit", args=[project.slug]),
        guideline_form(
            project,
            **{
                "class-a-name": "Alpha", "class-a-criteria": "One\r\nTwo", "class-a-checklist": "x\r\n\r\ny",
                "class-a-more": f"{item.name}\r\n{other.image.sha256}", "class-a-place": "9",
                "class-b-fate": "merge:c", "new-name": "New one",
            },
        ),
    )  # fmt: skip
    assert response.status_code == 302, html(response)
    assert current_guideline(project).number == 2 and current_guideline(project).note == "Clearer"
    c, alpha, new = active_definitions(project)
    assert (c.label_class.key, alpha.label_class.key, new.name) == ("c", "a", "New one")
    assert (alpha.name, alpha.criteria, alpha.checklist) == ("Alpha", "One\nTwo", ["x", "y"])
    assert [e.image for e in alpha.exemplars.all()] == [item.image, other.image]
    assert class_resolution(project)[project.label_classes.get(key="b").pk] == c.label_class_id


def test_an_exemplar_that_is_unticked_goes() -> None:
    project = make_project(classes=("a", "b"))
    one, two = make_items(project, 2)
    services.amend_guideline(
        project=project,
        by=project.created_by,
        note="n",
        exemplars={"a": [one.image.sha256, two.image.sha256]},
    )
    form = guideline_form(project, **{"class-a-keep": [two.image.sha256]})
    assert (
        signed_in(project.created_by).post(reverse("guideline-edit", args=[project.slug]), form).status_code
        == 302
    )
    assert [e.image for e in active_definitions(project)[0].exemplars.all()] == [two.image]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"note": "", "class-a-name": "A2"},
        {"class-a-name": ""},
        {"class-a-more": "nowhere.png"},
        {"class-a-fate": "explode"},
        {"class-a-fate": "retire", "class-b-fate": "retire"},
        {"class-a-name": "A2", "expected": "9"},
        {"class-a-name": "A2", "meaning": ""},
        {"new-name": "Dirty", "meaning": "same"},
        {"new-criteria": "of nothing"},
    ],
)
def test_a_guideline_form_that_cannot_be_publishes_nothing_and_keeps_what_was_typed(
    changes: dict[str, str],
) -> None:
    project = make_project(classes=("a", "b"))
    form = guideline_form(project, **{"class-b-checklist": "typed by hand"} if changes else {}) | changes
    response = signed_in(project.created_by).post(reverse("guideline-edit", args=[project.slug]), form)
    assert response.status_code == 422 and current_guideline(project).number == 1
    assert not changes or "typed by hand" in html(response)


def test_members_read_the_guideline_and_only_admins_see_its_form() -> None:
    project = make_project()
    url = reverse("guideline", args=[project.slug])
    reader = signed_in(make_member(project, "labeler"))
    editor = reverse("guideline-edit", args=[project.slug])
    text = html(reader.get(url))
    assert "What makes a photo defective." in text and editor not in text
    assert reader.get(editor).status_code == 403
    assert reader.post(editor, guideline_form(project, **{"class-defective-name": "X"})).status_code == 403
    text = html(signed_in(project.created_by).get(url))
    assert editor in text and "data-guideline" not in text, "the reading page has no fields"


def many_classes() -> Project:
    """Forty, more than are open in the editor at once."""
    project = make_project(classes=tuple(f"part-{n}" for n in range(40)))
    services.amend_guideline(
        project=project,
        by=project.created_by,
        note="Groups",
        group={f"part-{n}": "Glass" if n % 2 else "Body" for n in range(39)},
    )
    return project


def test_many_classes_are_read_by_group_and_found_by_name() -> None:
    project = many_classes()
    client = signed_in(make_member(project, "labeler"))
    url = reverse("guideline", args=[project.slug])
    response = client.get(url)
    assert [(group, len(rows)) for group, rows in response.context["groups"]] == [
        ("Body", 20),
        ("Glass", 19),
        ("", 1),
    ]
    text = html(client.get(url, {"find": "part-39"}))
    assert "What makes a photo part-39." in text and "What makes a photo part-38." not in text
    assert "Part-39" not in html(client.get(url, {"find": "nothing of the kind"}))


def test_of_many_classes_those_that_are_opened_are_sent_and_the_others_stay() -> None:
    project = many_classes()
    client = signed_in(project.created_by)
    url = reverse("guideline-edit", args=[project.slug])
    assert client.get(url).context["form"].classes == []
    assert [part.key for part in client.get(url, {"find": "part-31"}).context["form"].classes] == ["part-31"]
    fragment = reverse("guideline-edit-class", args=[project.slug, "part-31"])
    assert 'name="class-part-31-criteria"' in html(client.get(fragment))
    assert client.get(reverse("guideline-edit-class", args=[project.slug, "nothing"])).status_code == 404
    response = client.post(
        url,
        {
            "expected": "2", "note": "Two of forty", "meaning": "changed",
            "class-part-31-name": "Tail", "class-part-31-group": "Lights", "class-part-31-place": "1",
            "class-part-31-fate": "keep", "class-part-31-criteria": "Red.",
            "class-part-0-name": "Hood", "class-part-0-group": "Body", "class-part-0-place": "5",
            "class-part-0-fate": "keep", "class-part-0-criteria": "What makes a photo part-0.",
            "pasted": "Lights / Left, high\nBlinker",
        },
    )  # fmt: skip
    assert response.status_code == 302, html(response)
    after = active_definitions(project)
    assert [each.label_class.key for each in after[:6]] == [
        "part-31", "part-1", "part-2", "part-3", "part-0", "part-4",
    ]  # fmt: skip
    assert [(each.group, each.name) for each in after[-2:]] == [("Lights", "Left, high"), ("", "Blinker")]
    assert (after[0].name, after[0].group, after[0].criteria) == ("Tail", "Lights", "Red.")
    assert len(after) == 42 and after[5].criteria == "What makes a photo part-4."


def test_text_that_looks_like_markup_is_shown_as_text() -> None:
    project = make_project()
    services.amend_guideline(
        project=project,
        by=project.created_by,
        note="<b>n</b>",
        criteria={"defective": "<script>alert(1)</script>"},
    )
    text = html(signed_in(project.created_by).get(reverse("guideline", args=[project.slug])))
    assert "<script>alert" not in text and "&lt;script&gt;alert" in text and "<b>n</b>" not in text


# ---- photos


def test_photos_are_browsed_page_by_page_and_back() -> None:
    project = make_project()
    items = make_items(project, 130)
    client = signed_in(make_member(project, "reviewer"))
    url = reverse("photos", args=[project.slug])
    seen: list[Item] = []
    query = ""
    pages = []
    while True:
        context = client.get(url + query).context
        pages.append([row["item"] for row in context["photos"]])
        seen += pages[-1]
        if context["older"] is None:
            break
        query = f"?{context['older']}"
    assert seen == items and [len(page) for page in pages] == [60, 60, 10]
    back = client.get(f"{url}?{context['newer']}").context
    assert [row["item"] for row in back["photos"]] == pages[1]
    first = client.get(f"{url}?{back['newer']}").context
    assert [row["item"] for row in first["photos"]] == pages[0] and first["newer"] is None


def test_photos_are_filtered_by_where_they_came_from(do: Callable[[Job], Job]) -> None:
    project = make_project()
    for name, seed in (("monday", 1), ("tuesday", 2)):
        do(
            services.start_intake(
                project=project, by=project.created_by, kind="upload", source=name,
                files=[upload(f"{name}.png", photo_bytes(seed))],
            )[1]
        )  # fmt: skip
    client = signed_in(project.created_by)
    context = client.get(reverse("photos", args=[project.slug]), {"source": "monday"}).context
    assert [row["item"].name for row in context["photos"]] == ["monday.png"]
    assert context["sources"] == ["monday", "tuesday"]


@pytest.mark.parametrize(
    "query", ["?after=x", "?after=-1", "?before=99999999999999999999", "?after=1e9", "?source=nowhere"]
)
def test_odd_cursors_do_no_harm(query: str) -> None:
    project = make_project()
    make_items(project, 2)
    assert (
        signed_in(project.created_by).get(reverse("photos", args=[project.slug]) + query).status_code == 200
    )


def test_ticked_photos_become_exemplars_beside_those_there_are() -> None:
    project = make_project()
    one, two = make_items(project, 2)
    url = reverse("photos", args=[project.slug])
    client = signed_in(project.created_by)
    for item in (one, two):
        given = {"label_class": "defective", "note": "typical", "meaning": "same"}
        given |= {"photo": [item.image.sha256]}
        assert client.post(url, given).status_code == 302
    defective = active_definitions(project)[1]
    assert [e.image for e in defective.exemplars.all()] == [one.image, two.image]
    said = {"label_class": "defective", "note": "x", "meaning": "same"}
    assert client.post(url, said).status_code == 422
    assert client.post(url, said | {"meaning": "", "photo": [one.image.sha256]}).status_code == 422
    given = said | {"photo": ["0" * 64]}
    assert client.post(url, given).status_code == 422
    assert signed_in(make_member(project, "reviewer")).post(url, given).status_code == 403


# ---- intake


def test_photos_and_archives_are_sent_by_one_plain_form(do: Callable[[Job], Job]) -> None:
    project = make_project()
    client = signed_in(project.created_by)
    files = [
        upload("a.png", photo_bytes(1)),
        upload("b.png", photo_bytes(2)),
        upload("more.zip", zip_of({"c.png": photo_bytes(3), "note.txt": b"x"})),
    ]
    response = client.post(reverse("intake", args=[project.slug]), {"photos": files, "source": "march"})
    assert response.status_code == 302
    for job in Job.objects.filter(kind="intake"):
        do(job)
    assert dict(Item.objects.values_list("name", "source")) == {
        "a.png": "march",
        "b.png": "march",
        "c.png": "more.zip",
    }
    page = html(client.get(reverse("intake", args=[project.slug])))
    assert "more.zip" in page and "march" in page
    batch = project.intake_batches.get(kind="zip")
    report = html(client.get(reverse("intake-batch", args=[project.slug, batch.pk])))
    assert "note.txt" in report and "This is not a photo." in report and "not_an_image" in report


def test_a_script_is_answered_with_the_address_of_the_intake_or_with_what_went_wrong() -> None:
    project = make_project()
    client = signed_in(project.created_by)
    url = reverse("intake", args=[project.slug])
    sent = client.post(url, {"photos": [upload("a.png", photo_bytes(1))]}, headers={"X-Hilltop-Upload": "1"})
    batch = project.intake_batches.get()
    assert sent.status_code == 201 and sent.json()["url"] == reverse(
        "intake-batch", args=[project.slug, batch.pk]
    )
    bad = client.post(url, {"photos": [upload("a.zip", b"no zip")]}, headers={"X-Hilltop-Upload": "1"})
    assert bad.status_code == 422 and "zip" in bad.json()["message"]
    none = client.post(url, {}, headers={"X-Hilltop-Upload": "1"})
    assert none.status_code == 422 and none.json()["message"]


def test_a_folder_is_taken_in_and_one_outside_is_refused_on_the_page(tmp_path: Path) -> None:
    project = make_project()
    client = signed_in(project.created_by)
    url = reverse("intake", args=[project.slug])
    (tmp_path / "open" / "line").mkdir()
    response = client.post(url, {"action": "folder", "folder": str(tmp_path / "open" / "line")})
    assert response.status_code == 302 and "/intake/" in response["Location"]
    response = client.post(url, {"action": "folder", "folder": "/etc"})
    assert response.status_code == 422 and "not open for intake" in html(response)
    assert str(tmp_path / "open" / "line") in html(client.get(url))


def test_the_page_of_an_intake_offers_what_can_be_done_now(do: Callable[[Job], Job]) -> None:
    project = make_project()
    client = signed_in(project.created_by)
    batch, job = services.start_intake(
        project=project, by=project.created_by, kind="upload", files=[upload("a.png", photo_bytes(1))]
    )
    url = reverse("intake-batch", args=[project.slug, batch.pk])
    assert 'value="cancel"' in html(client.get(url)) and "data-live-url" in html(client.get(url))
    client.post(url, {"action": "cancel"})
    do(job)
    text = html(client.get(url + "?part=report"))
    assert 'value="resume"' in text and 'value="discard"' in text and "<html" not in text
    client.post(url, {"action": "resume"})
    do(Job.objects.filter(kind="intake", state="queued").get())
    text = html(client.get(url))
    assert 'value="resume"' not in text and "No file was refused." in text
    assert Item.objects.count() == 1
    response = client.post(url, {"action": "resume"}, follow=True)
    assert "nothing to resume" in str(next(iter(response.context["messages"])))


def test_an_intake_of_another_project_is_not_found() -> None:
    project, other = make_project(), make_project()
    batch, _job = services.start_intake(
        project=project, by=project.created_by, kind="upload", files=[upload("a.png", photo_bytes(1))]
    )
    url = reverse("intake-batch", args=[other.slug, batch.pk])
    client = signed_in(other.created_by)
    assert client.get(url).status_code == 404 and client.post(url, {"action": "cancel"}).status_code == 404


@pytest.mark.parametrize("page", ["photos", "intake"])
def test_empty_pages_teach(page: str) -> None:
    project = make_project()
    text = html(signed_in(project.created_by).get(reverse(page, args=[project.slug])))
    assert 'class="empty"' in text


def test_more_classes_at_once_than_the_editor_takes_are_refused_in_words() -> None:
    project = make_project(classes=tuple(f"part-{n}" for n in range(120)))
    client = signed_in(project.created_by)
    sent = {"note": "All anew", "expected": "1"} | {f"class-part-{n}-name": f"Part {n}" for n in range(101)}
    response = client.post(reverse("guideline-edit", args=[project.slug]), sent)
    assert response.status_code == 422
    assert "At most 100 classes are changed in one version." in html(response)
    assert project.guidelines.count() == 1
