"""A list of the API: row by row, or all of it as a table."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from hilltop_client.connection import Connection, said

if TYPE_CHECKING:
    import pandas
    import pyarrow

#: Rows a request: the most that the API gives.
PAGE = 1000


class Rows:
    """Nothing is asked before the rows are: each use reads the list anew. ``keep``: of which rows."""

    def __init__(
        self,
        connection: Connection,
        path: str,
        *,
        keep: Callable[[dict[str, Any]], bool] | None = None,
        **parameters: Any,
    ) -> None:
        self._connection, self._path, self._keep = connection, path, keep
        self._parameters = {"limit": PAGE} | parameters

    def __iter__(self) -> Iterator[dict[str, Any]]:
        rows = self._connection.rows(self._path, **self._parameters)
        return rows if self._keep is None else filter(self._keep, rows)

    def arrow(self) -> pyarrow.Table:
        import pyarrow

        return pyarrow.Table.from_pylist(list(self))

    def pandas(self) -> pandas.DataFrame:
        import pandas

        return pandas.DataFrame(list(self))


class ArrowRows(Rows):
    """The same where the API sends Arrow streams, which nobody has to parse."""

    def arrow(self) -> pyarrow.Table:
        """The pages' metadata is the first page's."""
        import pyarrow

        pages = list(self._pages())
        return pyarrow.concat_tables(pages) if len(pages) > 1 else pages[0]

    def pandas(self) -> pandas.DataFrame:
        return self.arrow().to_pandas()

    def _pages(self) -> Iterator[pyarrow.Table]:
        import pyarrow

        address, parameters = self._path, {**self._parameters, "format": "arrow"}
        while address:
            answer = self._connection.send("GET", address, params=said(parameters) or None)
            with pyarrow.ipc.open_stream(io.BytesIO(answer.content)) as stream:
                yield stream.read_all()
            address, parameters = answer.links.get("next", {}).get("url", ""), {}
