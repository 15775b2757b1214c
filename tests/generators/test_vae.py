"""The autoencoder of digits: its flow, and digits that two networks read alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from test_generator_contract import WEIGHTS

from lacelang.annotators.digits import READER, SECOND
from lacelang.errors import ResourceError
from lacelang.generators import ARCHITECTURES
from lacelang.generators.vae import DIM
from lacelang.generators.vae.networks import Flow
from lacelang.storage.cache import sha256_of
from lacelang.storage.fetch import WeightsFile

VAE = ARCHITECTURES["vae"]
CPU = torch.device("cpu")


def test_the_flow_is_invertible() -> None:
    torch.manual_seed(0)
    flow, z = Flow().double(), torch.randn(6, DIM, dtype=torch.float64)
    back, logarithm = flow.inverse(flow(z))
    torch.testing.assert_close(back, z)
    jacobian = torch.autograd.functional.jacobian(lambda row: flow(row[None])[0], z[0])
    torch.testing.assert_close(-torch.linalg.slogdet(jacobian).logabsdet, logarithm[0])


def test_two_networks_read_the_same_in_most_images() -> None:
    generator = VAE.load(WEIGHTS["vae"], CPU, threads=1)
    z = torch.randn(200, DIM, generator=torch.Generator().manual_seed(0))
    first, second = READER.load(), SECOND.load()
    seen = [
        (first(image)["digit"], second(image)["second_digit"])
        for image in generator.decode(generator.mapping(z))
    ]
    assert np.mean([a == b for a, b in seen]) > 0.75
    assert len({a for a, _ in seen}) == 10


def test_other_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "digits.safetensors"
    path.write_bytes(b"none")
    with pytest.raises(ResourceError, match="does not hold the weights of a `vae`"):
        VAE.load(WeightsFile(path, sha256_of(path)), CPU)
