"""Fetch a network's published weights: to a temporary name, verified, then renamed."""

from cortiscope import job
from cortiscope.networks import networks
from cortiscope.networks.weights import download


def main(source: str, architecture: str, name: str, checksum: str, weights: str) -> None:
    row = {
        "model": architecture,
        "source": source,
        "architecture": architecture,
        "weights": name,
    }
    url, digest_prefix = networks.source(row).weights_source()
    download(url, weights, (digest_prefix, checksum))


if __name__ == "__main__":
    job.run(main)
