"""A NUL that comes encoded within a search is refused where the search is read, not by the database."""

from __future__ import annotations

import pytest

from labeling.explorer.search.wanted import Wanted
from labeling.refusals import Refused
from tests.factories import make_project


@pytest.mark.parametrize("query", ["q=%00", "source=a%00b", "metadata=line%3D%00", "words=%00", "like=%00"])
@pytest.mark.django_db
def test_a_search_with_a_nul_is_refused(query: str) -> None:
    with pytest.raises(Refused) as refused:
        Wanted.read(make_project(), query)
    assert refused.value.status == 422 and "NUL" in refused.value.message
