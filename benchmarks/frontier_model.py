"""A model for the frontier: learned on one half of ELPV, to judge the other.

The half that teaches gives its photos to the domain backbone's statistics (no label has a part in them) and a random
part of them, strictly labeled by simulated people, to the head. The other half is seen by neither. Of several backbones each
has statistics and a head of its own, fused late.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks import fused
from benchmarks.elpv import embed, photos
from benchmarks.embedded import CACHE
from inference import backbones, domain
from inference.backbones import Backbone
from inference.heads import FusedHead, choose_head
from inference.replay import simulate_people

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FLIPS = "flips"


@dataclass(frozen=True)
class Learned:
    """What one seed's model says of ELPV's photos. Column 0 is functional, 1 defective.

    Attributes:
        taught: (t,) photos with ground truths that trained the head.
        ground_truth: (t,) their columns, some of them wrong.
        training_decisions: human decisions that these took.
        half: (h,) the other half's photos.
        proba: (h, 2) its probabilities.
        out_of_fold: (t, 2) probabilities of what taught, each by a fit that had not seen it.
    """

    taught: Ints
    ground_truth: Ints
    training_decisions: int
    half: Ints
    proba: Floats
    out_of_fold: Floats
    kind: str
    backbone: str
    backbone_hash: str


def learn(seed: int, *, training: int, on_domain: bool, backbone: str = "efficientnet_lite0") -> Learned:
    """One seed's halves, simulated people, and the model. ``backbone``: one, several with commas, or "fused".

    Raises:
        ValueError: more training labels than the half has photos.
    """
    _keys, _files, probability = photos()
    order = np.random.default_rng([seed, 23]).permutation(len(probability))
    teaching, half = order[: len(order) // 2], order[len(order) // 2 :]
    if training > len(teaching):
        raise ValueError(f"one half has {len(teaching)} photos; {training} cannot be labeled")
    bases = fused.parts(backbone)
    fused.offer_packaged_weights(bases)
    looks = [_fitted(seed, base, teaching) if on_domain else backbones.load(base) for base in bases]
    vectors = [embed(look) for look in looks]
    truth = (probability > 0.5).astype(np.int64)
    people = simulate_people("strict", truth, np.stack([1.0 - probability, probability], axis=1), seed)
    taught = teaching[:training]
    chosen = [choose_head(each[taught], people.ground_truth[taught], seed=seed) for each in vectors]
    head = chosen[0].head if len(chosen) == 1 else FusedHead.of([each.head for each in chosen])
    return Learned(
        taught=taught,
        ground_truth=people.ground_truth[taught],
        training_decisions=int(people.decisions[taught].sum()),
        half=half,
        proba=head.predict_proba(np.hstack([each[half] for each in vectors])),
        out_of_fold=head.out_of_fold_proba_,
        kind=", ".join(str(each.report["kind"]) for each in chosen),
        backbone=" & ".join(bases),
        backbone_hash=hashlib.sha256("".join(look.content_hash for look in looks).encode()).hexdigest()
        if len(looks) > 1
        else looks[0].content_hash,
    )


def _fitted(seed: int, name: str, teaching: Ints) -> Backbone:
    """The backbone fitted to the photos of one half; kept in ``var/benchmarks`` and taken from there the next time."""
    keys, files, _probability = photos()
    base = backbones.load(name)
    pool = sorted(keys[i] for i in teaching.tolist())
    told = json.dumps([base.content_hash, pool, FLIPS, "auto", seed, domain.VERSION])
    folder = CACHE / "domain" / f"elpv-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
    if not folder.exists():
        print(f"seed {seed}: statistics of {len(pool)} photos ...", file=sys.stderr, flush=True)
        statistics = domain.fit(
            base, pool, files.__getitem__, flips=FLIPS, seed=seed, cache_dir=CACHE / "onnx"
        )
        domain.save(folder, base=name, statistics=statistics, told={"method": "statistics", "seed": seed})
    return domain.load(folder)
