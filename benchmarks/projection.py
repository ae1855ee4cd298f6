"""Projections against scikit-learn's SparseRandomProjection: processor time of one thread.

    python benchmarks/projection.py [--quick]

119 stimuli, 802,816 features (the first block of a ResNet at 224 pixels); all take the same array
and are run in turn, so that a busy machine slows all of them. The peer's fit draws its matrix; it
is part of its cost for every layer, since every layer has its own number of features.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from sklearn.random_projection import SparseRandomProjection
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cortiscope.networks import projection

AIMS = {"fold": 150, "exact": 25}


def seconds(work: Callable[..., object], *arguments: object) -> float:
    """Processor time of one run."""
    began = time.process_time()
    work(*arguments)
    return time.process_time() - began


def project(kind: str, values: torch.Tensor) -> None:
    settings = {"components": 4096}  # as many as the peer makes
    projector = projection.make(kind, len(values), values.shape[1], settings, "layer")
    projector.add(values, 0)
    projector.finish()


def main() -> None:
    parser = argparse.ArgumentParser(description="Projections against scikit-learn's.")
    parser.add_argument("--quick", action="store_true", help="a quarter of the features, once")
    quick = parser.parse_args().quick
    n_stimuli, n_features = 119, 802_816 // (4 if quick else 1)
    torch.set_num_threads(1)
    random = np.random.default_rng(0)
    values = torch.from_numpy(random.standard_normal((n_stimuli, n_features), np.float32))
    array = values.numpy()
    peer = SparseRandomProjection(random_state=0)
    times: dict[str, list[float]] = {name: [] for name in ("fit", "transform", *AIMS)}
    with threadpool_limits(1):
        for _ in range(1 if quick else 3):
            times["fit"].append(seconds(peer.fit, array))
            times["transform"].append(seconds(peer.transform, array))
            for kind in AIMS:
                times[kind] += [seconds(project, kind, values) for _ in range(5)]
    middle = {name: float(np.median(found)) for name, found in times.items()}
    total = middle["fit"] + middle["transform"]
    print(f"{n_stimuli} stimuli x {n_features} features, one thread, median processor seconds")
    print(f"scikit-learn: fit {middle['fit']:.2f}, transform {middle['transform']:.2f}")
    for kind, aim in AIMS.items():
        whole, alone = total / middle[kind], middle["transform"] / middle[kind]
        print(
            f"{kind}: {middle[kind]:.3f} s; {whole:.0f} times as fast as fit and transform "
            f"(aim {aim}), {alone:.1f} times as fast as transform alone"
        )


if __name__ == "__main__":
    main()
