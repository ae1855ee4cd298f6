"""Fetch a network's published weights: to a temporary name, verified, then renamed."""

from cortiscope import job, zoo


def main(architecture: str, name: str, checksum: str, weights: str) -> None:
    url, digest_prefix = zoo.weights_source({"architecture": architecture, "weights": name})
    zoo.download(url, weights, checksum or digest_prefix)


if __name__ == "__main__":
    job.run(main)
