"""``Retry-After`` is seconds or a date, honoured for an hour at most."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest
from django.utils import timezone

from labeling.notify.channels.retry_after import MOST_S, seconds


@pytest.mark.parametrize(
    ("header", "rest"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("9" * 400, MOST_S),
        ("-5", 0.0),
        ("1.5", 0.0),
        ("٣", 0.0),
        ("soon", 0.0),
        ("", 0.0),
        (None, 0.0),
        ("Mon, 30 Nov 2020 10:00:00 GMT", 0.0),
        ("Mon, 30 Nov 2020 10:00:00", 0.0),
        ("Mon, 30 Nov 99999999999999999999 10:00:00 GMT", 0.0),
        ("Fri, 30 Nov 2999 10:00:00 GMT", MOST_S),
    ],
)
def test_what_can_be_read_is_honoured(header: str | None, rest: float) -> None:
    assert seconds(header) == rest


def test_a_date_is_a_moment() -> None:
    assert 1700 < seconds(format_datetime(timezone.now() + timedelta(minutes=30))) <= 1800
