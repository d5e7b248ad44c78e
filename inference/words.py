"""Words in the space of photos: what a CLIP-like backbone's text encoder makes of them, and photos told apart by them alone.

Knows nothing of projects or where photos are: texts and vectors in, arrays out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from inference.backbones import Backbone, UnknownBackbone, WeightsError
from inference.backbones.clip import TEXT, TOKENIZER, Clip, Graph, file_of

Floats = npt.NDArray[np.float32]

#: Cosines are multiplied by it before the softmax. CLIP learned it and was held to at most this, where it ended (Radford et
#: al. 2021, 2.5); an export of the two encoders does not say it.
SCALE = 100.0
#: In tokens, where neither the graph nor the tokenizer says how long a text is: SigLIP's. CLIP reads up to 77, and a text
#: that is shorter says the same to it however long it is padded.
_LENGTH = 64


class TextEncoder:
    """Texts to vectors beside those of photos. ``length``: tokens of a text; what is longer is cut off."""

    def __init__(self, backbone: Backbone, threads: int = 1) -> None:
        """
        Raises:
            UnknownBackbone: the backbone has no text encoder.
            WeightsError: its files cannot be read, or belong to another image encoder.
        """
        if not isinstance(backbone, Clip):
            raise UnknownBackbone(
                f"{backbone.name} knows no words. Choose a CLIP-like model, clip:NAME, for that."
            )
        self._graph = Graph(file_of(backbone.folder, TEXT), threads)
        self.length, self._tokenizer = _tokenizer(backbone.folder, self._graph)
        self.dim = backbone.dim
        got = self([""]).shape[1]
        if got != self.dim:
            raise WeightsError(
                f"{self._graph.file} gives vectors of {got} numbers, the image encoder beside it of {self.dim}: they do not "
                "belong together. Export the model with its projections."
            )

    def __call__(self, texts: Sequence[str]) -> Floats:
        """(n, dim) of length one, for n texts."""
        read = self._tokenizer.encode_batch(list(texts))
        given: dict[str, npt.NDArray[Any]] = {
            "input_ids": np.array([each.ids for each in read], dtype=np.int64),
            "attention_mask": np.array([each.attention_mask for each in read], dtype=np.int64),
        }
        return self._graph.unit({name: given[name] for name in self._graph.inputs})


def _tokenizer(folder: Path, graph: Graph) -> tuple[int, Tokenizer]:
    """Each text is padded to one length: SigLIP was trained so, and CLIP reads nothing behind a text's end."""
    try:
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        file = folder / "tokenizer_config.json"
        said = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        said_length, pad = said.get("model_max_length", _LENGTH), said.get("pad_token") or ""
        pad = pad.get("content", "") if isinstance(pad, dict) else pad
        fixed = graph.shapes["input_ids"][1]
        length = fixed if isinstance(fixed, int) else int(said_length)
        # Where nothing is known, configurations say a number beyond all reason.
        length = length if length <= 1024 else _LENGTH
        tokenizer.enable_truncation(length)
        tokenizer.enable_padding(pad_id=tokenizer.token_to_id(pad) or 0, pad_token=pad, length=length)
    except Exception as error:  # the tokenizers' library raises nothing narrower
        raise WeightsError(f"The tokenizer in {folder} cannot be read: {error!r}") from error
    if unknown := set(graph.inputs) - {"input_ids", "attention_mask"}:
        raise WeightsError(f"{graph.file} asks for {', '.join(sorted(unknown))}, which is not known here.")
    return length, tokenizer


def class_vectors(encoder: TextEncoder, prompts: Sequence[Sequence[str]]) -> Floats:
    """(k, dim) of length one: of each class the mean of its prompts' vectors (Radford et al. 2021, 3.1.4)."""
    means = np.stack([encoder(each).mean(axis=0) for each in prompts])
    return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), dtype=np.float32)


def prompts_of(name: str, criteria: Sequence[str]) -> list[str]:
    """What is said of a class: CLIP's own sentence, and one for each criterion beside it (Menon & Vondrick 2023)."""
    return [f"a photo of {name}.", *(f"a photo of {name}: {each}" for each in criteria)]


def zero_shot(rows: Floats, classes: Floats) -> Floats:
    """(n, k) probabilities of photos (n, dim) by the classes' vectors (k, dim) alone; no label has a part in them."""
    logits = SCALE * (rows @ classes.T)
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    return np.asarray(logits / logits.sum(axis=1, keepdims=True), dtype=np.float32)
