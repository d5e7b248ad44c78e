"""A small project in which everything has happened once, and clients for each kind of person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from inference.metrics import evaluate
from labeling.catalog.models import (
    GuidelineProposal,
    IntakeBatch,
    IntakeFile,
    Item,
    LabelClass,
    Project,
    WatchedSource,
)
from labeling.catalog.services import add_image, add_items, propose_guideline
from labeling.erasure.models import ErasedPerson, ErasedPhoto, Erasure
from labeling.exchange.feeds.links import make_feed
from labeling.exchange.models import DataSet, Feed, Import, ImportRow, Vocabulary, VocabularyText
from labeling.exchange.services import make_data_set
from labeling.explorer.models import Bulk, SavedView
from labeling.frontier.models import (
    AutomaticDecision,
    Certificate,
    CertificationPlan,
    CertificationRun,
    DecisionExplanation,
)
from labeling.inspections.models import (
    Asset,
    CaptureLink,
    Check,
    Inspection,
    InspectionPhoto,
    Protocol,
    ProtocolVersion,
    Shot,
)
from labeling.jobs.models import Job
from labeling.learning.models import ModelVersion, Promotion, Score, Snapshot
from labeling.monitors.models import MonitorAlert, MonitorReading
from labeling.notify.kinds import CHOICES
from labeling.notify.models import Delivery, Endpoint, SlackMessage
from labeling.notify.services import make_endpoint, send_test
from labeling.people.models import User
from labeling.queue import services as queue
from labeling.queue.models import Entry, QuestionSheet, SheetQuestion
from labeling.truth.models import Dispute, Gold
from labeling.truth.services import Answer, add_gold
from tests.factories import make_items, make_member, make_project, make_user, photo_bytes
from tests.kept import made_once

KEYS = ["functional", "defective"]
SIGNED_IN = ("admin", "reviewer", "labeler", "second", "outsider", "superuser", "viewer")
COUNTS = dict.fromkeys(
    ("drawn", "used", "before", "trained", "older", "unscored", "undecided", "open", "behind"), 0
)
FIGURES = evaluate(np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.6, 0.4]]), np.array([0, 0, 1, 1]), KEYS)


@pytest.fixture(autouse=True)
def _fresh_throttles() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@dataclass
class World:
    """``labeler`` and ``second`` answered three photos: they agreed on one, differ on one, one waits for ``second``."""

    project: Project
    admin: User
    reviewer: User
    labeler: User
    second: User
    outsider: User
    superuser: User
    viewer: User
    photo: Item
    gold: Gold
    dispute: Dispute
    lease: UUID
    answered: UUID
    job: Job
    batch: IntakeBatch
    source: WatchedSource
    decision: AutomaticDecision
    alert: MonitorAlert
    proposal: GuidelineProposal
    data_set: DataSet
    feed: Feed
    bulk: Bulk
    view: SavedView
    erasure: Erasure
    imported: Import
    vocabulary: Vocabulary
    sheet: QuestionSheet
    protocol: Protocol
    inspection: Inspection
    link: CaptureLink
    delivery: Delivery
    slack_message: SlackMessage
    items: list[Item] = field(default_factory=list)
    sessions: dict[str, str] = field(default_factory=dict)

    def person(self, role: str) -> User | None:
        return None if role == "anonymous" else getattr(self, role)

    def client(self, role: str, **options: Any) -> Client:
        """A browser of this person, who signed in when the world was made: to sign in was a quarter of a request's price."""
        client = Client(**options)
        if role != "anonymous":
            client.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[role]
        return client

    def sign_in(self) -> None:
        for role in SIGNED_IN:
            client, person = Client(), self.person(role)
            assert person is not None
            client.force_login(person)
            self.sessions[role] = client.cookies[settings.SESSION_COOKIE_NAME].value

    @property
    def settled(self) -> Item:
        """The photo on which both agreed."""
        agreed = Item.objects.filter(project=self.project, annotations__labeler=self.labeler)
        return agreed.filter(ground_truths__origin="agreement").select_related("image").earliest("pk")

    def api(self, path: str = "") -> str:
        return f"/api/v1/projects/{self.project.slug}{path}"


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def _world(**asked: Any) -> World:
    project = make_project(slug="cells", **asked)
    admin = project.created_by
    labeler, second = make_member(project, username="lina"), make_member(project, username="sam")
    reviewer = make_member(project, "reviewer", "rosa")
    image, _created = add_image(data=photo_bytes(1))
    (photo,) = add_items(project=project, images=[(image, "real.png")], source="test")
    # The last one never comes into the queue: nobody has answered it.
    items = [photo, *make_items(project, 9)]
    queue.append_arrivals(project=project, item_ids=[item.pk for item in items[1:8]])
    Entry.objects.filter(item=photo).update(
        position=2**31 - 1
    )  # a request to erase it waits: nobody holds it here
    gold = add_gold(project=project, item=items[8], class_key="functional", by=admin)

    keys = [uuid4() for _ in range(3)]
    settings_asked = {name: getattr(project, name) for name in ("gold_rate", "audit_rate")}
    Project.objects.filter(pk=project.pk).update(gold_rate=0, audit_rate=0)
    project.refresh_from_db()
    firsts = queue.claim(project=project, labeler=labeler, count=3)
    for slot, key in zip(firsts, keys, strict=True):
        answer(project, labeler, slot.pk, "functional", key)
    said = dict(zip([slot.item_id for slot in firsts], ["functional", "defective"], strict=False))
    for slot in queue.claim(project=project, labeler=second, count=2):
        answer(project, second, slot.pk, said.get(slot.item_id, "functional"))
    (lease,) = queue.claim(project=project, labeler=labeler, count=1)

    Project.objects.filter(pk=project.pk).update(
        **settings_asked
    )  # what comes next is drawn as the test wishes
    project.refresh_from_db()

    classes = list(LabelClass.objects.filter(project=project).order_by("pk"))
    for number in (1, 2):
        version = ModelVersion.objects.create(
            project=project,
            number=number,
            snapshot=Snapshot.objects.create(
                project=project,
                guideline=project.guidelines.get(),
                ground_truth_ids=[1],
                digest=f"{number}" * 64,
                counts={"functional": 1, "defective": 1},
            ),
            backbone="efficientnet_lite0",
            backbone_hash="b" * 64,
            classes=[each.pk for each in classes],
            artifact=f"cells/{number}",
            manifest={"seed": 0, "unusable_photos": 0, "libraries": {"numpy": "2"}},
            metrics={"order": KEYS, "cross_validated": FIGURES, "audit": None},
            created_by=admin,
        )
    Promotion.objects.create(project=project, model_version=version, by=admin)
    Score.objects.bulk_create(
        Score(
            model_version=version, item=item, predicted=classes[0], confidence=0.4, probabilities=[0.7, 0.3]
        )
        for item in items
    )
    plan = CertificationPlan.objects.create(
        project=project,
        sample="drawn after version 2",
        use="version 2",
        model_version=version,
        guideline=project.guidelines.get(),
        precision=0.9,
        delta=0.025,
        budget=0.05,
        undecided_are_errors=True,
        ladders={},
        planned={},
    )
    run = CertificationRun.objects.create(
        plan=plan, project=project, item_ids=[], digest="d" * 64, counts=COUNTS, walks={}
    )
    certificate = Certificate.objects.create(
        project=project,
        run=run,
        model_version=version,
        guideline=plan.guideline,
        label_class=classes[0],
        threshold=0.3,
        coverage=0.5,
        precision=0.9,
        delta=0.025,
        n=60,
        errors=0,
        bound=0.92,
        method="anytime",
        digest=run.digest,
    )
    decision = AutomaticDecision.objects.create(
        project=project,
        item=items[9],
        certificate=certificate,
        model_version=version,
        label_class=classes[0],
        confidence=0.4,
        probabilities=[0.7, 0.3],
        mode="on",
        audit=False,
    )
    DecisionExplanation.objects.create(
        decision=decision, nearest=[], heat=b"PNG", figures={"before": 0.9, "lowest": 0.4, "peak": [0.5, 0.5]}
    )
    reading = MonitorReading.objects.create(
        project=project,
        monitor="agreement",
        state="alert",
        value=0.4,
        low=0.3,
        high=0.5,
        threshold=0.7,
        figures={"photos": 100, "agreed": 40, "least": 20},
        evidence="made up",
    )
    alert = MonitorAlert.objects.create(project=project, monitor=reading.monitor, reading=reading)
    batch = IntakeBatch.objects.create(project=project, kind="folder", source="cells", created_by=admin)
    IntakeFile.objects.create(batch=batch, name="a.png", path="a.png", outcome="added", image=image)
    IntakeFile.objects.create(
        batch=batch,
        name="b.txt",
        path="b.txt",
        outcome="refused",
        reason="not_an_image",
        detail="Choose a photo.",
    )
    # Of rows alone, for the photos of this world are all to be there.
    until = timezone.now() + timedelta(days=3)
    erasure = Erasure.objects.create(
        project=project, scope="photos", reason="Asked", asked_by=admin, due_at=until
    )
    ErasedPhoto.objects.create(erasure=erasure, item=photo)
    superuser = make_user("root", is_superuser=True)
    ErasedPerson.objects.create(
        person=second,
        reason="Asked",
        asked_by=superuser,
        kept={"username": "sam", "memberships": []},
        due_at=until,
    )
    protocol = _protocol(project, superuser)
    world = World(
        project=project,
        admin=admin,
        reviewer=reviewer,
        labeler=labeler,
        second=second,
        outsider=make_user("olga"),
        superuser=superuser,
        viewer=make_member(project, "viewer", "vera"),
        photo=photo,
        gold=gold,
        dispute=Dispute.objects.open().get(project=project),
        lease=lease.pk,
        answered=keys[2],
        job=Job.objects.create(kind="embed", project_id=project.pk, requested_by=admin),
        batch=batch,
        source=WatchedSource.objects.create(
            project=project, kind="folder", address="/cells", created_by=admin
        ),
        decision=decision,
        alert=alert,
        proposal=propose_guideline(
            project=project, by=reviewer, note="Why", criteria={"functional": "It works."}
        ),
        data_set=make_data_set(project=project, by=admin, format="jsonl"),
        feed=make_feed(
            project=project,
            by=admin,
            name="weekly",
            table="ground-truths",
            expires_at=timezone.now() + timedelta(days=7),
        ),
        bulk=Bulk.objects.create(
            project=project, created_by=admin, deed="unusable", query="q=png", stage="looked", upto=2**62
        ),
        view=SavedView.objects.create(project=project, created_by=admin, name="held", query="status=hold"),
        erasure=erasure,
        imported=_imported(project, admin),
        vocabulary=_vocabulary(project, admin),
        sheet=_sheet(project, admin),
        protocol=protocol,
        inspection=(inspection := _inspection(protocol, photo, admin)),
        link=_link(inspection, admin),
        delivery=(delivery := _delivery(project, admin)),
        slack_message=_slack_message(delivery.endpoint, Dispute.objects.open().get(project=project)),
        items=items,
    )
    world.sign_in()
    return world


def _vocabulary(project: Project, admin: User) -> Vocabulary:
    made = Vocabulary.objects.create(project=project, created_by=admin, name="line", target="line_normalised")
    VocabularyText.objects.create(of=made, key="line 2", text="Line 2", proposed="Line 2", why="itself")
    return made


def _delivery(project: Project, admin: User) -> Delivery:
    """To one that listens to all that happens from here on."""
    endpoint, _secret = make_endpoint(
        project=project, by=admin, name="Line", url="https://hooks.example/a", events=list(CHOICES)
    )
    return send_test(endpoint=endpoint)


def _slack_message(endpoint: Endpoint, dispute: Dispute) -> SlackMessage:
    subject = f"photo/{dispute.item_id}"
    return SlackMessage.objects.create(
        endpoint=endpoint, subject=subject, event=dispute.pk, dispute=dispute.pk, channel="C0LINE", ts="1.0"
    )


def _sheet(project: Project, admin: User) -> QuestionSheet:
    """Of one project only, so that everybody's role in it is known."""
    sheet = QuestionSheet.objects.create(slug="look", name="Look", created_by=admin)
    SheetQuestion.objects.create(sheet=sheet, project=project, position=0)
    return sheet


def _protocol(project: Project, by: User) -> Protocol:
    protocol = Protocol.objects.create(slug="walk-round", name="Walk round", created_by=by)
    version = ProtocolVersion.objects.create(
        protocol=protocol,
        number=1,
        passed_name="Passed",
        held_name="Held",
        failed_name="Failed",
        otherwise="held",
        created_by=by,
    )
    for position, key in enumerate(["front", "rear"]):
        shot = Shot.objects.create(version=version, position=position, key=key, name=key.capitalize())
        Check.objects.create(shot=shot, project=project)
    return protocol


def _inspection(protocol: Protocol, photo: Item, by: User) -> Inspection:
    inspection = Inspection.objects.create(
        protocol=protocol,
        version=protocol.current,
        external_id="first",
        asset=Asset.objects.create(kind="car", identifier="12가 3456"),
        event="wash",
        happened_at=timezone.now(),
        origin="api",
        created_by=by,
        submitted_at=timezone.now(),
    )
    front = Shot.objects.get(version=inspection.version, key="front")
    InspectionPhoto.objects.create(
        inspection=inspection, shot=front, number=1, image=photo.image, sha256=photo.image.sha256
    )
    return inspection


def _link(inspection: Inspection, by: User) -> CaptureLink:
    return CaptureLink.objects.create(
        protocol=inspection.protocol,
        asset=inspection.asset,
        event=inspection.event,
        created_by=by,
        expires_at=timezone.now() + timedelta(days=1),
        inspection=inspection,
    )


def _imported(project: Project, admin: User) -> Import:
    made = Import.objects.create(
        project=project,
        created_by=admin,
        file_name="labels.csv",
        format="csv",
        source="labels",
        state="ready",
        classes={"good": "functional"},
        found={"rows": 1, "photos": 0, "labels": {"good": 1}, "annotators": {}, "fields": {}, "preview": []},
        counts={"refused": 1},
    )
    ImportRow.objects.create(
        of=made, place="line 2", photo="a.png", labels=["good"], outcome="refused", reason="no_photo"
    )
    return made


make_world = made_once(_world, for_s=45)  # an answer that can be undone for a minute is in it


def answer(project: Project, labeler: User, lease: UUID, class_key: str, key: UUID | None = None) -> None:
    queue.submit(
        project=project,
        labeler=labeler,
        lease=lease,
        key=key or uuid4(),
        answer=Answer("class", class_key),
        view_ms=900,
    )
