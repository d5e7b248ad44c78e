"""Whatever is wrong with a request, the answer is a 4xx in one envelope that says what to do, and nothing changed."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from labeling.catalog.models import Guideline, Project
from labeling.refusals import Refused
from labeling.truth.models import Annotation
from tests.gateway.conftest import World


def _post(client: Client, address: str, body: Any, **headers: Any) -> Any:
    return client.post(address, body, content_type="application/json", headers=headers)


def _error(response: Any) -> dict[str, Any]:
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) <= {"code", "message", "fields"}
    assert body["error"]["message"]
    return dict(body["error"])


def _answer(world: World, **changes: Any) -> dict[str, Any]:
    fields = {
        "key": str(uuid4()),
        "lease": str(world.lease),
        "kind": "class",
        "class": "functional",
        "view_ms": 700,
    }
    return fields | changes


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"class": "purple"}, 422, "unknown_class"),
        ({"class": ""}, 422, "unknown_class"),
        ({"kind": "maybe"}, 422, "invalid"),
        ({"kind": "hold", "class": ""}, 422, "invalid"),
        ({"kind": "hold", "class": "", "reason": "whatever"}, 422, "invalid"),
        ({"view_ms": -1}, 422, "invalid"),
        ({"view_ms": 2**40}, 422, "invalid"),
        ({"view_ms": "soon"}, 422, "invalid"),
        ({"key": "1"}, 422, "invalid"),
        ({"lease": str(uuid4())}, 409, "lease_expired"),
        ({"shown_at": "yesterday"}, 422, "invalid"),
        ({"shown_at": "0001-01-01T00:00:00+14:00"}, 422, "invalid"),
        ({"comment": "x" * 1001}, 422, "invalid"),
        ({"comment": "nul \0"}, 422, "invalid"),
        ({"checklist": ["\ud800"]}, 422, "invalid"),
        ({"checklist": "all"}, 422, "invalid"),
        ({"score": 1}, 422, "invalid"),
    ],
)
def test_a_bad_answer_is_refused_and_stores_nothing(
    world: World, changes: dict[str, Any], status: int, code: str
) -> None:
    before = Annotation.objects.count()
    response = _post(world.client("labeler"), world.api("/annotations"), _answer(world, **changes))
    assert response.status_code == status, response.content
    assert _error(response)["code"] == code
    assert Annotation.objects.count() == before


def test_the_fields_that_are_wrong_are_named(world: World) -> None:
    error = _error(
        _post(world.client("labeler"), world.api("/annotations"), _answer(world, view_ms=-1, typo=1))
    )
    assert set(error["fields"]) == {"typo"}
    error = _error(
        _post(world.client("labeler"), world.api("/annotations"), _answer(world, view_ms=-1, key=""))
    )
    assert set(error["fields"]) == {"view_ms", "key"}


def test_the_same_answer_again_is_not_stored_again(world: World) -> None:
    client, body = world.client("labeler"), _answer(world)
    first, again = (_post(client, world.api("/annotations"), body) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    other = _post(client, world.api("/annotations"), body | {"key": str(uuid4())})
    assert (other.status_code, _error(other)["code"]) == (409, "already_answered")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "malformed"),
        ("[]", 400, "malformed"),
        ('{"count": NaN}', 400, "malformed"),
        ("[" * 100_000, 400, "malformed"),
        (b"\xff\xfe", 400, "malformed"),
        ('{"count": 0}', 422, "invalid"),
        ('{"count": 1e400}', 422, "invalid"),
        ('{"count": true}', 422, "invalid"),
    ],
)
def test_json_that_is_none_or_no_good_is_refused(world: World, body: Any, status: int, code: str) -> None:
    response = _post(world.client("labeler"), world.api("/claims"), body)
    assert (response.status_code, _error(response)["code"]) == (status, code)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("{", "line 1, column 2"),
        ('{"count": 1\n"x": 2}', "line 2, column 1"),
        ("{'count': 1}", "double quotes"),
        ('{"count": NaN}', "not finite"),
        ("[" * 100_000, "nested too deeply"),
        ('{"count": ' + "9" * 5000 + "}", "cannot be used"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_what_is_wrong_with_json_is_said_in_plain_words(world: World, body: Any, says: str) -> None:
    error = _error(_post(world.client("labeler"), world.api("/claims"), body))
    assert says in error["message"]
    for internal in ("Expecting", "delimiter", "codec", "recursion", "char ", "int_max"):
        assert internal not in error["message"]


@pytest.mark.parametrize(
    ("role", "method", "path", "named", "known"),
    [
        ("admin", "get", "/jobs?limit=5&sort=new", "sort", "cursor, limit"),
        ("reviewer", "get", "/ground-truths?curent=true", "curent", "current, promise, cursor, limit"),
        ("admin", "get", "/export/annotations.csv?since=2026", "since", "promise"),
        ("labeler", "post", "/claims?count=3", "count", "none"),
        ("labeler", "get", "?format=xml", "format", "none"),
    ],
)
def test_an_unknown_query_parameter_is_told_and_not_ignored(
    world: World, role: str, method: str, path: str, named: str, known: str
) -> None:
    sent = {"data": {}, "content_type": "application/json"} if method == "post" else {}
    response = getattr(world.client(role), method)(world.api(path), **sent)
    error = _error(response)
    assert (response.status_code, error["code"]) == (400, "unknown_parameter")
    assert set(error["fields"]) == {named}
    assert known in error["fields"][named][0]


def test_known_query_parameters_and_format_json_pass(world: World) -> None:
    client = world.client("admin")
    for path in ("/items?limit=2&format=json", "/ground-truths?current=true", "?format=json"):
        assert client.get(world.api(path)).status_code == 200
    first = client.get(world.api("/items?limit=2")).json()
    assert client.get(first["next"]).status_code == 200
    half = client.get(world.api("/ground-truths?current=maybe"))
    assert (half.status_code, _error(half)["code"]) == (422, "invalid")


def test_a_stranger_learns_nothing_from_an_unknown_parameter(world: World) -> None:
    assert Client().get(world.api("?nope=1")).status_code == 401


def test_a_body_beyond_the_bound_is_not_read(world: World, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    response = _post(world.client("labeler"), world.api("/claims"), {"count": 1, "x": "y" * 2000})
    assert (response.status_code, _error(response)["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "header",
    ["Token nonsense", "Bearer nonsense", "Token", "Token a b", "Token é", "Token \x00", "token \xff\xfe"],
)
def test_a_bad_token_is_told(world: World, header: str) -> None:
    response = Client().get(world.api(), headers={"Authorization": header})
    assert (response.status_code, _error(response)["code"]) == (401, "bad_token")
    assert response["WWW-Authenticate"] == "Token"


def test_no_token_at_all_says_how_to_sign_in(world: World) -> None:
    response = Client().get(world.api())
    assert (response.status_code, _error(response)["code"]) == (401, "not_signed_in")


def test_a_token_works_until_it_is_forgotten(world: World) -> None:
    anyone = Client()
    wrong = _post(anyone, "/api/v1/login", {"username": "lina", "password": "wrong"})
    assert (wrong.status_code, _error(wrong)["code"]) == (401, "bad_login")
    right = _post(anyone, "/api/v1/login", {"username": "lina", "password": "lina"})
    assert right.status_code == 200
    token = {"Authorization": f"Token {right.json()['token']}"}
    me = anyone.get("/api/v1/me", headers=token).json()
    assert me["projects"] == [{"slug": "cells", "name": world.project.name, "role": "labeler"}]
    assert anyone.post("/api/v1/logout", headers=token).status_code == 204
    assert anyone.get("/api/v1/me", headers=token).status_code == 401


def test_a_closed_account_loses_its_token(world: World) -> None:
    token = _post(Client(), "/api/v1/login", {"username": "lina", "password": "lina"}).json()["token"]
    world.labeler.is_active = False
    world.labeler.save()
    response = Client().get("/api/v1/me", headers={"Authorization": f"Token {token}"})
    assert (response.status_code, _error(response)["code"]) == (401, "bad_token")


@pytest.mark.parametrize(
    ("role", "method", "path", "body", "status", "code"),
    [
        ("admin", "post", "/train", {"seed": -1}, 422, "invalid"),
        ("admin", "post", "/train", {"seed": 0}, 422, "one_class"),
        ("admin", "post", "/bands/open", {}, 422, "invalid"),
        ("admin", "put", "/members/nobody", {"role": "labeler"}, 404, "not_found"),
        ("admin", "put", "/members/no%00body", {"role": "labeler"}, 404, "not_found"),
        ("admin", "put", "/members/lina", {"role": "king"}, 422, "invalid"),
        ("admin", "delete", "/members/olga", None, 404, "not_found"),
        ("admin", "post", "/labelers/lina/resume", {}, 409, "not_paused"),
        ("admin", "get", "/models/99999999999999999999", None, 404, "not_found"),
        ("admin", "get", "/scores?cursor=abc", None, 422, "invalid"),
        ("admin", "get", "/scores?cursor=9223372036854775808", None, 422, "invalid"),
        ("admin", "get", "/jobs?cursor=999999999999999999-" + "f" * 32, None, 422, "invalid"),
        ("admin", "get", "/scores?limit=1001", None, 422, "invalid"),
        ("admin", "get", "/scores?limit=%EF%BC%91", None, 422, "invalid"),
        ("admin", "post", "/gold", {"sha256": "x", "class": "functional"}, 422, "invalid"),
        ("admin", "post", "/gold", {"sha256": "0" * 64, "class": "functional"}, 404, "not_found"),
        ("admin", "post", "/items/no%00pe/review", {}, 404, "not_found"),
        ("admin", "get", "/export/everything.csv", None, 404, "not_found"),
        ("admin", "get", "/export/annotations.xml", None, 404, "not_found"),
        ("admin", "patch", "", {"gold_rate": "nan"}, 422, "invalid"),
        ("admin", "patch", "", {"gold_rate": 10**400}, 422, "invalid"),
        ("admin", "patch", "", {"lease_seconds": 10**400}, 422, "invalid"),
        ("admin", "patch", "", {"gold_rate": 0.95, "audit_rate": 0.2}, 422, "invalid"),
        ("admin", "patch", "", {"rule": "k_of_n", "agreement_k": 5}, 422, "invalid"),
        ("admin", "patch", "", {"slug": "other"}, 422, "invalid"),
        ("admin", "patch", "", {"strategy": "luck"}, 422, "invalid"),
        ("admin", "post", "/intake", {}, 422, "invalid"),
        ("admin", "post", "/intake", {"folder": "/etc"}, 422, "folder_not_open"),
        ("admin", "post", "/intake", {"folder": "a", "zip": "b"}, 422, "invalid"),
        ("admin", "get", "/claims", None, 405, "method_not_allowed"),
        ("reviewer", "post", "/guidelines", {"note": "x"}, 422, "invalid"),
        ("reviewer", "post", "/guidelines", {"note": "x", "retire": ["functional"]}, 403, "forbidden"),
        (
            "reviewer",
            "post",
            "/guidelines",
            {"note": "x", "criteria": {"purple": "y"}, "wording_only": True},
            422,
            "unknown_class",
        ),
        (
            "reviewer",
            "post",
            "/disputes/00000000-0000-4000-8000-000000000000/ruling",
            {"outcome": "hold"},
            404,
            "not_found",
        ),
        ("reviewer", "get", "/disputes/00000000-0000-4000-8000-000000000000", None, 404, "not_found"),
        ("labeler", "post", "/annotations/00000000-0000-4000-8000-000000000000/undo", None, 404, "not_found"),
        ("labeler", "get", f"/photos/{'0' * 64}/thumb.webp", None, 404, "not_found"),
        ("labeler", "get", "/nothing/here", None, 404, "not_found"),
    ],
)
def test_bad_requests_say_what_to_do(
    world: World, role: str, method: str, path: str, body: Any, status: int, code: str
) -> None:
    sent = {"data": body, "content_type": "application/json"} if body is not None else {}
    response = getattr(world.client(role), method)(world.api(path), **sent)
    assert response.status_code == status, response.content
    assert _error(response)["code"] == code


def test_a_body_in_another_language_is_told(world: World) -> None:
    response = world.client("labeler").post(world.api("/claims"), "<count>1</count>", content_type="text/xml")
    assert (response.status_code, _error(response)["code"]) == (415, "unsupported_media_type")


def test_an_accept_header_never_makes_a_request_fail(world: World) -> None:
    response = world.client("labeler").get(world.api(), headers={"Accept": "text/csv"})
    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v2/x", "/api/v1/projects/no such/x"])
def test_an_address_that_is_none_of_ours_answers_in_json(db: None, path: str) -> None:
    response = Client().get(path)
    assert (response.status_code, _error(response)["code"]) == (404, "not_found")


def test_a_program_gets_the_photo_with_its_token(world: World) -> None:
    token = _post(Client(), "/api/v1/login", {"username": "lina", "password": "lina"}).json()["token"]
    sha256 = world.photo.image.sha256
    headers = {"Authorization": f"Token {token}"}
    photo = Client().get(world.api(f"/photos/{sha256}/screen.webp"), headers=headers)
    assert (photo.status_code, photo["Content-Type"]) == (200, "image/webp")
    assert photo.content[8:12] == b"WEBP"
    other = Client().get(world.api(f"/photos/{sha256}/huge.webp"), headers=headers)
    assert (other.status_code, _error(other)["code"]) == (404, "not_found")


def test_a_bug_answers_in_json_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_options: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("labeling.gateway.api.labeling.queue.claim_under", broken)
    client = world.client("labeler", raise_request_exception=False)
    response = _post(client, world.api("/claims"), {})
    assert (response.status_code, _error(response)["code"]) == (500, "server_error")
    assert "a bug" not in response.content.decode()


def test_a_page_that_breaks_or_refuses_says_so_without_the_page(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.client("labeler", raise_request_exception=False)
    monkeypatch.setattr("labeling.overview.home.project_cards", _broken)
    broken = client.get("/")
    assert broken.status_code == 500
    assert "a bug" not in broken.content.decode()
    monkeypatch.setattr("labeling.overview.home.project_cards", _refusing)
    refused = client.get("/", headers={"Referer": "http://testserver/new"})
    assert refused.status_code == 409
    assert "Take the &lt;next&gt; one." in refused.content.decode()
    assert 'href="http://testserver/new"' in refused.content.decode()
    foreign = client.get("/", headers={"Referer": "https://elsewhere.example/x"})
    assert "elsewhere" not in foreign.content.decode()
    fragment = client.get("/", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment["HX-Retarget"]) == (409, "#messages")
    assert "<html" not in fragment.content.decode()


def _broken(_user: Any) -> None:
    raise RuntimeError("a bug")


def _refusing(_user: Any) -> None:
    raise Refused("gone", "Take the <next> one.")


@pytest.mark.parametrize(
    ("role", "path", "status"), [("labeler", "/nowhere", 404), ("labeler", "/p/cells/jobs", 403)]
)
def test_a_page_that_is_not_theirs_says_so_in_words(world: World, role: str, path: str, status: int) -> None:
    response = world.client(role).get(path)
    assert response.status_code == status
    assert 'role="alert"' in response.content.decode()


def test_two_projects_cannot_share_an_address(world: World) -> None:
    body = {
        "slug": "cells",
        "name": "Again",
        "question": "Which?",
        "classes": [{"key": "a", "name": "A"}, {"key": "b", "name": "B"}],
    }
    client = world.client("superuser")
    response = _post(client, "/api/v1/projects", body)
    assert (response.status_code, _error(response)["code"]) == (422, "invalid")
    made = _post(client, "/api/v1/projects", body | {"slug": "other", "min_view_ms": 5})
    assert made.status_code == 201
    assert made.json()["classes"] == ["a", "b"]
    assert Project.objects.get(slug="other").min_view_ms == 5


def test_an_amended_guideline_is_a_new_version(world: World) -> None:
    body = {"note": "clearer", "criteria": {"functional": "No crack."}, "expected": 1, "wording_only": True}
    made = _post(world.client("reviewer"), world.api("/guidelines"), body)
    assert made.status_code == 201, made.content
    assert made.json()["number"] == 2
    late = _post(world.client("reviewer"), world.api("/guidelines"), body | {"criteria": {"functional": "x"}})
    assert (late.status_code, _error(late)["code"]) == (409, "guideline_moved")
    assert Guideline.objects.filter(project=world.project).count() == 2


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/frontier", {"audit_share": True}, "audit_share"),
        ("/frontier", {"reason": 5}, "reason"),
        ("", {"name": 12}, "name"),
        ("", {"gold_rate": False}, "gold_rate"),
        ("", {"answers_per_image": True}, "answers_per_image"),
        ("", {"question": True}, "question"),
    ],
)
def test_a_value_of_another_type_is_refused_not_converted(
    world: World, path: str, body: dict[str, Any], field: str
) -> None:
    before = Project.objects.values().get(pk=world.project.pk)
    answer = world.client("admin").patch(world.api(path), body, content_type="application/json")
    assert answer.status_code == 422 and field in _error(answer)["fields"]
    assert Project.objects.values().get(pk=world.project.pk) == before


def test_texts_in_lists_and_keys_are_texts(world: World) -> None:
    client = world.client("labeler")
    for changes in ({"checklist": ["fine", 7]}, {"key": 7}, {"class": 7}):
        answer = _post(client, world.api("/annotations"), _answer(world, **changes))
        assert answer.status_code == 422 and set(_error(answer)["fields"]) == set(changes)
    assert _post(client, world.api("/annotations"), _answer(world)).status_code == 201
