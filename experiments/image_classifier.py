"""An image classifier that steers latents: the paper's third space, as far as it is feasible.

One evaluation with a gradient through the full decoder takes seconds per face. Images are therefore
small: the decoder's features at 64 x 64 contain the image at that size except for some detail. A
linear readout, fitted to images of the full decoder, converts their channels to colours, for a
tenth of the work. The classifier is the same network as in the other
spaces, on the principal components of such an image. It is trained on thumbnails of labelled
latents; its input never includes a latent.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from attrs import evolve
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from experiments.codes import Drawn
from experiments.statements import seed_of
from experiments.trained import trained
from lacelang.classifiers.draws import Draws
from lacelang.classifiers.labels import Labels
from lacelang.classifiers.training import Progress as OnEpoch
from lacelang.classifiers.training import TrainResult, train
from lacelang.energy import Outputs
from lacelang.engine.loading import Model, load
from lacelang.engine.plan import Plan
from lacelang.engine.sampling import sample_task
from lacelang.engine.sinks.memory import MemorySink
from lacelang.errors import UsageError
from lacelang.generators.mobilestylegan.generator import MobileStyleGAN
from lacelang.ir import ModelSpec, SampleStatement
from lacelang.progress import Progress, Stage
from lacelang.samplers.solution import Status
from lacelang.samplers.streams import prior
from lacelang.storage.cache import cache_dir, kept_arrays
from lacelang.system.threads import Pool
from lacelang.system.torch_state import one_thread

if TYPE_CHECKING:
    from lacelang.generators.mobilestylegan.networks import SynthesisNetwork

SIDE = 64
#: Blocks of the decoder up to that size; the first is of 4 x 4.
BLOCKS = 4
#: Faces for fitting the readout, and for testing it.
FITTED = 32
TRIED = 16
SEED = 5003
TRUNCATION = 0.7
#: Weight of the squared coefficients, in units of the features' mean square.
PENALTY = 1e-6
#: One of so many labelled rows is decoded; and the number of principal components.
EVERY = 4
COMPONENTS = 256
_SHARD = 100
_BATCH = 10

Tensors = Mapping[str, Tensor]


class ImageModel(Model):
    """A model whose classifiers read small images of truncated styles w (N, d).

    Attributes:
        network: the decoder.
        readout: of `readout`.
        components: mean (P,) and basis (P, COMPONENTS) of the images' principal components.
        folder: the folder in the cache.
    """

    def __init__(
        self,
        spec: ModelSpec,
        whole: Model,
        network: SynthesisNetwork,
        readout: Tensors,
        folder: Path,
    ) -> None:
        super().__init__(spec, whole.generator, whole.device)
        self.spec = spec
        self.network, self.readout, self.folder = network, readout, folder
        self.components: Tensors = {}

    def judge_by(self, classifiers: Path) -> None:
        """Use the classifiers of a file."""
        self.spec = self._spec = evolve(self.spec, classifiers=str(classifiers))

    def thumbnails(self, w: Tensor) -> Tensor:
        """Return images (N, 3 · SIDE · SIDE), RGB, nominally in [−1, 1]; differentiable."""
        weight = self.readout["weight"][:, :, None, None]
        features = half_decoded(self.network, w)
        return F.conv2d(features, weight, self.readout["bias"]).flatten(1)

    def projected(self, pictures: Tensor) -> Tensor:
        """Return the principal components (N, COMPONENTS) of the images."""
        return (pictures - self.components["mean"]) @ self.components["basis"]

    def judge(self, z: Tensor, w: Tensor) -> Outputs:
        """Return the classifiers' predictions for the images."""
        outputs: Outputs = self.heads(self.projected(self.thumbnails(w)))
        return outputs


def image_model(spec: ModelSpec, table: Labels, progress: Progress) -> ImageModel:
    """Fit a readout and train classifiers of its images, unless they are in the cache.

    Raises:
        UsageError: the model's decoder does not support small images.
    """
    whole = load(spec, "cpu", progress)
    if not isinstance(whole.generator, MobileStyleGAN):
        raise UsageError(f"no part of the decoder of {whole.name} is known to make small pictures")
    network = whole.generator.synthesis()
    name = f"{whole.weights(conditioned=False)['generator'][:12]}-{BLOCKS}-{FITTED}"
    folder = cache_dir() / "thumbnails-2" / name
    fitted = kept(folder / "readout.safetensors", lambda: _fit(whole, network, progress))
    model = ImageModel(spec, whole, network, fitted, folder)
    examples = table.examples(whole.generator).take(np.arange(0, len(table), EVERY))
    pictures = _pictures(model, examples.w, progress)
    path = folder / f"components-{len(pictures)}-{COMPONENTS}.safetensors"
    model.components = kept(path, lambda: _components(pictures))

    def make(on_epoch: OnEpoch) -> TrainResult:
        shown = evolve(examples, w=model.projected(pictures).numpy())
        return train(shown, spec.attributes, progress=on_epoch)

    model.judge_by(trained(spec, f"image-{EVERY}-{COMPONENTS}", make, progress))
    return model


def kept(path: Path, make: Callable[[], Tensors]) -> Tensors:
    """Return tensors from the cache, computing them if they are missing or damaged."""

    def arrays() -> dict[str, NDArray[np.generic]]:
        return {name: tensor.numpy() for name, tensor in make().items()}

    found = kept_arrays(path, f"computing {path.stem}", arrays)
    return {name: torch.from_numpy(each) for name, each in found.items()}


# Thumbnails


def half_decoded(network: SynthesisNetwork, w: Tensor) -> Tensor:
    """Return the decoder's features (N, C, SIDE, SIDE) for truncated w (N, d)."""
    x: Tensor = network.first(network.input, w, 1.0)
    blocks = zip(network.ups, network.conv1, network.conv2, strict=True)
    for _, (up, conv1, conv2) in zip(range(BLOCKS), blocks, strict=False):
        x = conv2(conv1(up(x, w), w, 1.0), w, 1.0)
    return x


def _fit(model: Model, network: SynthesisNetwork, progress: Progress) -> Tensors:
    z = prior(SEED, range(FITTED + TRIED), model.generator.latent_dim)
    with progress.stage("fitting a readout", total=len(z)) as stage, torch.inference_mode():
        w = model.styles(z, TRUNCATION)
        features, pictures = [], []
        for row, image in zip(w, model.decode(w), strict=True):
            # Every second pixel of every second row is enough.
            features.append(half_decoded(network, row[None])[0, :, ::2, ::2].clone())
            pictures.append(torch.from_numpy(small(image))[:, ::2, ::2])
            stage.advance()
    return readout(torch.stack(features), torch.stack(pictures), FITTED)


def readout(features: Tensor, pictures: Tensor, count: int) -> dict[str, Tensor]:
    """Fit least squares from features (N, C, H, W) to colours (N, 3, H, W), per pixel.

    The first `count` faces are for fitting. Returns `weight` (3, C), `bias` (3,) and `explained`
    (), the explained fraction of the variance of the others.
    """

    def pixels(planes: Tensor) -> Tensor:
        return planes.movedim(1, -1).flatten(0, 2).double()

    x, y = pixels(features[:count]), pixels(pictures[:count])
    mean, middle = x.mean(dim=0), y.mean(dim=0)
    gram = (x - mean).T @ (x - mean) / len(x)
    gram += PENALTY * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
    weight = torch.linalg.solve(gram, (x - mean).T @ (y - middle) / len(x))
    bias = middle - mean @ weight
    tried = pixels(pictures[count:])
    missed = (pixels(features[count:]) @ weight + bias - tried).square().mean()
    explained = 1 - missed / tried.var(dim=0).mean()
    return {"weight": weight.T.float(), "bias": bias.float(), "explained": explained.float()}


def small(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Downsample an image, uint8 (H, W, 3), to float32 (3, SIDE, SIDE) in [−1, 1], by averages."""
    side = image.shape[0] // SIDE
    blocks = image.reshape(SIDE, side, SIDE, side, 3).mean(axis=(1, 3), dtype=np.float32)
    return np.ascontiguousarray(blocks.transpose(2, 0, 1) / np.float32(127.5) - 1)


def _pictures(model: ImageModel, w: NDArray[np.float32], progress: Progress) -> Tensor:
    """Return thumbnails (N, 3 · SIDE · SIDE) of truncated w, in [−1, 1]; shards are cached."""

    def make(part: NDArray[np.float32]) -> Tensors:
        with one_thread(), torch.inference_mode():
            batches = torch.split(torch.from_numpy(part), _BATCH)
            pictures = torch.cat([model.thumbnails(batch) for batch in batches])
            return {"pictures": ((pictures + 1) * 127.5).clamp(0, 255).round().to(torch.uint8)}

    jobs, parts = [], []
    with (
        progress.stage("thumbnails", total=len(w)) as stage,
        Pool(os.cpu_count() or 1, "thumbnails") as pool,
    ):
        for part in (w[start : start + _SHARD] for start in range(0, len(w), _SHARD)):
            name = f"{hashlib.sha256(part.tobytes()).hexdigest()[:16]}.safetensors"
            jobs.append(pool.submit(kept, model.folder / name, partial(make, part)))
        for job in jobs:
            parts.append(job.result()["pictures"])
            stage.advance(len(parts[-1]))
    return torch.cat(parts).float() / 127.5 - 1


def _components(pictures: Tensor) -> Tensors:
    """Return the mean (P,) and principal components (P, COMPONENTS) of images (N, P)."""
    mean = pictures.mean(dim=0)
    # There are fewer images than pixels, so the Gram matrix is the smaller problem.
    _, rows = torch.linalg.eigh((pictures - mean) @ (pictures - mean).T)
    basis = (pictures - mean).T @ rows[:, -COMPONENTS:]
    return {"mean": mean, "basis": basis / basis.norm(dim=0)}


# Sampling


def draw(
    statements: Sequence[SampleStatement], model: ImageModel, progress: Progress
) -> list[Drawn]:
    """Sample statements with the image classifier, one core each; groups stay in the cache."""
    with (
        progress.stage("sampling by the image", total=sum(s.count for s in statements)) as stage,
        Pool(os.cpu_count() or 1, "sampling") as pool,
    ):
        stoppable = _Stoppable(pool, stage)
        jobs = [pool.submit(_draw, statement, model, stoppable) for statement in statements]
        return [job.result() for job in jobs]


class _Stoppable(Stage):
    """A stage whose work stops at the next step after the pool is abandoned."""

    def __init__(self, pool: Pool, stage: Stage) -> None:
        self._pool, self._stage = pool, stage

    def advance(self, amount: float = 1) -> None:
        if self._pool.left.is_set():
            raise RuntimeError("the group is not wanted any more")
        self._stage.advance(amount)


def _draw(statement: SampleStatement, model: ImageModel, stage: Stage) -> Drawn:
    task = sample_task(statement, model, seed_of(statement))

    def make() -> Tensors:
        parts = list(task.draw(0, MemorySink(Plan(()), {}), stage))
        records = [record for part in parts for record in part.records]
        failed = sum(record.status != Status.converged.name for record in records)
        nfe = sum(record.nfe for record in records) / len(records)
        seconds = sum(part.seconds for part in parts)
        z = torch.from_numpy(np.concatenate([part.latents.z for part in parts]))
        return {"z": z, "figures": torch.tensor([nfe, seconds, failed], dtype=torch.float64)}

    name = f"sampled-{task.record.fingerprint}-{statement.count}.safetensors"
    found = kept(model.folder / name, make)
    nfe, seconds, failed = found["figures"].tolist()
    faces = Draws.at(found["z"].numpy(), statement.truncation)
    return Drawn(faces, round(failed), nfe, seconds)
