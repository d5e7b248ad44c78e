"""Photos in, embeddings out, as a stream: decoding overlapped with the network.

On a CPU the network runs in ONNX Runtime (exported once per content hash into a cache folder), on a GPU in torch with
bf16 autocast and channels-last. A photo that cannot be decoded is reported and does not stop the others.

Knows nothing of where photos are kept or where embeddings go: (key, bytes) pairs in, arrays out.
"""

from __future__ import annotations

import copy
import os
import tempfile
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from inference.backbones import Backbone
from inference.decode import DecodeError, decode_rgb

if TYPE_CHECKING:
    import torch

Floats = npt.NDArray[np.float32]

DEFAULT_MAX_PIXELS = 100_000_000


@dataclass(frozen=True)
class EmbeddedBatch:
    """One batch's outcome; keys keep the order in which photos came.

    Attributes:
        keys: of the photos embedded.
        vectors: (len(keys), dim) float32.
        failures: (key, error) of the photos that could not be decoded.
    """

    keys: list[str]
    vectors: Floats
    failures: list[tuple[str, DecodeError]]


class _Forward(Protocol):
    def __call__(self, batch: Floats, /) -> Floats: ...


class Embedder:
    """Embeds photos with one backbone on one device. Building it exports the network if need be (seconds, once)."""

    def __init__(
        self,
        backbone: Backbone,
        device: str = "cpu",
        batch_size: int = 32,
        threads: int | None = None,
        *,
        cache_dir: Path | None = None,
        max_pixels: int = DEFAULT_MAX_PIXELS,
    ) -> None:
        """
        Args:
            backbone: from ``inference.backbones.load``.
            device: "cpu", or a torch device such as "cuda" or "cuda:1".
            batch_size: photos a forward pass.
            threads: CPU threads for decoding and, on a CPU, for the network; all cores when None.
            cache_dir: where exported networks are kept; None exports into a temporary folder each time.
            max_pixels: photos above this are failures.
        """
        if batch_size < 1:
            raise ValueError("batch_size must be at least 1.")
        self.backbone = backbone
        self.batch_size = batch_size
        self.threads = threads or len(os.sched_getaffinity(0))
        self.max_pixels = max_pixels
        self._forward: _Forward
        if device == "cpu":
            self._forward = _OnnxForward(backbone, cache_dir, self.threads)
        else:
            self._forward = _TorchForward(backbone, device)

    def embed(self, photos: Iterable[tuple[str, bytes]]) -> Iterator[EmbeddedBatch]:
        """Embed (key, file bytes) pairs, lazily: at most two batches ahead of the consumer are held.

        Yields:
            One ``EmbeddedBatch`` for every ``batch_size`` photos taken, the last one smaller.
        """
        source = iter(photos)
        with ThreadPoolExecutor(self.threads, thread_name_prefix="decode") as pool:
            ahead: deque[tuple[str, Future[Floats]]] = deque()

            def refill() -> None:
                while len(ahead) < 2 * self.batch_size:
                    item = next(source, None)
                    if item is None:
                        return
                    ahead.append((item[0], pool.submit(self._prepare, item[1])))

            try:
                refill()
                while ahead:
                    batch = [ahead.popleft() for _ in range(min(self.batch_size, len(ahead)))]
                    # The next batch decodes while this one is in the network.
                    refill()
                    yield self._run(batch)
            finally:
                for _, future in ahead:
                    future.cancel()

    def _prepare(self, data: bytes) -> Floats:
        rgb = decode_rgb(data, max_pixels=self.max_pixels, min_side=self.backbone.preprocessing.resize)
        return self.backbone.preprocess(rgb)

    def _run(self, batch: list[tuple[str, Future[Floats]]]) -> EmbeddedBatch:
        keys: list[str] = []
        inputs: list[Floats] = []
        failures: list[tuple[str, DecodeError]] = []
        for key, future in batch:
            try:
                inputs.append(future.result())
                keys.append(key)
            except DecodeError as error:
                failures.append((key, error))
        if inputs:
            vectors = self._forward(np.stack(inputs))
        else:
            vectors = np.empty((0, self.backbone.dim), dtype=np.float32)
        return EmbeddedBatch(keys, vectors, failures)


class _OnnxForward:
    def __init__(self, backbone: Backbone, cache_dir: Path | None, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # Waiting threads would spin on the cores that decoding needs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if cache_dir is None:
            with tempfile.TemporaryDirectory() as folder:
                model = export_onnx(backbone, Path(folder)).read_bytes()
        else:
            model = export_onnx(backbone, cache_dir).read_bytes()
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def __call__(self, batch: Floats, /) -> Floats:
        (vectors,) = self._session.run(["embedding"], {"photo": batch})
        return np.asarray(vectors, dtype=np.float32)


class _TorchForward:
    def __init__(self, backbone: Backbone, device: str) -> None:
        import torch

        self._torch = torch
        self._device = torch.device(device)
        module = copy.deepcopy(backbone.module())
        self._module: torch.nn.Module = module.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def __call__(self, batch: Floats, /) -> Floats:
        torch = self._torch
        with torch.inference_mode(), torch.autocast(self._device.type, dtype=torch.bfloat16):
            photos = torch.from_numpy(batch)
            if self._device.type == "cuda":
                photos = photos.pin_memory()
            photos = photos.to(self._device, memory_format=torch.channels_last, non_blocking=True)
            vectors = self._module(photos).float().cpu().numpy()
        return np.asarray(vectors, dtype=np.float32)


def export_onnx(backbone: Backbone, cache_dir: Path) -> Path:
    """The backbone as an ONNX file in ``cache_dir``, exported unless it is there already.

    Written under a temporary name and renamed, so that processes starting at once never read half a file.
    """
    path = cache_dir / f"{backbone.content_hash}.onnx"
    if path.is_file():
        return path
    import torch

    cache_dir.mkdir(parents=True, exist_ok=True)
    # From a copy: exporting must not touch the module that others hold. Two rows, so that no 1 becomes a constant.
    module = copy.deepcopy(backbone.module())
    sample = torch.zeros(2, 3, backbone.input_size, backbone.input_size)
    handle, temporary = tempfile.mkstemp(dir=cache_dir, prefix=".export-")
    os.close(handle)
    try:
        with warnings.catch_warnings():
            # The exporter without onnxscript is deprecated, yet the only one that our dependencies allow.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module,
                (sample,),
                temporary,
                input_names=["photo"],
                output_names=["embedding"],
                dynamic_axes={"photo": {0: "batch"}, "embedding": {0: "batch"}},
                dynamo=False,
            )
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path
