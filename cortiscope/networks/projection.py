"""From a layer's activations, (stimulus, feature), to a few thousand components or fewer.

A projector is fed by `add(batch, start)`, in any number of batches, and emptied by `finish()`.
Stimuli that are added again replace what they gave, as after running out of memory: in halves.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np
import torch

from cortiscope.errors import InputError
from cortiscope.networks.gram import CHUNK, chunk_products, principal_coordinates, turned
from cortiscope.networks.projection_kinds import components_asked, is_turned, resolve
from cortiscope.networks.scratch import Rows

GROUP = 1 << 20  # activations folded at a time: 4 MB

Arrays = dict[str, Any]  # features are an array, or `Rows` where they are too many for memory
Outcome = tuple[Arrays, dict[str, Any]]


class Projector(Protocol):
    """What every projection of one layer offers."""

    def add(self, batch: torch.Tensor, start: int) -> None:
        """Take the activations of stimuli start, start + 1, ...: (stimulus, feature)."""

    def finish(self) -> Outcome:
        """Arrays (features, feature_mean, and mean_product or ones) and attributes.

        features: (stimulus, component); feature_mean: (stimulus,), over the layer's n_features.
        Among the attributes is `distance_error`, the expected rms error of squared distances
        between stimuli as a share of them: 0 but for random projections.
        """


def make(
    kind: str,
    n_stimuli: int,
    n_features: int,
    settings: Mapping[str, Any],
    layer: str,
    model: str = "",
) -> Projector:
    """The projector of one layer.

    kind: `exact`, `fold`, `srp`, `none`, or `auto` (see `projection_kinds`; of this layer alone).
    settings: `components` (fold: `auto` if absent; srp: the Johnson–Lindenstrauss dimension if
        absent), `seed`, `scratch` (the folder where features wait that are many).
    Raises InputError for an unknown kind; `finish` raises it for activations that are not finite.
    """
    kind = resolve(kind, n_stimuli, [n_features])
    kinds: dict[str, type[_Base]]
    if kind == "srp" and sparse_components(n_stimuli, settings) >= n_features:
        kind = "none"  # a layer that is small already is kept as it is, as published studies do
    kinds = {"exact": Exact, "fold": Fold, "srp": SparseRandom, "none": Identity}
    if kind not in kinds:
        raise InputError("projection", f"unknown kind {kind!r}", f"use auto, {', '.join(kinds)}")
    where = f"model {model}, layer {layer}" if model else f"layer {layer}"
    return kinds[kind](n_stimuli, n_features, settings, layer, where)


class _Base:
    """What the projections share; see `make` for the settings."""

    def __init__(
        self, n_stimuli: int, n_features: int, settings: Mapping[str, Any], layer: str, where: str
    ) -> None:
        self.n_stimuli = n_stimuli
        self.n_features = n_features
        self.settings = settings
        self.layer = layer
        self.where = where
        self.seed = int(settings.get("seed") or 0)

    def add(self, batch: torch.Tensor, start: int) -> None:
        raise NotImplementedError

    def finish(self) -> Outcome:
        raise NotImplementedError

    def _check_finite(self, values: np.ndarray) -> None:
        if not np.isfinite(values).all():
            raise InputError(
                self.where,
                "activations are not finite (NaN or infinity)",
                "check the weights and the stimuli, or leave this layer out",
            )

    def _rows(self, width: int) -> Rows:
        scratch = str(self.settings.get("scratch") or "")
        return Rows(self.n_stimuli, width, self.where, scratch)

    def _attributes(self, projection: str, dtype: str, error: float = 0.0) -> dict[str, Any]:
        return {
            "projection": projection,
            "seed": self.seed,
            "dtype": dtype,
            "n_features": self.n_features,
            "distance_error": error,
        }


class Exact(_Base):
    """Principal coordinates of the centred Gram matrix: distances and inner products unchanged.

    `finish` gives float64 `features` (at most n − 1 components, by falling variance),
    `mean_product` b_i = (x̄ − m̄)·(x_i − x̄) and the attribute `mean_square` |x̄ − m̄|², with x̄ the
    mean over stimuli and m̄ its mean over features: with these Pearson correlations of the
    activations are exact as well. A batch of all stimuli is consumed on the spot. Smaller ones are
    kept in a file among those of `tempfile`, n_stimuli * n_features * 4 bytes, until `finish`.
    """

    _products: np.ndarray | None = None
    _pivot = 0.0
    _spill: Rows | None = None

    def add(self, batch: torch.Tensor, start: int) -> None:
        if len(batch) == self.n_stimuli:
            chunks = (batch[:, a : a + CHUNK] for a in range(0, self.n_features, CHUNK))
            self._products, self._pivot = self._multiply(chunks)
            return
        self._products = None
        if self._spill is None:
            # Among those of `tempfile`: many times what the features file holds.
            self._spill = Rows(self.n_stimuli, self.n_features, self.where)
        self._spill.put(start, batch.float().cpu().numpy())

    def finish(self) -> Outcome:
        if self._products is None and self._spill is not None:
            self._products, self._pivot = self._multiply(_chunks(self._spill))
            self._spill = None
        assert self._products is not None, "finish() before add()"
        self._check_finite(self._products)
        arrays, mean_square = principal_coordinates(self._products, self._pivot)
        return arrays, {**self._attributes("exact", "float64"), "mean_square": mean_square}

    def _multiply(self, chunks: Iterator[torch.Tensor]) -> tuple[np.ndarray, float]:
        return chunk_products(chunks, self.n_stimuli, self.n_features)


def _chunks(rows: Rows) -> Iterator[torch.Tensor]:
    for piece in rows.columns(16 * CHUNK):  # long ones, since a row lies far from the next
        yield from torch.from_numpy(piece).split(CHUNK, dim=1)


class Fold(_Base):
    """Random signs, blocks of m features, each shifted cyclically at random, added up.

    Feature f of block b goes to component (f + s_b) mod m with a random sign: a sparse random
    projection with one non-zero per feature (Weinberger et al. 2009, eq. 3, by block), unbiased in
    inner products, the relative error of squared distances about sqrt(2/m). A layer of at most m
    features is only turned, so lossless. Signs and shifts follow from seed and layer name alone.
    `ones` is the projection of the all-ones vector. Every stimulus is summed in the same order,
    whatever the batch. Of few stimuli, all is turned once more, into n + 1 components (`turned`).
    """

    def __init__(
        self, n_stimuli: int, n_features: int, settings: Mapping[str, Any], layer: str, where: str
    ) -> None:
        super().__init__(n_stimuli, n_features, settings, layer, where)
        asked = components_asked("fold", n_stimuli, settings.get("components"))
        self.components = min(asked, n_features)
        name = hashlib.blake2b(layer.encode(), digest_size=8).digest()
        random = np.random.default_rng([self.seed, int.from_bytes(name, "little")])
        bits = np.frombuffer(random.bytes(-(-n_features // 8)), np.uint8)
        signs = np.unpackbits(bits, count=n_features).view(np.int8)
        signs *= 2
        signs -= 1
        self._signs: torch.Tensor | None = torch.from_numpy(signs)
        self._shifts = random.integers(0, self.components, -(-n_features // self.components))
        self._features = self._rows(self.components)
        self._sums = np.zeros(n_stimuli)

    def add(self, batch: torch.Tensor, start: int) -> None:
        features = torch.zeros(len(batch), self.components, device=batch.device)
        sums = torch.zeros(len(batch), dtype=torch.float64, device=batch.device)
        self._fold(batch, features, sums)
        values = features.cpu().numpy()
        self._check_finite(values)
        self._features.put(start, values)
        self._sums[start : start + len(batch)] = sums.cpu().numpy()

    def _fold(self, batch: torch.Tensor, features: torch.Tensor, sums: torch.Tensor) -> None:
        """Add `batch` (stimulus, feature) up into features (stimulus, component) and sums."""
        assert self._signs is not None
        self._signs = self._signs.to(batch.device)
        width = self.components
        # Blocks are read in groups that stay in the cache while they are folded and summed.
        length = width * max(1, GROUP // (width * len(batch)))
        shifts = iter(self._shifts.tolist())
        totals = []
        for part, signs in zip(batch.split(length, dim=1), self._signs.split(length), strict=True):
            part, signs = part.float(), signs.float()
            for block, sign in zip(part.split(width, dim=1), signs.split(width), strict=True):
                shift = next(shifts)
                straight = min(block.shape[1], width - shift)  # features that do not wrap round
                features[:, shift : shift + straight].addcmul_(block[:, :straight], sign[:straight])
                if straight < block.shape[1]:
                    rest = features[:, : block.shape[1] - straight]
                    rest.addcmul_(block[:, straight:], sign[straight:])
            whole = part.shape[1] // width * width
            totals.append(part[:, :whole].unflatten(1, (-1, width)).sum(2))  # (stimulus, block)
            if whole < part.shape[1]:
                totals.append(part[:, whole:].sum(1, keepdim=True))
        sums += torch.cat(totals, 1).double().sum(1)

    def finish(self) -> Outcome:
        ones = torch.zeros(1, self.components)
        row = torch.ones(1, 1).expand(1, self.n_features)
        self._signs = None if self._signs is None else self._signs.cpu()
        self._fold(row, ones, torch.zeros(1, dtype=torch.float64))
        self._signs = None
        # Features of a block keep their distance: only those of different blocks meet by chance.
        n_blocks = -(-self.n_features // self.components)
        about = self._attributes(
            "fold", "float32", (2 / self.components * (1 - 1 / n_blocks)) ** 0.5
        )
        means = self._sums / self.n_features
        if is_turned(self.n_stimuli, self.components):
            return self._turned(ones[0], means), about
        return {
            "features": self._features.settled(),
            "feature_mean": means,
            "ones": ones[0].numpy(),
        }, about

    def _turned(self, ones: torch.Tensor, means: np.ndarray) -> Arrays:
        pivot = torch.tensor(means.mean())
        size = self.n_stimuli, self.components
        products, _ = chunk_products(_chunks(self._features), *size, ones, pivot)
        features, one = turned(products, float(pivot), self.components)
        return {"features": features.astype(np.float32), "feature_mean": means, "ones": one}


def sparse_components(n_stimuli: int, settings: Mapping[str, Any]) -> int:
    """Components of `srp`: as set, else the Johnson-Lindenstrauss bound for pairs of stimuli."""
    from sklearn.random_projection import johnson_lindenstrauss_min_dim

    bound = johnson_lindenstrauss_min_dim(n_stimuli, eps=0.1)
    return int(settings.get("components") or bound)


class SparseRandom(_Base):
    """scikit-learn's SparseRandomProjection, seed and all, for parity with published numbers.

    components: absent or 0 for the Johnson–Lindenstrauss dimension at an error of 0.1, which
    depends on the number of stimuli alone (4096 at 119).
    """

    def __init__(
        self, n_stimuli: int, n_features: int, settings: Mapping[str, Any], layer: str, where: str
    ) -> None:
        super().__init__(n_stimuli, n_features, settings, layer, where)
        from sklearn.random_projection import SparseRandomProjection

        projection = SparseRandomProjection(
            n_components=sparse_components(n_stimuli, settings),
            random_state=self.seed,
        )
        # It looks at the shape only; the broadcast array takes no memory.
        self._fitted = projection.fit(np.broadcast_to(np.float32(0), (n_stimuli, n_features)))
        matrix = self._fitted.components_
        self._features = self._rows(matrix.shape[0])
        self._mean = np.zeros(n_stimuli)

    def add(self, batch: torch.Tensor, start: int) -> None:
        values = batch.float().cpu().numpy()
        self._check_finite(values)
        self._features.put(start, self._fitted.transform(values))
        self._mean[start : start + len(values)] = values.mean(1, dtype=np.float64)

    def finish(self) -> Outcome:
        ones = np.asarray(self._fitted.components_.sum(axis=1)).ravel()  # (component,)
        arrays = {"features": self._features.settled(), "feature_mean": self._mean, "ones": ones}
        return arrays, self._attributes("srp", "float32", (2 / len(ones)) ** 0.5)


class Identity(_Base):
    """No projection: the activations themselves, float32; n_stimuli * n_features * 4 bytes."""

    def __init__(
        self, n_stimuli: int, n_features: int, settings: Mapping[str, Any], layer: str, where: str
    ) -> None:
        super().__init__(n_stimuli, n_features, settings, layer, where)
        self._features = self._rows(n_features)
        self._mean = np.zeros(n_stimuli)

    def add(self, batch: torch.Tensor, start: int) -> None:
        values = batch.float().cpu().numpy()
        self._check_finite(values)
        self._features.put(start, values)
        self._mean[start : start + len(values)] = values.mean(1, dtype=np.float64)

    def finish(self) -> Outcome:
        arrays = {
            "features": self._features.settled(),
            "feature_mean": self._mean,
            "ones": np.ones(self.n_features, np.float32),
        }
        return arrays, self._attributes("none", "float32")
