"""What every monitor keeps, whichever it is: one that is added is held to the same, once ``examples`` has readings of it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.utils.translation import override

import labeling.monitors.readings
from labeling.gateway.api.monitors import ThresholdsIn, ThresholdsOut
from labeling.monitors.chart import chart
from labeling.monitors.forms import ThresholdsForm
from labeling.monitors.models import Monitor, MonitorReading, MonitorThresholds, ReadingState
from labeling.monitors.reading import Look, Reading
from labeling.monitors.registry import SPECS, THRESHOLDS
from labeling.monitors.services import record, set_thresholds, thresholds_of
from labeling.monitors.spec import MonitorSpec
from labeling.overview import changes
from labeling.refusals import Refused
from labeling.text.number_fields import NumberField
from tests.factories import make_project
from tests.monitors.examples import readings

each_monitor = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.key.value)
each_threshold = pytest.mark.parametrize("field", THRESHOLDS)


@pytest.fixture(params=["en", "ko"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    with override(request.param):
        yield request.param


def test_each_choice_of_the_column_has_one_file_and_one_spec() -> None:
    assert [spec.key for spec in SPECS] == list(Monitor)
    (folder,) = labeling.monitors.readings.__path__
    with_spec = {path.stem for path in Path(folder).glob("*.py") if "\nSPEC = " in path.read_text()}
    assert with_spec == set(Monitor.values)
    longest = MonitorReading._meta.get_field("monitor").max_length
    assert all(len(key) <= (longest or 0) for key in Monitor.values)


@each_monitor
def test_it_has_its_texts_without_a_reading(spec: MonitorSpec, language: str) -> None:
    assert str(spec.title) and str(spec.purpose) and str(spec.advice)
    assert bool(spec.parts_title) is bool(spec.parts_column)


@each_monitor
def test_it_says_what_it_found_in_every_state(spec: MonitorSpec, language: str) -> None:
    seen = set()
    for reading in readings(spec.key):
        seen.add(reading.state)
        texts = [spec.finding(reading), spec.value(reading), spec.detail(reading), spec.threshold(reading)]
        texts += [text for part in spec.parts(reading) for text in (part.name, part.before, part.now)]
        assert not any(re.search(r"%\(\w+\)[.\d]*[sdf]|%%", text) for text in texts), texts
        assert spec.finding(reading)
        if reading.value is None:
            assert reading.state == ReadingState.NOT_ENOUGH
            assert spec.value(reading) == "–" and spec.detail(reading) == ""
        else:
            assert spec.value(reading) != "–" and spec.detail(reading) and spec.threshold(reading)
    assert seen == set(ReadingState), "examples lack a state"


@each_monitor
def test_its_readings_are_drawn(spec: MonitorSpec, language: str) -> None:
    assert chart(spec, readings(spec.key, ReadingState.NOT_ENOUGH)) is None
    known = readings(spec.key)
    for count in range(1, len(known) + 1):
        drawn = chart(spec, known[:count])
        with_value = [each for each in known[:count] if each.value is not None]
        assert (drawn is None) is (not with_value)
    values = [0.0 if each.value is None else each.value for each in known]
    scale = spec.scale
    low, high = scale.span([scale.place(value) for value in values])
    assert low < high and all(low <= scale.place(value) <= high for value in values)
    assert scale.label(scale.end) and low <= scale.place(scale.end) <= high
    alerting = readings(spec.key, ReadingState.ALERT)
    assert all(math.isfinite(limit.value) for each in alerting for limit in spec.limits(each))


@each_monitor
def test_what_alerts_lies_beyond_its_threshold_on_the_plot(spec: MonitorSpec) -> None:
    for reading in readings(spec.key, ReadingState.OK, ReadingState.ALERT):
        assert reading.value is not None
        place = spec.scale.place(reading.value)
        beyond = [
            (place >= spec.scale.place(limit.value)) is limit.above
            for limit in spec.limits(reading)
            if place != spec.scale.place(limit.value)
        ]
        if reading.state == ReadingState.ALERT:
            assert any(beyond)


@each_threshold
def test_a_threshold_has_bounds_that_hold_wherever_it_is_set(field: str, language: str) -> None:
    threshold = THRESHOLDS[field]
    assert threshold.field == field and str(threshold.label) and str(threshold.hint)
    least, largest = threshold.bounds
    default = MonitorThresholds._meta.get_field(field).get_default()
    assert least <= default <= largest
    for value, taken in ((least, True), (largest, True), (default, True), (largest + 1, False), (-1, False)):
        assert ThresholdsIn(data={field: value}).is_valid() is taken, value
    assert field in ThresholdsOut().fields
    typed = ThresholdsForm.base_fields[field]
    assert isinstance(typed, NumberField)
    assert (typed.low, typed.high, typed.scale) == (least, largest, 100 if threshold.percent else 1)
    assert str(typed.label) == str(threshold.label)
    said = changes.of_thresholds({field: [default, largest]})
    assert said.startswith(str(threshold.label).replace(": ", ", ", 1)) and "→" in said


def test_the_thresholds_are_the_models_and_no_others() -> None:
    kept = {field.name for field in MonitorThresholds._meta.get_fields()}
    assert kept - set(THRESHOLDS) == {"id", "project", "by", "reason", "created_at"}


@pytest.mark.django_db
@each_threshold
def test_a_threshold_out_of_bounds_is_refused_and_changes_nothing(field: str) -> None:
    project = make_project()
    _least, largest = THRESHOLDS[field].bounds
    with pytest.raises(Refused) as refused:
        set_thresholds(project=project, by=project.created_by, **{field: largest + 1})
    assert refused.value.fields and set(refused.value.fields) == {field}
    assert not MonitorThresholds.objects.exists()


@pytest.mark.django_db
@each_monitor
def test_it_reads_an_empty_project_without_a_model_and_does_not_alert(spec: MonitorSpec) -> None:
    project = make_project()
    found = spec.reader.read(Look(project, None, thresholds_of(project)))
    reading_alike = {each.key for each in SPECS if each.reader is spec.reader}
    assert {each.monitor for each in found} <= reading_alike
    assert {each.state for each in found} <= {ReadingState.NOT_ENOUGH}
    record(project=project, readings=found)


def _as_read(reading: MonitorReading) -> Reading:
    return Reading(
        Monitor(reading.monitor),
        ReadingState(reading.state),
        reading.evidence,
        value=reading.value,
        low=reading.low,
        high=reading.high,
        p_value=reading.p_value,
        threshold=reading.threshold,
        figures=reading.figures,
        item_ids=reading.item_ids,
    )


@pytest.mark.django_db
def test_page_and_api_show_each_before_its_first_reading_and_while_it_alerts(language: str) -> None:
    project = make_project(slug="cells")
    client = Client(headers={"accept-language": language})
    client.force_login(project.created_by)
    page = client.get("/p/cells/monitors").content.decode()
    assert all(spec.title in page and str(spec.purpose) in page for spec in SPECS)

    alerts = {spec: readings(spec.key, ReadingState.ALERT)[0] for spec in SPECS}
    assert record(project=project, readings=[_as_read(each) for each in alerts.values()]) == (
        len(SPECS),
        len(SPECS),
    )
    page = client.get("/p/cells/monitors").content.decode()
    assert page.count(' aria-labelledby="') >= len(SPECS)
    told = client.get("/api/v1/projects/cells/monitors").json()["monitors"]
    says = {each["monitor"]: each for each in told}
    assert list(says) == Monitor.values
    for spec, reading in alerts.items():
        reading.model_version = None
        assert says[spec.key]["says"] == spec.finding(reading)
        assert says[spec.key]["alert"] and says[spec.key]["readings"][0]["figures"] == reading.figures
        for text in (spec.finding(reading), spec.value(reading), str(spec.advice)):
            assert text in page or text.replace("'", "&#x27;").replace("<", "&lt;") in page, text
        if spec.link:
            assert f">{spec.link.text}</a>" in page
