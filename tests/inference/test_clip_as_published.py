"""What Hugging Face's libraries write of a CLIP and of a SigLIP (small ones, untrained) says here what it says there."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from torch import nn

from inference import backbones
from inference.embed import Embedder
from inference.words import TextEncoder

SIDE, LENGTH = 32, 12
SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
SEEN = SMALL | {"image_size": SIDE, "patch_size": 8}
#: The last is longer than either reads.
TEXTS = ["a red car", "빨간 차", "a long scratch on its door " * 4]


def tokenizer(folder: Path, begin: str, end: str) -> transformers.PreTrainedTokenizerFast:
    made = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    special = [each for each in (begin, end) if each]
    trainer = trainers.BpeTrainer(
        vocab_size=120, special_tokens=special, end_of_word_suffix="</w>", show_progress=False
    )
    made.train_from_iterator(TEXTS, trainer)
    made.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}".strip(),
        special_tokens=[(each, made.token_to_id(each)) for each in special],
    )
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, model_max_length=LENGTH, eos_token=end, pad_token=end
    )
    fast.save_pretrained(folder)
    return fast


def export(module: nn.Module, file: Path, given: dict[str, torch.Tensor], out: str) -> None:
    class Half(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.module = module

        def forward(self, *values: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = getattr(self.module(**dict(zip(given, values, strict=True))), out)
            return found

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Half().eval(),
            tuple(given.values()),
            str(file),
            input_names=list(given),
            output_names=[out],
            dynamic_axes={name: {0: "batch"} for name in given},
            dynamo=False,
        )


def clip(folder: Path) -> tuple[Any, Any, Any]:
    fast = tokenizer(folder, "<|startoftext|>", "<|endoftext|>")
    special = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    text = (
        SMALL | special | {"vocab_size": len(fast), "max_position_embeddings": LENGTH, "projection_dim": 24}
    )
    config = transformers.CLIPConfig(
        text_config=text, vision_config=SEEN | {"projection_dim": 24}, projection_dim=24
    )
    model = transformers.CLIPModel(config).eval()
    words = transformers.CLIPTextModelWithProjection(config.text_config)
    photos = transformers.CLIPVisionModelWithProjection(config.vision_config)
    for half in (words, photos):
        half.load_state_dict(model.state_dict(), strict=False)
    read = dict(fast(TEXTS, padding="max_length", truncation=True, return_tensors="pt"))
    read.pop("token_type_ids", None)
    export(words, folder / "text_model.onnx", read, "text_embeds")
    export(
        photos, folder / "vision_model.onnx", {"pixel_values": torch.zeros(2, 3, SIDE, SIDE)}, "image_embeds"
    )
    prepare = transformers.CLIPImageProcessor(
        size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}
    )
    return model, read, prepare


def siglip(folder: Path) -> tuple[Any, Any, Any]:
    fast = tokenizer(folder, "", "</s>")
    text = SMALL | {"vocab_size": len(fast), "max_position_embeddings": LENGTH, "projection_size": 32}
    special = {"bos_token_id": None, "eos_token_id": 0, "pad_token_id": 0}
    model = transformers.SiglipModel(
        transformers.SiglipConfig(text_config=text | special, vision_config=SEEN)
    ).eval()
    read = {"input_ids": fast(TEXTS, padding="max_length", truncation=True, return_tensors="pt")["input_ids"]}
    export(model.text_model, folder / "text_model.onnx", read, "pooler_output")
    photos = {"pixel_values": torch.zeros(2, 3, SIDE, SIDE)}
    export(model.vision_model, folder / "vision_model.onnx", photos, "pooler_output")
    return model, read, transformers.SiglipImageProcessor(size={"height": SIDE, "width": SIDE})


@pytest.mark.parametrize("make", [clip, siglip])
def test_words_and_photos_have_the_vectors_that_their_publisher_gives_them(make: Any, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, read, prepare = make(tmp_path)
    prepare.save_pretrained(tmp_path)
    backbone = backbones.load(f"clip:{make.__name__}", weights=tmp_path)
    with torch.no_grad():
        np.testing.assert_allclose(
            TextEncoder(backbone)(TEXTS), unit(model.get_text_features(**read)), atol=1e-5
        )

        noise = np.random.default_rng(0).integers(0, 255, (6, 9, 3), dtype=np.uint8)
        photo = Image.fromarray(noise).resize((90, 60), Image.Resampling.BICUBIC)
        photo.save(buffer := io.BytesIO(), format="PNG")
        (batch,) = Embedder(backbone, threads=1).embed([("photo", buffer.getvalue())])
        theirs = unit(model.get_image_features(**prepare(images=photo, return_tensors="pt")))
    # Two ways to round a resized pixel.
    assert (batch.vectors[0] @ theirs[0]) > 0.9999


def unit(given: Any) -> np.ndarray:
    vectors = given if isinstance(given, torch.Tensor) else given.pooler_output
    return (vectors / vectors.norm(dim=-1, keepdim=True)).numpy()
