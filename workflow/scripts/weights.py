"""Fetch a network's published weights: to a temporary name, verified, then renamed."""

from cortiscope import job
from cortiscope.networks import torchvision_zoo
from cortiscope.networks.weights import download


def main(architecture: str, name: str, checksum: str, weights: str) -> None:
    row = {"model": architecture, "architecture": architecture, "weights": name}
    url, digest_prefix = torchvision_zoo.weights_source(row)
    download(url, weights, (digest_prefix, checksum))


if __name__ == "__main__":
    job.run(main)
