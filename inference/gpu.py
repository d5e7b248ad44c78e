"""The embedding pipeline of a GPU: read, decode, resize and crop, network, copy back, each busy with another batch.

JPEGs are decoded on the device by TorchCodec (nvJPEG) where it is installed; everything else, and what it refuses, on the
CPU as in ``inference.embed``. Resizing antialiases on the device. The network runs compiled, in bf16, channels-last, on
batches of one size. Copies go through pinned memory, and decoding and network have a CUDA stream each.

Every step also runs with device "cpu" (without streams, pinning or compiling), which is how it is tested where no GPU is.
Vectors agree with ``inference.embed``'s CPU path within bf16 and the difference between two JPEG decoders.
"""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from inference.backbones import Backbone
from inference.batches import EmbeddedBatch, Photo, Pixels, next_batch
from inference.gpu_decode import MOST_PIXELS, decode_jpegs, has_gpu_decoder, resize_and_crop, within_pixels
from inference.photo import DecodeError
from inference.photo.colour import to_srgb
from inference.photo.header import Header, read_header
from inference.photo.pixels import decode_pixels
from inference.pixel_network import pixel_network

logger = logging.getLogger(__name__)

# Batches that are being read and decoded while one is in the network.
_AHEAD = 3


@dataclass(frozen=True)
class _Jpeg:
    """A file for the device's decoder; ``orientation`` as in EXIF."""

    data: bytes
    orientation: int
    pixels: int


@dataclass
class _Ready:
    """A batch on the device: (photos x views, S, S, 3) uint8, and when it will be there."""

    keys: list[str]
    failures: list[tuple[str, DecodeError]]
    pixels: torch.Tensor | None
    done: Any


@dataclass
class _Flight:
    """A batch whose vectors are on their way back."""

    keys: list[str]
    failures: list[tuple[str, DecodeError]]
    vectors: torch.Tensor
    done: Any


class GpuEmbedder:
    """``Embedder.embed`` on one device. Building it compiles the network (tens of seconds, once a process)."""

    def __init__(
        self,
        backbone: Backbone,
        device: str,
        *,
        batch_size: int,
        threads: int,
        max_pixels: int,
        compiled: bool | None = None,
    ) -> None:
        """``compiled``: None compiles on a GPU; where compiling fails the network runs as it is, which the log says."""
        self.backbone = backbone
        self.device = torch.device(device)
        self.batch_size = batch_size
        self.threads = threads
        self.max_pixels = max_pixels
        self._cuda = self.device.type == "cuda"
        self._on_device = has_gpu_decoder()
        if self._cuda and not self._on_device:
            logger.warning(
                "TorchCodec is not installed: JPEGs are decoded on the CPU, which holds the GPU back."
            )
        self._decoding = torch.cuda.Stream(self.device) if self._cuda else None  # type: ignore[no-untyped-call]
        self._computing = torch.cuda.Stream(self.device) if self._cuda else None  # type: ignore[no-untyped-call]
        network = pixel_network(backbone)
        self._network: Any = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self._cuda if compiled is None else compiled:
            self._compile()

    # -- the stream of photos ------------------------------------------------------------------------------------

    def embed(self, photos: Iterable[Photo]) -> Iterator[EmbeddedBatch]:
        source = iter(photos)
        with (
            ThreadPoolExecutor(self.threads, thread_name_prefix="read") as readers,
            ThreadPoolExecutor(1, thread_name_prefix="decode") as decoder,
        ):
            ahead: deque[Future[_Ready]] = deque()
            flying: deque[_Flight] = deque()

            def refill() -> None:
                while len(ahead) < _AHEAD:
                    batch = next_batch(source, self.batch_size)
                    if not batch:
                        return
                    read = [(key, data, readers.submit(self._read, data)) for key, data in batch]
                    ahead.append(decoder.submit(self._decode, read))

            try:
                refill()
                while ahead or flying:
                    if ahead:
                        flying.append(self._launch(ahead.popleft().result()))
                        refill()
                    # The device has the next batch before this one is waited for.
                    if len(flying) > 1 or not ahead:
                        yield self._land(flying.popleft())
            finally:
                for future in ahead:
                    future.cancel()

    def _read(self, data: bytes) -> _Jpeg | Pixels:
        """What the CPU has to do for a photo: nothing but a look at the header of a plain JPEG."""
        if self._on_device and data[:2] == b"\xff\xd8":
            header = read_header(data, max_pixels=self.max_pixels)
            # A device decoder may pass a cut-off file as whole; one that ends as it should can only be damaged inside.
            if _is_as_stored(header) and b"\xff\xd9" in data[-64:]:
                return _Jpeg(data, header.turn, header.pixels)
        return self._read_on_cpu(data)

    def _read_on_cpu(self, data: bytes) -> Pixels:
        preprocessing = self.backbone.preprocessing
        photo = decode_pixels(
            data, max_pixels=self.max_pixels, min_side=preprocessing.min_side, levels=preprocessing.levels
        )
        pixels = preprocessing.pixels(photo)
        return np.repeat(pixels, 3, axis=3) if pixels.shape[3] == 1 else pixels

    def _decode(self, read: Sequence[tuple[str, bytes, Future[_Jpeg | Pixels]]]) -> _Ready:
        """A batch onto the device, in the photos' order."""
        keys: list[str] = []
        failures: list[tuple[str, DecodeError]] = []
        content: list[_Jpeg | Pixels] = []
        for key, _data, future in read:
            try:
                content.append(future.result())
                keys.append(key)
            except DecodeError as error:
                failures.append((key, error))
        with self._on(self._decoding):
            jpegs = [at for at, each in enumerate(content) if isinstance(each, _Jpeg)]
            decoded = self._decode_jpegs([each for each in content if isinstance(each, _Jpeg)])
            squares: dict[int, torch.Tensor] = {}
            for at, result in zip(jpegs, decoded, strict=True):
                if isinstance(result, DecodeError):
                    failures.append((keys[at], result))
                else:
                    squares[at] = result
            arrays = [at for at, each in enumerate(content) if isinstance(each, np.ndarray)]
            if arrays:
                uploaded = self._upload(np.stack([content[at] for at in arrays]))  # type: ignore[misc]
                squares.update(zip(arrays, uploaded, strict=True))
            order = sorted(squares)
            pixels = torch.cat([squares[at] for at in order]) if order else None
            return _Ready([keys[at] for at in order], failures, pixels, self._event())

    def _decode_jpegs(self, jpegs: Sequence[_Jpeg]) -> list[torch.Tensor | DecodeError]:
        """(views, S, S, 3) uint8 on the device for each file, or why there is none.

        Whole photos lie on the device only as many at a time as ``MOST_PIXELS`` allows; their squares are small.
        """
        out: list[torch.Tensor | DecodeError] = []
        for group in within_pixels([jpeg.pixels for jpeg in jpegs], MOST_PIXELS):
            out += self._decode_group(jpegs[group.start : group.stop])
        return out

    def _decode_group(self, jpegs: Sequence[_Jpeg]) -> list[torch.Tensor | DecodeError]:
        try:
            photos = decode_jpegs(
                [jpeg.data for jpeg in jpegs], [jpeg.orientation for jpeg in jpegs], self.device
            )
            return list(resize_and_crop(photos, self.backbone.preprocessing))
        except RuntimeError as error:  # a damaged file, or no memory for so many
            refused = str(error)
        # Out of the handler: its traceback would keep the photos that had no room.
        if len(jpegs) > 1:
            # It does not say which file it did not like: halves, until that one is alone.
            half = len(jpegs) // 2
            return self._decode_group(jpegs[:half]) + self._decode_group(jpegs[half:])
        logger.info("a JPEG goes to the CPU: %s", refused)
        try:
            # The CPU knows the file's fault, or takes it as it is.
            return [self._upload(self._read_on_cpu(jpegs[0].data))]
        except DecodeError as failure:
            return [failure]

    def _launch(self, ready: _Ready) -> _Flight:
        """Start the network on a batch, and the copy of its vectors to the host."""
        dim = self.backbone.dim
        if ready.pixels is None:
            return _Flight(ready.keys, ready.failures, torch.empty(0, dim), None)
        with self._on(self._computing):
            if self._cuda:
                torch.cuda.current_stream(self.device).wait_event(ready.done)
                ready.pixels.record_stream(torch.cuda.current_stream(self.device))
            vectors = self.forward(ready.pixels)
            home = torch.empty(vectors.shape, dtype=torch.float32, pin_memory=self._cuda)
            home.copy_(vectors, non_blocking=True)
            return _Flight(ready.keys, ready.failures, home, self._event())

    def _land(self, flight: _Flight) -> EmbeddedBatch:
        if flight.done is not None:
            flight.done.synchronize()
        return EmbeddedBatch(flight.keys, flight.vectors.numpy(), flight.failures)

    # -- the network ---------------------------------------------------------------------------------------------

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(photos x views, S, S, 3) uint8 on the device to (photos, dim) float32 there, at most ``batch_size`` photos."""
        views = self.backbone.preprocessing.views
        count = len(pixels)
        if count < self.batch_size * views and self._is_compiled:
            # One shape only, or each last batch would be compiled anew.
            pixels = torch.cat([pixels, pixels.new_zeros(self.batch_size * views - count, *pixels.shape[1:])])
        with torch.inference_mode(), torch.autocast(self.device.type, dtype=torch.bfloat16):
            vectors: torch.Tensor = self._network(pixels)
        return vectors[: count // views].float()

    @property
    def _is_compiled(self) -> bool:
        return hasattr(self._network, "_orig_mod")

    def _compile(self) -> None:
        plain = self._network
        self._network = torch.compile(plain, dynamic=False)
        try:
            self.forward(self.ready_pixels())
        except Exception as error:  # no compiler on the machine, or an operator that it cannot take
            logger.warning("%s runs uncompiled: %s", self.backbone.name, str(error).partition("\n")[0])
            self._network = plain

    def ready_pixels(self) -> torch.Tensor:
        """A batch that lies on the device, of random pixels."""
        side = self.backbone.input_size
        shape = (self.batch_size * self.backbone.preprocessing.views, side, side, 3)
        return torch.randint(0, 256, shape, dtype=torch.uint8, device=self.device)

    # -- the device ----------------------------------------------------------------------------------------------

    def _upload(self, array: Pixels) -> torch.Tensor:
        host = torch.from_numpy(array)
        return host.pin_memory().to(self.device, non_blocking=True) if self._cuda else host

    def _on(self, stream: Any) -> contextlib.AbstractContextManager[Any]:
        return torch.cuda.stream(stream) if stream is not None else contextlib.nullcontext()

    def _event(self) -> Any:
        if not self._cuda:
            return None
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record(torch.cuda.current_stream(self.device))
        return event


def forward_only(embedder: GpuEmbedder, count: int) -> None:
    """The network on ``count`` photos that lie ready on the device, nothing copied back: the rate to be reached."""
    pixels = embedder.ready_pixels()
    for _start in range(0, count, embedder.batch_size):
        embedder.forward(pixels)
    if embedder.device.type == "cuda":
        torch.cuda.synchronize(embedder.device)


def decode_only(embedder: GpuEmbedder, photos: Iterable[Photo]) -> None:
    """Everything before the network: bytes to pixels on the device."""
    source = iter(photos)
    with (
        ThreadPoolExecutor(embedder.threads) as readers,
        ThreadPoolExecutor(1) as decoder,
    ):
        waiting: deque[Future[_Ready]] = deque()
        while batch := next_batch(source, embedder.batch_size):
            read = [(key, data, readers.submit(embedder._read, data)) for key, data in batch]
            waiting.append(decoder.submit(embedder._decode, read))
            if len(waiting) > _AHEAD:
                waiting.popleft().result()
        for future in waiting:
            future.result()
    if embedder.device.type == "cuda":
        torch.cuda.synchronize(embedder.device)


def _is_as_stored(header: Header) -> bool:
    """Whether any decoder of JPEGs gives the photo's colours."""
    mode = header.image.mode
    return header.format == "JPEG" and mode in ("RGB", "L") and to_srgb(mode, header.profile) is None
