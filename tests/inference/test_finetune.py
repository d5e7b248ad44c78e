"""Fine-tuning learns what a frozen head cannot see, and is judged on what it never saw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from inference import domain, train
from inference.backbones import Backbone
from inference.backbones.preprocessing import Preprocessing
from inference.finetune import Diverged, FineTuned, Recipe, fine_tune
from inference.heads import LogisticHead, TooFewLabels
from inference.selfsup import Augmentation

SIDE = 24
#: Large steps for a tiny network; the classes are told by direction, which only mirroring along both axes keeps.
QUICK = Recipe(
    epochs=20, batch_size=16, lr=2e-2, head_lr=2e-2, share=1.0, augmentation=Augmentation(scale=0.0)
)


class Blind(nn.Module):
    """Pools a map of filters that are their own transpose: it cannot tell lying stripes from standing ones."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.filters = nn.Conv2d(3, 8, 5, padding=2, bias=False)
        raw = torch.randn(8, 1, 5, 5, generator=generator)
        self.filters.weight.data = ((raw + raw.transpose(2, 3)) / 10).repeat(1, 3, 1, 1)

    def maps(self, photos: torch.Tensor) -> list[torch.Tensor]:
        return [self.filters(photos).relu()]

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        (found,) = self.maps(photos)
        return torch.cat([found.amax(dim=(2, 3)), found.mean(dim=(2, 3))], dim=1)


@pytest.fixture(scope="module")
def blind(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    torch.set_num_threads(1)
    file = tmp_path_factory.mktemp("weights") / "blind"
    file.write_bytes(b"no weights")
    return Backbone(
        name="blind",
        dim=16,
        preprocessing=Preprocessing(resize=SIDE, size=SIDE),
        architecture="blind",
        features="stages",
        weights=file,
        build=lambda _: Blind(),
    )


def stripes(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Squares with lying (0) or standing (1) stripes, of random width and phase, and noise."""
    rng = np.random.default_rng(seed)
    y = np.arange(count) % 2
    squares = np.empty((count, SIDE, SIDE, 3), np.uint8)
    for row, standing in enumerate(y):
        wave = np.sin(np.arange(SIDE) * rng.uniform(0.8, 1.6) + rng.uniform(0, 6))
        pixels = np.tile(wave, (SIDE, 1)) if standing else np.tile(wave, (SIDE, 1)).T
        noisy = 128 + 70 * pixels + rng.normal(0, 20, pixels.shape)
        squares[row] = np.clip(noisy, 0, 255).astype(np.uint8)[:, :, None]
    return squares, y


def embed(
    backbone: Backbone, squares: np.ndarray, state: dict[str, torch.Tensor] | None = None
) -> np.ndarray:
    network = Blind()
    if state is not None:
        network.load_state_dict(state)
    with torch.no_grad():
        return np.asarray(network(torch.from_numpy(backbone.preprocessing.normalised(squares))).numpy())


@pytest.fixture(scope="module")
def tuned(blind: Backbone) -> FineTuned:
    squares, y = stripes(100)
    return fine_tune(blind, squares, y, recipe=QUICK)


def test_it_learns_what_a_frozen_head_cannot(blind: Backbone, tuned: FineTuned) -> None:
    squares, y = stripes(100)
    frozen = train.train_head(
        embed(blind, squares), [str(each) for each in y], ["0", "1"], seed=0, kinds=("logistic",)
    )
    assert (frozen.oof_proba.argmax(axis=1) == y).mean() < 0.7
    assert (tuned.oof_proba.argmax(axis=1) == y).mean() > 0.9
    fresh, truth = stripes(200, seed=9)
    vectors = embed(blind, fresh, tuned.state)
    assert (tuned.head.predict(vectors) == truth).mean() > 0.9, "what comes out is the network and its head"


def test_its_folds_are_those_of_the_frozen_head(blind: Backbone, tuned: FineTuned) -> None:
    from inference.heads.folds import stratified_folds

    _squares, y = stripes(100)
    assert (tuned.fold == stratified_folds(y, 5, 0)).all()
    np.testing.assert_allclose(tuned.oof_proba.sum(axis=1), 1.0)


def test_near_duplicates_are_tuned_on_and_judged_together(blind: Backbone) -> None:
    squares, y = stripes(20)
    twice = np.repeat(np.arange(20), 2)
    found = fine_tune(blind, squares[twice], y[twice], groups=twice, recipe=replace(QUICK, epochs=1))
    assert (found.fold[::2] == found.fold[1::2]).all() and len(set(found.fold)) == 5


def test_out_of_fold_is_out_of_fold(blind: Backbone) -> None:
    """On labels that mean nothing an honest figure is near chance, whatever the network learned by heart."""
    squares, _y = stripes(60)
    y = np.random.default_rng(3).permutation(np.arange(60) % 2)
    found = fine_tune(blind, squares, y, recipe=replace(QUICK, epochs=8))
    assert (found.oof_proba.argmax(axis=1) == y).mean() < 0.75


def test_the_same_seed_gives_the_same_network(blind: Backbone) -> None:
    squares, y = stripes(40)
    short = replace(QUICK, epochs=2)
    one, two = (fine_tune(blind, squares, y, recipe=short) for _ in range(2))
    assert all(torch.equal(one.state[name], two.state[name]) for name in one.state)
    np.testing.assert_array_equal(one.oof_proba, two.oof_proba)
    other = fine_tune(blind, squares, y, recipe=replace(short, seed=1))
    assert any(not torch.equal(one.state[name], other.state[name]) for name in one.state)


def test_progress_counts_every_step_and_may_stop_it(blind: Backbone) -> None:
    squares, y = stripes(40)
    seen: list[tuple[int, int]] = []
    fine_tune(
        blind,
        squares,
        y,
        recipe=replace(QUICK, epochs=1),
        on_progress=lambda done, total: seen.append((done, total)),
    )
    totals = {total for _done, total in seen}
    assert len(totals) == 1 and [done for done, _ in seen] == list(range(1, totals.pop() + 1))

    class Stop(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        fine_tune(blind, squares, y, recipe=QUICK, on_progress=stop)


@pytest.mark.parametrize("epochs", [1, 4])
def test_a_loss_that_is_no_number_is_said_and_makes_no_head(blind: Backbone, epochs: int) -> None:
    squares, y = stripes(40)
    with pytest.raises(Diverged):
        fine_tune(blind, squares, y, recipe=replace(QUICK, lr=1e20, head_lr=1e20, epochs=epochs))


def test_what_does_not_belong_together_is_refused(blind: Backbone) -> None:
    squares, y = stripes(40)
    with pytest.raises(ValueError, match="need squares"):
        fine_tune(blind, squares[:39], y, recipe=QUICK)
    with pytest.raises(ValueError, match="one view"):
        fine_tune(blind.with_views(name="blind+flips", flips="flips"), squares, y, recipe=QUICK)
    with pytest.raises(TooFewLabels):
        fine_tune(blind, squares, np.zeros(40), recipe=QUICK)


def test_a_tuned_network_is_a_backbone_like_any_other(
    blind: Backbone, tuned: FineTuned, tmp_path: Path
) -> None:
    from safetensors.torch import save_file

    file = tmp_path / "weights.safetensors"
    save_file(tuned.state, file)
    backbone = domain.with_weights(blind, file, name="domain:tuned")
    fresh, truth = stripes(60, seed=4)
    with torch.no_grad():
        vectors = backbone.module()(torch.from_numpy(blind.preprocessing.normalised(fresh))).numpy()
    assert backbone.content_hash != blind.content_hash
    assert (tuned.head.predict(vectors) == truth).mean() > 0.9
    arrays = tuned.head.to_arrays()
    again = LogisticHead.from_arrays(arrays, tuned.head.classes_.tolist())
    np.testing.assert_array_equal(again.predict_proba(vectors), tuned.head.predict_proba(vectors))
