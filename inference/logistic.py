"""L2 multinomial logistic regression for many strengths and folds at once, on a CPU or a GPU.

Standardised rows are rotated onto their singular directions, once for all folds; rows fewer than features are rotated into
their own span, where a fit costs what its labels cost and not what its features cost. There

    M = h * diag(mean squares of the directions) + penalty,   h = sum_i weight_i * p_i * (1 - p_i)  for each class,

is close to the diagonal of the Hessian, cheap to keep up to date, and the metric from which L-BFGS starts (Liu & Nocedal
1989; Böhning 1992 bounds the Hessian by the same matrix with h = 1/2). Problems that share rows are solved together: one
matrix product serves all their classes, they keep step lengths of their own, and leave when they are done. Logits are
linear in the weights, so an iteration costs two matrix products, wherever its line search ends.

Two classes need one weight vector, more need one a class, both as scikit-learn has it, so that strengths mean the same.

Knows nothing of folds' making, calibration or class names: columns are 0 .. k - 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from inference.threads import ordered_map

Array = npt.NDArray[np.float64]
Columns = npt.NDArray[np.intp]

_MEMORY = 8
_MAX_ITERATIONS = 300
# A fit stops when at most half of this squared is left to gain a label, in nats: held out, that is far below what a label
# can tell (and what scikit-learn's tolerance of 1e-4 leaves); the head that stays is worth more care.
_HELD_OUT_TOLERANCE = 2e-3
_FINAL_TOLERANCE = 5e-4
# Share of the median deviation added to every deviation; without it, log-loss on ELPV at 100 labels is .08 worse.
_FLOOR = 0.1
# Up to this size (rows * directions) all folds are one batch in float64; larger, each is a task of its own in float32.
_SMALL = 300_000
_STRENGTHS_A_TASK = 5
_BLOCK = 4_096


@dataclass(frozen=True)
class Space:
    """All rows in the coordinates in which problems are solved.

    Attributes:
        mean, scale: (d,) standardisation: deviations of all rows, with a floor.
        basis: (d, r) orthonormal directions.
        design: (n, r + 1) coordinates of the rows, and a column of ones.
        spectrum: (r + 1,) mean squares of the design's columns.
    """

    mean: Tensor
    scale: Tensor
    basis: Tensor
    design: Tensor
    spectrum: Tensor

    @property
    def is_small(self) -> bool:
        return self.design.dtype == torch.float64


def space_of(rows: npt.NDArray[np.floating], *, device: str = "cpu") -> Space:
    """The coordinates of rows (n, d); inside ``threads.one_thread_each``."""
    n, d = rows.shape
    small = n * min(n, d) <= _SMALL
    X = _tensor(np.asarray(rows, dtype=np.float64 if small else np.float32)).to(device)
    mean, scale = _standardisation(X)
    X = X - mean.to(X.dtype)
    X /= scale.to(X.dtype)
    if n <= d:
        values, left = torch.linalg.eigh((X @ X.T).double())
        keep = values > 1e-10 * values[-1].clamp_min(1e-300)
        values, left = values[keep], left[:, keep]
        root = values.sqrt()
        basis = X.T @ (left / root).to(X.dtype)
        turned = (left * root).to(X.dtype)
        spectrum = values / n
    else:
        blocks = _blocks(X)
        parallel = device == "cpu" and not small
        gram = sum(ordered_map(lambda block: block.T @ block, blocks, parallel=parallel), torch.zeros(()))
        values, basis = torch.linalg.eigh(gram)
        turned = torch.cat(list(ordered_map(lambda block: block @ basis, blocks, parallel=parallel)))
        spectrum = values.clamp_min(0.0) / n
    ones = torch.ones((n, 1), dtype=X.dtype, device=X.device)
    return Space(
        mean,
        scale,
        basis,
        torch.cat([turned, ones], dim=1),
        torch.cat([spectrum.to(X.dtype), ones[0]]),
    )


def standardisation(rows: npt.NDArray[np.floating]) -> tuple[Array, Array]:
    """(d,) means and (d,) deviations of rows (n, d), with a floor under the deviations."""
    mean, scale = _standardisation(_tensor(rows))
    return mean.numpy(), scale.numpy()


def _tensor(rows: npt.NDArray[np.floating]) -> Tensor:
    # torch shares memory with what it is given, and warns where that cannot be written, as in a memory map.
    return torch.as_tensor(rows if rows.flags.writeable else rows.copy())


def _standardisation(X: Tensor) -> tuple[Tensor, Tensor]:
    # Sums over many rows in float64, also where the rows are float32.
    mean = X.mean(dim=0, dtype=torch.float64)
    scale = _mean_squares(X, mean).sqrt()
    # A channel that hardly fires in a hundred rows may fire anywhere else: divided by its tiny deviation it would shout.
    return mean, scale + _FLOOR * scale.median() + 1e-9


def _blocks(X: Tensor) -> list[Tensor]:
    return [X[start : start + _BLOCK] for start in range(0, len(X), _BLOCK)]


def _mean_squares(X: Tensor, mean: Tensor) -> Tensor:
    total = torch.zeros_like(mean)
    for block in _blocks(X):
        total += (block - mean.to(X.dtype)).square().sum(dim=0, dtype=torch.float64)
    return total / max(len(X), 1)


def held_out_logits(
    space: Space, column: Columns, weight: Array, fold: Columns, strengths: Sequence[float], n_classes: int
) -> Iterator[tuple[int, Array]]:
    """Logits of each fold's rows from fits on the other folds' rows.

    Args:
        column: (n,) classes.
        weight: (folds, n) positive weights of the rows; a fold's own are not looked at.
        fold: (n,) 0 .. folds - 1.

    Yields:
        (fold, (S, rows of the fold, n_classes) logits), fold by fold as they are done; -inf for a class that the other
        folds do not hold.
    """
    folds = range(len(weight))
    held = [np.flatnonzero(fold == f) for f in folds]
    inside = [np.flatnonzero(fold != f) for f in folds]
    order = np.argsort(strengths)
    if space.is_small or space.design.is_cuda:
        # Folds whose training rows hold the same classes are one batch; held-out rows weigh nothing.
        batches: dict[tuple[int, ...], list[int]] = {}
        for f in folds:
            batches.setdefault(tuple(np.unique(column[inside[f]]).tolist()), []).append(f)
        for present, members in batches.items():
            masked = np.stack([np.where(fold == f, 0.0, weight[f]) for f in members])
            rows = np.flatnonzero(np.isin(column, present) & (masked > 0).any(axis=0))
            theta = solve(
                space.design[_index(rows, space)],
                np.searchsorted(present, column[rows]),
                masked[:, rows],
                np.tile(np.asarray(strengths, dtype=np.float64), len(members)),
                len(present),
                space.spectrum,
            ).reshape(len(members), len(strengths), -1, space.design.shape[1])
            for position, f in enumerate(members):
                yield (
                    f,
                    _logits_of(space.design[_index(held[f], space)], theta[position], present, n_classes),
                )
        return

    blocks = [order[at : at + _STRENGTHS_A_TASK] for at in range(0, len(order), _STRENGTHS_A_TASK)]

    def one(task: tuple[int, npt.NDArray[np.intp]]) -> Array:
        f, block = task
        present = tuple(np.unique(column[inside[f]]).tolist())
        theta = solve(
            space.design[_index(inside[f], space)],
            np.searchsorted(present, column[inside[f]]),
            weight[f, inside[f]][None],
            np.asarray(strengths, dtype=np.float64)[block],
            len(present),
            space.spectrum,
        )
        return _logits_of(space.design[_index(held[f], space)], theta, present, n_classes)

    # The weak strengths, which take longest, first.
    tasks = [(f, block) for f in folds for block in reversed(blocks)]
    out = np.empty((0, 0, 0))
    for (f, block), logits in zip(tasks, ordered_map(one, tasks), strict=True):
        if block is blocks[-1]:
            out = np.empty((len(strengths), len(held[f]), n_classes))
        out[block] = logits
        if block is blocks[0]:
            yield f, out


def coefficients(
    space: Space, column: Columns, weight: Array, strengths: Sequence[float], n_classes: int
) -> tuple[Array, Array]:
    """Fits on all rows: (S, k, d) weights and (S, k) intercepts on raw features; every class must have rows."""
    theta = solve(
        space.design,
        column,
        weight[None],
        np.asarray(strengths, dtype=np.float64),
        n_classes,
        space.spectrum,
        tolerance=_FINAL_TOLERANCE,
    )
    theta = _two_columns(theta) if n_classes == 2 else theta
    coef = (theta[..., :-1] @ space.basis.T.to(theta.dtype)).double() / space.scale
    bias = theta[..., -1].double() - coef @ space.mean
    return coef.cpu().numpy(), bias.cpu().numpy()


def solve(
    design: Tensor,
    column: Columns,
    weight: Array,
    strengths: Array,
    n_classes: int,
    spectrum: Tensor,
    *,
    tolerance: float = _HELD_OUT_TOLERANCE,
) -> Tensor:
    """Minimise sum_i weight_i * logloss_i + ||W||^2 / (2 * strength) for P problems on the same rows.

    Args:
        design: (n, r + 1), the last column ones, whose weight (the intercept) is not penalised.
        column: (n,) classes 0 .. n_classes - 1.
        weight: (F, n), not negative, for P / F problems each in turn; a row of weight 0 is as good as absent.
        strengths: (P,).
        spectrum: (r + 1,) mean squares of the design's columns.
        tolerance: a problem is done when at most half of its square is left to gain a label, in nats.

    Returns:
        (P, q, r + 1) weights on ``design``: q is 1 for two classes (the logit of the second over the first), else k.
    """
    if n_classes < 2:
        return design.new_zeros((len(strengths), 1, design.shape[1]))
    v = torch.as_tensor(weight, dtype=design.dtype, device=design.device)
    if len(v) > 1:
        v = v.repeat_interleave(len(strengths) // len(v), dim=0)
    problem = _Problem(design, torch.as_tensor(column, device=design.device), n_classes, v)
    penalty = torch.as_tensor(1.0 / strengths, dtype=design.dtype, device=design.device)
    return _minimise(problem, penalty, spectrum, tolerance)


class _Problem:
    """Loss, probabilities and gradient of P problems; logits (P, q, n) lie so that all work runs along the rows."""

    def __init__(self, design: Tensor, column: Tensor, n_classes: int, weight: Tensor) -> None:
        self.design = design
        self.q = 1 if n_classes == 2 else n_classes
        self.weight = weight
        target = torch.nn.functional.one_hot(column, n_classes).T.to(design.dtype)
        self.target = target[n_classes - self.q :]
        self.total = weight.sum(dim=1)

    def logits(self, w: Tensor) -> Tensor:
        return torch.mm(w.reshape(-1, w.shape[2]), self.design.T).reshape(len(w), self.q, -1)

    def gradient(self, residual: Tensor) -> Tensor:
        return torch.mm(residual.reshape(-1, residual.shape[2]), self.design).reshape(
            len(residual), self.q, -1
        )

    def probabilities(self, logits: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """(P, q, n) probabilities and (P,) weighted log-losses, the latter in float64."""
        if self.q == 1:
            p = torch.sigmoid(logits)
            loss = torch.nn.functional.softplus(logits) - logits * self.target
            loss = loss[:, 0]
        else:
            p = logits - logits.amax(dim=1, keepdim=True)
            loss = -(p * self.target).sum(dim=1)
            p.exp_()
            level = p.sum(dim=1, keepdim=True)
            p /= level
            loss += level.log_()[:, 0]
        return p, (loss * weight).sum(dim=1, dtype=torch.float64)


def _minimise(problem: _Problem, penalty: Tensor, spectrum: Tensor, tolerance: float) -> Tensor:
    """Batched L-BFGS; (P, q, r + 1)."""
    p_count, q, width = len(penalty), problem.q, problem.design.shape[1]
    new = problem.design.new_zeros
    result = new((p_count, q, width))
    w, logits = new((p_count, q, width)), new((p_count, q, len(problem.design)))
    shrink = penalty[:, None, None] * torch.cat([spectrum.new_ones(width - 1), spectrum.new_zeros(1)])
    weight = problem.weight.expand(p_count, -1)
    total = problem.total.expand(p_count)
    proba, loss = problem.probabilities(logits, weight)
    gradient = problem.gradient((proba - problem.target) * weight[:, None])
    value = loss
    live = torch.arange(p_count, device=penalty.device)
    history: list[tuple[Tensor, Tensor, Tensor]] = []
    for _ in range(_MAX_ITERATIONS):
        curvature = ((proba - proba.square()) * weight[:, None]).sum(dim=2)
        # A problem that is sure of all its rows has almost no curvature left but its penalty.
        curvature = torch.maximum(curvature, 1e-4 * total[:, None])
        metric = curvature[..., None] * spectrum + shrink
        # The gradient measured in the metric is twice the decrease still to be had, about.
        size = (gradient.square() / metric).sum(dim=(1, 2))
        done = size <= tolerance**2 * total
        if bool(done.any()):
            result[live[done]] = w[done]
            keep = torch.nonzero(~done)[:, 0]
            live = live[keep]
            if len(live) == 0:
                return result
            w, logits, proba, gradient = w[keep], logits[keep], proba[keep], gradient[keep]
            value, metric, shrink = value[keep], metric[keep], shrink[keep]
            weight, total = weight[keep] if len(problem.weight) > 1 else problem.weight, total[keep]
            history = [(step[keep], change[keep], inverse[keep]) for step, change, inverse in history]
        direction = -_two_loop(gradient, metric, history)
        along = problem.logits(direction)
        slope = _dot(gradient, direction)
        # Newton's step length along the direction: exact where the loss is a parabola, and close to it elsewhere.
        spread = proba * along
        second = (spread * along).sum(dim=1)
        second -= spread.square().sum(dim=1) if q == 1 else spread.sum(dim=1).square()
        bend = (second * weight).sum(dim=1) + _dot(shrink * direction, direction)
        length = (-slope / bend.clamp_min(1e-30)).clamp(0.05, 10.0)
        for _ in range(20):
            next_w = torch.addcmul(w, length[:, None, None], direction)
            next_logits = torch.addcmul(logits, length[:, None, None], along)
            proba, loss = problem.probabilities(next_logits, weight)
            next_value = loss + 0.5 * (shrink * next_w.square()).sum(dim=(1, 2), dtype=torch.float64)
            bound = value + 1e-4 * length * slope + _rounding(problem.design) * value.abs()
            worse = next_value > bound
            if not bool(worse.any()):
                break
            length = torch.where(worse, 0.5 * length, length)
        next_gradient = problem.gradient((proba - problem.target) * weight[:, None]) + shrink * next_w
        step, change = next_w - w, next_gradient - gradient
        turn = _dot(step, change)
        # A pair without curvature, from a problem that had stopped moving, counts for nothing.
        inverse = torch.where(turn > 1e-14, 1.0 / turn.clamp_min(1e-14), torch.zeros_like(turn))
        history = [*history[-_MEMORY + 1 :], (step, change, inverse)]
        w, logits, value, gradient = next_w, next_logits, next_value, next_gradient
    result[live] = w
    return result


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(dim=(1, 2))


def _rounding(design: Tensor) -> float:
    return 2e-7 if design.dtype == torch.float32 else 1e-14


def _two_loop(gradient: Tensor, metric: Tensor, history: Sequence[tuple[Tensor, Tensor, Tensor]]) -> Tensor:
    """The L-BFGS product H * gradient, H started from the inverse metric, for each problem."""
    z = gradient.clone()
    factors: list[Tensor] = []
    for step, change, inverse in reversed(history):
        factor = _dot(step, z) * inverse
        factors.append(factor)
        z.addcmul_(change, factor[:, None, None], value=-1.0)
    z /= metric
    for (step, change, inverse), factor in zip(history, reversed(factors), strict=True):
        z.addcmul_(step, (factor - _dot(change, z) * inverse)[:, None, None])
    return z


def _two_columns(theta: Tensor) -> Tensor:
    return torch.cat([-0.5 * theta, 0.5 * theta], dim=1)


def _logits_of(design: Tensor, theta: Tensor, present: Sequence[int], n_classes: int) -> Array:
    """(S, rows, n_classes) logits in float64; -inf for absent classes."""
    if len(present) == 1:
        known = np.zeros((len(theta), len(design), 1))
    else:
        theta = _two_columns(theta) if len(present) == 2 else theta
        product = torch.mm(theta.reshape(-1, theta.shape[2]), design.T).reshape(len(theta), len(present), -1)
        known = product.transpose(1, 2).double().cpu().numpy()
    if len(present) == n_classes:
        return np.asarray(known)
    out = np.full((*known.shape[:2], n_classes), -np.inf)
    out[:, :, list(present)] = known
    return out


def _index(rows: npt.NDArray[np.intp], space: Space) -> Tensor:
    return torch.as_tensor(rows, device=space.design.device)
