"""A protocol says everything anew in each version, asks only projects of its author's, and has its projects' rights."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.http import Http404

from labeling.catalog.permissions import Action
from labeling.inspections.models import ProtocolVersion
from labeling.inspections.permissions import may_in, protocol_for, protocols_of
from labeling.inspections.protocols import described
from labeling.inspections.services import create_protocol, publish_version
from labeling.refusals import Refused
from tests.factories import join, make_project, make_user
from tests.inspections.conftest import SHOTS, Yard


def test_a_version_changes_what_is_said_and_keeps_the_rest(yard: Yard) -> None:
    before = described(yard.protocol.current)
    assert before["shots"][0]["checks"] == ["dent", "wash"] and before["shots"][1]["required"] is False
    publish_version(protocol=yard.protocol, by=yard.root, note="Stricter", otherwise="failed")
    after = described(yard.protocol.current)
    changed = {"number": 2, "note": "Stricter", "otherwise": "failed"}
    assert after == before | changed
    with pytest.raises(DatabaseError), transaction.atomic():
        ProtocolVersion.objects.update(note="Nothing is overwritten")


def test_what_is_wrong_is_told_by_field(yard: Yard) -> None:
    def refused(**changes: object) -> set[str]:
        with pytest.raises(Refused) as refusal:
            publish_version(protocol=yard.protocol, by=yard.root, note="Why", **changes)
        assert refusal.value.status == 422
        return set(refusal.value.fields)

    front = SHOTS[0]
    assert refused(shots=[]) == {"shots"}
    assert refused(shots=[front, front], rules=[]) == {"shots"}
    assert refused(shots=[front | {"key": "Front!"}], rules=[]) == {"shots.0"}
    assert refused(shots=[front | {"min_brightness": 200, "max_brightness": 100}], rules=[]) == {"shots.0"}
    assert refused(shots=[front | {"checks": ["nowhere"]}], rules=[]) == {"checks"}
    assert refused(otherwise="passed") == {"otherwise"}
    assert refused(shots=[front]) == {"rules.0.when.0.project"}, "no shot is asked it any more"
    assert refused(colour="red") == {"colour"}
    assert yard.protocol.versions.count() == 1


def test_who_makes_a_protocol_is_admin_of_what_it_asks(yard: Yard) -> None:
    admin = yard.wash.created_by
    with pytest.raises(Refused) as refusal:
        create_protocol(by=admin, slug="mine", name="Mine", shots=SHOTS)
    assert refusal.value.status == 403
    join(yard.dent, admin, role="admin")
    publish_version(protocol=yard.protocol, by=admin, note="An admin of both")
    make_project(slug="other")
    with pytest.raises(Refused):
        publish_version(
            protocol=yard.protocol, by=admin, note="Why", shots=[SHOTS[0] | {"checks": ["other"]}], rules=[]
        )


def test_the_least_role_decides(yard: Yard) -> None:
    person = make_user()
    join(yard.wash, person, role="admin")
    with pytest.raises(Http404):
        protocol_for(person, "walk-round", Action.FIGURES)
    assert protocols_of(person) == []
    join(yard.dent, person, role="viewer")
    assert protocol_for(person, "walk-round", Action.FIGURES) == yard.protocol
    assert protocols_of(person) == [yard.protocol]
    with pytest.raises(PermissionDenied):
        protocol_for(person, "walk-round", Action.OVERRULE)
    labeler = make_user()
    join(yard.wash, labeler)
    join(yard.dent, labeler, role="admin")
    assert not may_in(labeler, yard.protocol, Action.FIGURES), "a labeler of one sees no verdict"
    publish_version(
        protocol=yard.protocol,
        by=yard.root,
        note="Dents only",
        rules=[],
        shots=[SHOTS[0] | {"checks": ["dent"]}],
    )
    assert may_in(labeler, yard.protocol, Action.ADMIN)
    publish_version(protocol=yard.protocol, by=yard.root, note="Nothing yet", shots=[SHOTS[0]])
    assert protocols_of(labeler) == [] and not may_in(labeler, yard.protocol, Action.FIGURES), (
        "it asks nothing"
    )
