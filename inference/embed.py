"""Photos in, embeddings out, as a stream in the photos' order. A photo that cannot be decoded is reported and stops nothing.

On a CPU each core is a lane: it decodes a few photos, resizes them and runs them through the network (ONNX Runtime, one
thread), then takes the next few. No stage waits for another, no core for a core, and what is in the cache stays there;
measured against one network over all cores beside decoding threads, see docs/log.md, 2026-11-24. On a GPU see
``inference.gpu``.

Knows nothing of where photos are kept or where embeddings go: (key, bytes) pairs in, arrays out.
"""

from __future__ import annotations

import logging
import os
import tempfile
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from inference.backbones import Backbone
from inference.batches import EmbeddedBatch, Floats, Photo, Pixels, next_batch
from inference.onnx_session import open_session
from inference.photo import DecodeError
from inference.photo.pixels import decode_pixels
from inference.pixel_network import export_onnx, pixel_network

if TYPE_CHECKING:
    from inference.gpu import GpuEmbedder

DEFAULT_MAX_PIXELS = 100_000_000
#: Squares that a lane puts through the network at once: more would not stay in its core's cache.
LANE_VIEWS = 4

logger = logging.getLogger(__name__)


class Forward(Protocol):
    """(photos x views, S, S, C) uint8 to (photos, dim) float32; may be called from several threads at once."""

    def __call__(self, pixels: Pixels, /) -> Floats: ...


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
        network_threads: int = 1,
    ) -> None:
        """
        Args:
            backbone: from ``inference.backbones.load``.
            device: "cpu", or a torch device such as "cuda" or "cuda:1"; of no matter where the backbone is ``cpu_only``.
            batch_size: photos in a batch that ``embed`` yields; on a GPU also in a forward pass.
            threads: CPU threads in all; all cores when None.
            cache_dir: where exported networks are kept; None exports into a temporary folder each time.
            max_pixels: photos above this are failures.
            network_threads: CPU threads of one pass through the network; more are for who embeds a few photos alone.
        """
        if batch_size < 1:
            raise ValueError("batch_size must be at least 1.")
        self.backbone = backbone
        self.batch_size = batch_size
        self.threads = threads or len(os.sched_getaffinity(0))
        self.max_pixels = max_pixels
        self.gpu: GpuEmbedder | None = None
        self._forward: Forward | None = None
        if device == "cpu" or backbone.cpu_only:
            self._forward = cpu_forward(backbone, cache_dir, network_threads)
        else:
            from inference.gpu import GpuEmbedder

            self.gpu = GpuEmbedder(
                backbone, device, batch_size=batch_size, threads=self.threads, max_pixels=max_pixels
            )

    def embed(self, photos: Iterable[Photo]) -> Iterator[EmbeddedBatch]:
        """Embed (key, file bytes) pairs, lazily: a few batches ahead of the consumer are held.

        Yields:
            One ``EmbeddedBatch`` for every ``batch_size`` photos taken; smaller ones where files are large, and at the end.
        """
        if self.gpu is not None:
            yield from self.gpu.embed(photos)
            return
        source = iter(photos)
        step = min(self.batch_size, self.lane_photos)
        # Enough to keep every lane busy while the consumer has a batch in hand.
        most_ahead = 1 + -(-2 * self.threads * step // self.batch_size)
        with ThreadPoolExecutor(self.threads, thread_name_prefix="embed") as lanes:
            ahead: deque[list[Future[EmbeddedBatch]]] = deque()

            def refill() -> None:
                while len(ahead) < most_ahead:
                    batch = next_batch(source, self.batch_size)
                    if not batch:
                        return
                    parts = [batch[start : start + step] for start in range(0, len(batch), step)]
                    ahead.append([lanes.submit(self.few, part) for part in parts])

            try:
                refill()
                while ahead:
                    done = joined([future.result() for future in ahead.popleft()], self.backbone.dim)
                    refill()
                    yield done
            finally:
                for futures in ahead:
                    for future in futures:
                        future.cancel()

    @property
    def lane_photos(self) -> int:
        """Photos that a lane puts through the network at once."""
        return max(1, LANE_VIEWS // self.backbone.preprocessing.views)

    def few(self, photos: Sequence[Photo]) -> EmbeddedBatch:
        """Everything from bytes to vectors, for a few (key, file bytes) at once; on a CPU in the calling thread."""
        if self._forward is None:
            return joined(list(self.embed(photos)), self.backbone.dim)
        prepare = self.backbone.preprocessing
        keys: list[str] = []
        pixels: list[Pixels] = []
        failures: list[tuple[str, DecodeError]] = []
        for key, data in photos:
            try:
                decoded = decode_pixels(
                    data, max_pixels=self.max_pixels, min_side=prepare.min_side, levels=prepare.levels
                )
            except DecodeError as error:
                failures.append((key, error))
                continue
            keys.append(key)
            pixels.append(prepare.pixels(decoded))
        return EmbeddedBatch(keys, self._forward(stacked(pixels)) if keys else self._nothing(), failures)

    def _nothing(self) -> Floats:
        return np.empty((0, self.backbone.dim), dtype=np.float32)


def stacked(pixels: Sequence[Pixels]) -> Pixels:
    """Photos of (views, S, S, C) each to one array; grey ones get three channels if any has colour."""
    if len({each.shape[3] for each in pixels}) > 1:
        pixels = [np.repeat(each, 3, axis=3) if each.shape[3] == 1 else each for each in pixels]
    return np.concatenate(pixels)


def joined(parts: Sequence[EmbeddedBatch], dim: int) -> EmbeddedBatch:
    """Parts of one batch, in order, as one."""
    vectors = [part.vectors for part in parts] or [np.empty((0, dim), dtype=np.float32)]
    return EmbeddedBatch(
        keys=[key for part in parts for key in part.keys],
        vectors=np.concatenate(vectors),
        failures=[failure for part in parts for failure in part.failures],
    )


def cpu_forward(backbone: Backbone, cache_dir: Path | None, threads: int = 1) -> Forward:
    """The network in ONNX Runtime; in torch where torch's exporter cannot express it (slower, and said in the log)."""
    if (as_it_came := backbone.as_it_came(threads)) is not None:
        return as_it_came
    try:
        if cache_dir is not None:
            return _kept(backbone, cache_dir, threads)
        with tempfile.TemporaryDirectory() as folder:
            return OnnxForward(export_onnx(backbone, Path(folder)), threads)
    except ValueError:
        raise  # the weights do not fit
    except Exception as error:  # torch's exporter and ONNX Runtime raise what they like
        logger.warning("%s runs in PyTorch, as ONNX Runtime cannot take it: %s", backbone.name, error)
        return EagerForward(backbone)


def _kept(backbone: Backbone, cache_dir: Path, threads: int) -> Forward:
    """By the export that is kept; where that cannot be loaded, as it is damaged, by a new one.

    A network that cannot be exported, or not be loaded fresh from its export, is not tried again by the same versions of
    torch and ONNX Runtime: a file beside the exports says so.
    """
    refused = cache_dir / f"{backbone.content_hash}.no-onnx"
    versions = f"torch {version('torch')}, onnxruntime {version('onnxruntime')}"
    if refused.is_file() and refused.read_text() == versions:
        raise RuntimeError(f"{versions} did not before; to try again, remove {refused}")
    try:
        exported = export_onnx(backbone, cache_dir)
        try:
            return OnnxForward(exported, threads)
        except Exception as error:  # ONNX Runtime raises what it likes
            logger.warning("%s cannot be loaded, and is exported anew: %s", exported.name, error)
            exported.unlink(missing_ok=True)
            return OnnxForward(export_onnx(backbone, cache_dir), threads)
    except (OSError, MemoryError, ValueError):
        raise  # says nothing of the network
    except Exception:
        refused.write_text(versions)
        raise


class OnnxForward:
    """An exported network in ONNX Runtime on ``threads`` CPU threads; with one, in the caller's own."""

    def __init__(self, model: Path, threads: int = 1) -> None:
        self._session = open_session(model, threads)

    def __call__(self, pixels: Pixels, /) -> Floats:
        (vectors,) = self._session.run(["embedding"], {"pixels": pixels})
        return np.asarray(vectors, dtype=np.float32)


class EagerForward:
    """The network in PyTorch as it is, float32, on all of torch's threads: one call at a time."""

    def __init__(self, backbone: Backbone) -> None:
        self._network = pixel_network(backbone)
        self._lock = threading.Lock()

    def __call__(self, pixels: Pixels, /) -> Floats:
        import torch

        with self._lock, torch.inference_mode():
            return np.asarray(self._network(torch.from_numpy(pixels)).numpy(), dtype=np.float32)
