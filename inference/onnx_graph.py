"""An ONNX graph written operation by operation: rows in, what a head makes of them out.

Arithmetic is in float64, as in the heads. Knows no head; they express themselves with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

#: ONNX's own operations of this version, which each ONNX Runtime since 1.14 knows; and the file format of that time.
_OPSET, _IR_VERSION = 17, 8


class Graph:
    """Names of values are handed from operation to operation."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, value: npt.ArrayLike, dtype: npt.DTypeLike = np.float64) -> str:
        """An array of the graph's own."""
        from onnx import numpy_helper

        name = f"constant{len(self._constants)}"
        array = np.ascontiguousarray(np.asarray(value, dtype=dtype))
        self._constants.append(numpy_helper.from_array(array, name))
        return name

    def op(self, kind: str, *values: str, **attributes: Any) -> str:
        """ONNX's operation ``kind`` on named values; the name of what comes out."""
        from onnx import helper

        name = f"{kind.lower()}{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(values), [name], name=name, **attributes))
        return name

    def affine(self, rows: str, weight: npt.ArrayLike, bias: npt.ArrayLike) -> str:
        """rows (n, d) times ``weight`` (k, d), plus ``bias`` (k,)."""
        turned = self.constant(np.asarray(weight, dtype=np.float64).T)
        return self.op("Add", self.op("MatMul", rows, turned), self.constant(bias))

    def standardised(self, rows: str, mean: npt.ArrayLike, scale: npt.ArrayLike) -> str:
        return self.op("Div", self.op("Sub", rows, self.constant(mean)), self.constant(scale))

    def columns(self, rows: str, start: int, stop: int) -> str:
        ends = (self.constant([each], np.int64) for each in (start, stop, 1))
        return self.op("Slice", rows, *ends)

    def double(self, value: str) -> str:
        from onnx import TensorProto

        return self.op("Cast", value, to=TensorProto.DOUBLE)

    def saved(self, *, takes: str, width: int, result: str, gives: str, columns: int) -> bytes:
        """The model's file: ``takes`` float32 (n, width) to ``gives`` float32 (n, columns), what ``result`` names.

        Raises:
            onnx.checker.ValidationError: what was written is no ONNX.
        """
        import onnx
        from onnx import TensorProto, helper

        last = helper.make_node("Cast", [result], [gives], name=gives, to=TensorProto.FLOAT)
        graph = helper.make_graph(
            [*self._nodes, last],
            "head",
            [helper.make_tensor_value_info(takes, TensorProto.FLOAT, ["photos", width])],
            [helper.make_tensor_value_info(gives, TensorProto.FLOAT, ["photos", columns])],
            self._constants,
        )
        model = helper.make_model(
            graph,
            producer_name="hilltop",
            ir_version=_IR_VERSION,
            opset_imports=[helper.make_opsetid("", _OPSET)],
        )
        onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString())
