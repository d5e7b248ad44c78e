"""Names of files as they come: with folders in a multipart body, in any encoding in a zip."""

from __future__ import annotations

import csv
import io
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.test import Client
from django.test.client import BOUNDARY
from django.urls import reverse

from labeling.catalog import services
from labeling.catalog.models import Activity, IntakeBatch, IntakeFile, Item, Project
from labeling.catalog.name_encodings import reading_of
from labeling.exchange.tables import FORMATS
from labeling.jobs.models import Job
from labeling.refusals import Refused
from tests.catalog.conftest import upload, zip_of
from tests.factories import make_project, photo_bytes

pytestmark = pytest.mark.django_db
Do = Callable[[Job], Job]


def signed_in(project: Project) -> Client:
    client = Client()
    client.force_login(project.created_by)
    return client


FORM = f"multipart/form-data; boundary={BOUNDARY}"


def body(field: str, named: Iterable[bytes]) -> bytes:
    """A multipart body of photos, each with what is said of its name: `filename="front/17.png"`."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; '.encode()
        + said
        + b"\r\nContent-Type: image/png; path=/etc/passwd\r\n\r\n"
        + photo_bytes(number, size=(40, 40))
        + b"\r\n"
        for number, said in enumerate(named)
    ]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def as_a_browser_says(names: Iterable[str | bytes]) -> list[bytes]:
    return [b'filename="' + (name.encode() if isinstance(name, str) else name) + b'"' for name in names]


def send(project: Project, way: str, named: Iterable[bytes]) -> IntakeBatch:
    """By the page or the API."""
    client = signed_in(project)
    if way == "page":
        answer = client.post(reverse("intake", args=[project.slug]), body("photos", named), content_type=FORM)
        assert answer.status_code == 302, answer.content
    else:
        answer = client.post(
            f"/api/v1/projects/{project.slug}/intake", body("files", named), content_type=FORM
        )
        assert answer.status_code == 202, answer.content
    return IntakeBatch.objects.get(project=project)


def told(batch: IntakeBatch) -> list[tuple[str, str]]:
    """Each file as it is listed, with the reason for which it was refused."""
    return list(batch.files.order_by("id").values_list("name", "reason"))


#: As sent -> as kept.
SENT = {
    "front/17.png": "front/17.png",
    "검사 17/앞면.png": "검사 17/앞면.png",
    unicodedata.normalize("NFD", "검사 18/앞면.png"): "검사 18/앞면.png",
    "windows\\front\\17.png": "windows/front/17.png",
    "./a/./b//c.png": "a/b/c.png",
    "plain.png": "plain.png",
    'n"q.png': 'n"q.png',
    ".": "photo",
    "": "photo",
    "dir/": "dir",
    "...": "...",
    "a/" * 200 + "deep.png": ("a/" * 200 + "deep.png")[-400:],
}


@pytest.mark.parametrize("way", ["page", "api"])
def test_a_sent_name_keeps_its_folders_and_never_is_a_path(do: Do, way: str, tmp_path: Any) -> None:
    project = make_project()
    send(project, way, as_a_browser_says(SENT))
    assert do(Job.objects.get(kind="intake")).result == {"added": len(SENT), "duplicate": 0, "refused": 0}
    assert list(Item.objects.order_by("id").values_list("name", flat=True)) == list(SENT.values())
    assert {path.name for path in tmp_path.iterdir()} == {"photos", "staging", "open"}


#: Names of which one was enough to lose its file, or all of them.
ODD: list[tuple[bytes, str]] = [
    (b'filename="' + b"d/" * 600 + b'long.png"', ("d/" * 600 + "long.png")[-400:]),
    (b'filename="' + b"x" * 100_000 + b'.png"', "x" * 396 + ".png"),
    (b'filename="ends.' + b"e" * 300 + b'"', "ends." + "e" * 300),
    (b'filename="tab\tand\x00nul.png"', "tab andnul.png"),
    (b"filename*=UTF-8''%EC%95%9E%EB%A9%B4.png", "앞면.png"),
    (b"filename*=EUC-KR''%BE%D5%B8%E9.png", "앞면.png"),
    (b"filename=\"plain.png\"; filename*=klingon''%BE%D5%B8%E9.png", "plain.png"),
    (b"filename*=klingon''%BE%D5%B8%E9.png", "photo"),
    (b"filename=unquoted.png", "unquoted.png"),
    (b"size=17", "photo"),  # a picture all the same
]
LEAD_OUT = [
    "..",
    "a/b/../c.png",
    "../../etc/up.png",
    "/etc/absolute.png",
    "C:/photos/drive.png",
    "a\\..\\b.png",
]


@pytest.mark.parametrize("way", ["page", "api"])
def test_an_odd_name_stops_no_other_file_and_each_is_listed(do: Do, way: str) -> None:
    batch = send(
        make_project(), way, [*(said for said, _name in ODD), *as_a_browser_says([*LEAD_OUT, "good.png"])]
    )
    do(Job.objects.get(kind="intake"))
    assert told(batch) == [
        *((name, "") for _said, name in ODD),
        *((name, "unsafe_path") for name in LEAD_OUT),
        ("good.png", ""),
    ]


def test_a_path_that_leads_out_is_refused_alike_from_wherever_it_comes(do: Do) -> None:
    project = make_project()
    batch, job = take_in(project, zip_of(dict.fromkeys([*LEAD_OUT, "good.png"], photo_bytes(1))))
    do(job)
    assert told(batch) == [*((name, "unsafe_path") for name in LEAD_OUT), ("good.png", "")]


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp949", ["검사 17/앞면.png", "검사 17/뒷면.png"]),
        ("cp932", ["検査/正面.png", "検査/ソ.png"]),
        ("cp1252", ["Prüfung/Rückseite.png", "Fenêtre.png"]),
    ],
)
def test_names_in_other_encodings_are_read_together_and_can_be_read_again(
    do: Do, encoding: str, names: list[str]
) -> None:
    project = make_project()
    batch = send(project, "api", as_a_browser_says([*(name.encode(encoding) for name in names), "good.png"]))
    do(Job.objects.get(kind="intake"))
    assert told(batch) == [*((name, "") for name in names), ("good.png", "")]
    assert (batch.encoding, batch.encoding_guessed) == (encoding, False)
    services.read_names_again(batch=batch, by=project.created_by, encoding="cp866")
    assert [name for name, _reason in told(batch)] == [
        *(name.encode(encoding).decode("cp866").replace("\\", "/") for name in names),
        "good.png",
    ]


def test_a_field_for_files_that_was_left_empty_is_no_file() -> None:
    project = make_project()
    nothing = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="photos"; filename=""\r\n\r\n\r\n'.encode()
    )
    address = reverse("intake", args=[project.slug])
    answer = signed_in(project).post(address, nothing + body("photos", []), content_type=FORM)
    assert answer.status_code == 422 and "Choose at least one photo" in answer.content.decode()


def test_more_files_than_a_request_may_hold_are_refused_whole(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 3
    project = make_project()
    address = f"/api/v1/projects/{project.slug}/intake"
    answer = signed_in(project).post(
        address,
        body("files", as_a_browser_says(["a.png", "b.png", "c.png", "d.png"])),
        content_type=FORM,
    )
    assert answer.status_code == 413 and answer.json()["error"]["code"] == "too_large"
    assert not IntakeBatch.objects.exists()


# ---- zip


def zip_with(
    names: Iterable[bytes], *, flags: int = 0, extra: Callable[[bytes], bytes] | None = None
) -> bytes:
    """An archive whose members are called by these very bytes, as old programs write them."""
    buffer = io.BytesIO()
    raws = list(names)
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, raw in enumerate(raws):
            info = zipfile.ZipInfo("?" * (len(raw) - 6) + f"{number:06}")
            info.extra = extra(raw) if extra else b""
            archive.writestr(info, photo_bytes(number, size=(40, 40)))
    data = buffer.getvalue()
    for number, raw in enumerate(raws):
        data = data.replace(b"?" * (len(raw) - 6) + b"%06d" % number, raw)
    if flags:
        found = bytearray(data)
        for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            at = -1
            while (at := data.find(signature, at + 1)) >= 0:
                struct.pack_into("<H", found, at + offset, flags)
        data = bytes(found)
    return data


def take_in(project: Project, data: bytes, **options: Any) -> tuple[IntakeBatch, Job]:
    return services.start_intake(
        project=project, by=project.created_by, kind="zip", zip=upload("a.zip", data), **options
    )


KOREAN = ["검사 17/앞면.png", "검사 17/라벨_뒷면.png", "타이어 ①.png"]
JAPANESE = ["検査/正面.png", "検査/一覧表.png", "検査/ソ.png", "タイヤ（前）.png"]
WESTERN = ["Prüfung/Rückseite.png", "Fenêtre côté gauche.png", "Año/señal.png"]


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp949", KOREAN),
        ("cp932", JAPANESE),
        ("cp850", WESTERN),
        ("cp1252", WESTERN),
        ("utf-8", [*KOREAN, *WESTERN]),
    ],
)
def test_names_in_a_zip_without_the_utf8_flag_come_out_right(do: Do, encoding: str, names: list[str]) -> None:
    project = make_project()
    batch, job = take_in(project, zip_with(name.encode(encoding) for name in names))
    assert do(job).result == {"added": len(names), "duplicate": 0, "refused": 0}
    assert list(Item.objects.filter(project=project).order_by("id").values_list("name", flat=True)) == names
    batch.refresh_from_db()
    assert (batch.encoding, batch.encoding_guessed) == (encoding, False)


@pytest.mark.parametrize("names", [KOREAN, JAPANESE, WESTERN])
def test_the_unicode_path_field_says_what_a_name_is(do: Do, names: list[str]) -> None:
    """Info-ZIP writes the name in the system's encoding and once more in UTF-8."""
    text = {name.encode("cp949", errors="replace"): name for name in names}

    def field(raw: bytes) -> bytes:
        content = b"\x01" + struct.pack("<I", zlib.crc32(raw)) + text[raw].encode()
        return struct.pack("<HH", 0x7075, len(content)) + content

    project = make_project()
    batch, job = take_in(project, zip_with(text, extra=field))
    do(job)
    assert sorted(batch.files.values_list("name", flat=True)) == sorted(names)
    batch.refresh_from_db()
    assert batch.encoding == ""


def test_a_name_that_only_claims_to_be_utf8_does_not_stop_the_archive(do: Do) -> None:
    names = ["앞면 사진.png".encode("cp949"), b"ordinary.png"]
    batch, job = take_in(make_project(), zip_with(names, flags=0x800))
    assert do(job).result == {"added": 2, "duplicate": 0, "refused": 0}
    assert sorted(batch.files.values_list("name", flat=True)) == ["ordinary.png", "앞면 사진.png"]


@pytest.mark.parametrize("signature", [b"PK\x03\x04", b"PK\x01\x02"], ids=["local", "directory"])
def test_a_name_that_is_flagged_in_one_of_its_two_places_comes_in(do: Do, signature: bytes) -> None:
    data = bytearray(zip_with(name.encode() for name in KOREAN))
    at = -1
    while (at := data.find(signature, at + 1)) >= 0:
        struct.pack_into("<H", data, at + (6 if signature == b"PK\x03\x04" else 8), 0x800)
    batch, job = take_in(make_project(), bytes(data))
    assert do(job).result == {"added": len(KOREAN), "duplicate": 0, "refused": 0}
    assert list(batch.files.order_by("id").values_list("name", flat=True)) == KOREAN


def test_a_name_that_is_nothing_in_any_encoding_comes_in_with_the_others(do: Do) -> None:
    names = [name.encode("cp949") for name in KOREAN] + [b"\xff\xfe\x80 strange.png"]
    batch, job = take_in(make_project(), zip_with(names))
    assert do(job).state == "succeeded"
    told = list(batch.files.order_by("id").values_list("name", flat=True))
    assert told[:3] == KOREAN and told[3].endswith(" strange.png") and "\ufffd" in told[3]


def test_a_name_that_fits_several_encodings_is_said_to_be_a_guess() -> None:
    doubtful = reading_of(["außen.png".encode("cp850")])
    assert doubtful is not None and doubtful.guessed
    assert reading_of([b"plain.png"]) is None


def test_who_knows_the_encoding_says_so(do: Do) -> None:
    project = make_project()
    names = ["正面.png", "检查/铭牌.png"]
    batch, job = take_in(project, zip_with(name.encode("gb18030") for name in names), encoding="gb18030")
    do(job)
    assert list(batch.files.order_by("id").values_list("name", flat=True)) == names
    with pytest.raises(Refused) as caught:
        take_in(project, zip_with([b"plain00.png"]), encoding="klingon")
    assert caught.value.code == "unknown_encoding"


def test_names_that_were_read_wrongly_are_read_again_with_an_example_of_each(do: Do) -> None:
    project = make_project()
    names = ["Příčná.png", "Přední.png"]
    batch, job = take_in(project, zip_with(name.encode("cp1250") for name in names))
    client = signed_in(project)
    address = reverse("intake-batch", args=[project.slug, batch.pk])
    with pytest.raises(Refused) as caught:
        services.read_names_again(batch=batch, by=project.created_by, encoding="cp1250")
    assert caught.value.code == "still_running"
    do(job)
    assert set(Item.objects.values_list("name", flat=True)).isdisjoint(names)
    # A photo that came in by another intake keeps the name that it has from there.
    other = make_project()
    _batch, job = take_in(other, zip_with(name.encode("cp1250") for name in names))
    do(job)
    page = client.get(address).content.decode()
    assert "Central Europe (Windows-1250): Příčná.png, Přední.png" in page
    answer = client.post(address, {"action": "names", "encoding": "cp1250"}, follow=True)
    assert "The names are read anew" in answer.content.decode()
    assert list(batch.files.order_by("id").values_list("name", flat=True)) == names
    assert list(Item.objects.filter(project=project).order_by("id").values_list("name", flat=True)) == names
    assert set(Item.objects.filter(project=other).values_list("name", flat=True)).isdisjoint(names)
    assert Activity.objects.filter(project=project, kind="intake_renamed").get().data["files"] == 2


def test_a_program_chooses_the_encoding_and_sees_examples(do: Do) -> None:
    project = make_project()
    client = signed_in(project)
    name = "정면.png"
    answer = client.post(
        f"/api/v1/projects/{project.slug}/intake",
        {"zip": upload("a.zip", zip_with([name.encode("cp949")])), "encoding": "cp1251"},
    )
    assert answer.status_code == 202, answer.content
    do(Job.objects.get(kind="intake"))
    address = f"/api/v1/projects/{project.slug}/intake/{answer.json()['id']}/names"
    told = client.get(address).json()
    assert (told["encoding"], told["guessed"]) == ("cp1251", False)
    assert told["readings"]["cp949"] == [name] and told["readings"]["cp1251"] != [name]
    told = client.put(address, {"encoding": "cp949"}, content_type="application/json").json()
    assert told["encoding"] == "cp949"
    assert Item.objects.get(project=project).name == IntakeFile.objects.get().name == name
    refused = client.put(address, {"encoding": "klingon"}, content_type="application/json")
    assert refused.status_code == 422


def test_an_archive_whose_names_are_plain_asks_nothing(do: Do) -> None:
    project = make_project()
    batch, job = take_in(project, zip_with([b"plain00.png"]))
    do(job)
    batch.refresh_from_db()
    assert batch.encoding == "" and IntakeFile.objects.get().name_bytes is None
    page = signed_in(project).get(reverse("intake-batch", args=[project.slug, batch.pk])).content.decode()
    assert "Read the names again" not in page
    with pytest.raises(Refused) as caught:
        services.read_names_again(batch=batch, by=project.created_by, encoding="cp949")
    assert caught.value.code == "nothing_to_read"


# ---- and out again


def test_a_csv_says_that_it_is_utf8_so_that_excel_does_not_guess() -> None:
    rows: list[list[dict[str, Any]]] = [
        [{"name": "앞면.png"}],
        [{"name": "＝1+1"}, {"name": "\n=1"}, {"name": "ok"}],
    ]
    data = b"".join(FORMATS["csv"].written(rows, ("name",)))
    assert data.startswith(b"\xef\xbb\xbf") and data.count(b"\xef\xbb\xbf") == 1
    read = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert read == [["name"], ["앞면.png"], ["'＝1+1"], ["'\n=1"], ["ok"]]
