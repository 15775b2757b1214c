"""A classifier of images that steers latents: the paper's third space, as far as it is feasible.

The whole way back through the decoder at 1024 x 1024 takes seconds for one evaluation of one face.
So pictures are those of `thumbnails`, at 64 x 64, and the classifier is the same network as in the
other spaces, on the principal components of such a picture. It is trained on the thumbnails of
labelled latents, and never sees a latent.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from attrs import evolve, frozen
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from lacelang.classifiers.examples import Examples
from lacelang.classifiers.labels import Labels
from lacelang.classifiers.training import Progress as OnEpoch
from lacelang.classifiers.training import TrainResult, train
from lacelang.engine.loading import Model, Outputs, load
from lacelang.engine.sampling import sample_task
from lacelang.engine.schema import schema_of
from lacelang.evaluate.thumbnails import Thumbnails, fitted, folder
from lacelang.evaluate.trained import trained
from lacelang.ir import ModelSpec, SampleStatement
from lacelang.samplers.solution import Status
from lacelang.storage.cache import whole_file
from lacelang.storage.latents import Latents
from lacelang.system.threads import Pool
from lacelang.system.torch_state import one_thread

if TYPE_CHECKING:
    from lacelang.progress import Progress, Stage

#: Every so many labelled rows one is painted, and the principal components that are kept.
EVERY = 4
COMPONENTS = 256
_SHARD = 100
_BATCH = 10


@frozen(eq=False)
class View:
    """Truncated w (N, 512) → what the classifier sees, (N, COMPONENTS), differentiable.

    Attributes:
        thumbnails: paints.
        mean, basis: of the thumbnails' principal components, (P,) and (P, COMPONENTS).
    """

    thumbnails: Thumbnails
    mean: Tensor
    basis: Tensor

    def __call__(self, w: Tensor) -> Tensor:
        """Paint, and project on the principal components."""
        return (self.thumbnails(w).flatten(1) - self.mean) @ self.basis


class ImageModel(Model):
    """A model whose classifiers look at pictures.

    Args:
        spec: with the classifiers of images.
        whole: the model as declared.
        view: what they are shown.

    Attributes:
        spec: likewise.
        network: the whole decoder.
        explained: how much of its pictures those that the classifiers see explain.
    """

    def __init__(self, spec: ModelSpec, whole: Model, view: View) -> None:
        super().__init__(spec, whole.generator, whole.device)
        self.spec = spec
        self.network = view.thumbnails.network
        self.explained = view.thumbnails.explained
        self._view = view

    def judge(self, z: Tensor, w: Tensor) -> Outputs:
        """What the classifiers say of the pictures of truncated styles w (N, d)."""
        outputs: Outputs = self.heads(self._view(w))
        return outputs


def image_model(spec: ModelSpec, table: Labels, progress: Progress) -> ImageModel:
    """Paint thumbnails and train their classifier, where the cache does not hold them.

    Raises:
        UsageError: the model's decoder is not known to paint small pictures.
        ResourceError: weights cannot be had, or the cache cannot be written.
    """
    whole = load(spec, "cpu", progress)
    thumbnails = fitted(whole, progress)
    examples = table.examples(whole.generator).take(np.arange(0, len(table), EVERY))
    pictures = _painted(thumbnails, folder(whole), examples.w, progress)
    view = View(thumbnails, *_components(pictures, folder(whole)))

    def make(on_epoch: OnEpoch) -> TrainResult:
        seen = ((torch.from_numpy(pictures) - view.mean) @ view.basis).numpy()
        shown = Examples(seen, examples.columns, examples.conditioned)
        return train(shown, schema_of(spec), progress=on_epoch)

    path = trained(spec, f"image-{EVERY}-{COMPONENTS}", make, progress)
    return ImageModel(evolve(spec, classifiers=str(path)), whole, view)


def _painted(
    thumbnails: Thumbnails, kept: Path, w: NDArray[np.float32], progress: Progress
) -> NDArray[np.float32]:
    """Thumbnails (N, 3 · 64 · 64) of truncated w, in [−1, 1]; shards of them stay in the cache."""

    def shard(start: int) -> NDArray[np.uint8]:
        part = w[start : start + _SHARD]
        path = kept / f"{hashlib.sha256(part.tobytes()).hexdigest()[:16]}.safetensors"
        if not path.is_file():
            with one_thread(), torch.inference_mode():
                batches = torch.split(torch.from_numpy(part), _BATCH)
                painted = torch.cat([thumbnails(batch).flatten(1) for batch in batches])
                levels = ((painted + 1) * 127.5).clamp(0, 255).round().to(torch.uint8)
            with whole_file(path) as partial:
                save_file({"pictures": levels}, partial)
        pictures: NDArray[np.uint8] = load_file(path)["pictures"].numpy()
        return pictures

    parts = []
    with (
        progress.stage("painting thumbnails", total=len(w)) as stage,
        Pool(os.cpu_count() or 1, "thumbnails") as pool,
    ):
        for job in [pool.submit(shard, start) for start in range(0, len(w), _SHARD)]:
            parts.append(job.result())
            stage.advance(len(parts[-1]))
    return np.concatenate(parts).astype(np.float32) / np.float32(127.5) - 1


def _components(pictures: NDArray[np.float32], kept: Path) -> tuple[Tensor, Tensor]:
    """Mean (P,) and principal components (P, COMPONENTS) of pictures (N, P), once and for all."""
    path = kept / f"components-{len(pictures)}-{COMPONENTS}.safetensors"
    if not path.is_file():
        x = torch.from_numpy(pictures)
        mean = x.mean(dim=0)
        # There are fewer pictures than pixels: their own products are the smaller problem.
        _, rows = torch.linalg.eigh((x - mean) @ (x - mean).T)
        basis = (x - mean).T @ rows[:, -COMPONENTS:]
        with whole_file(path) as partial:
            save_file({"mean": mean, "basis": (basis / basis.norm(dim=0)).contiguous()}, partial)
    saved = load_file(path)
    return saved["mean"], saved["basis"]


@frozen(eq=False)
class Drawn:
    """Samples of one statement.

    Attributes:
        z: (N, d).
        nfe: evaluations of each, mean.
        seconds: that sampling took one core.
        failed: how many did not converge.
    """

    z: NDArray[np.float32]
    nfe: float
    seconds: float
    failed: int


def draw(
    statements: Sequence[SampleStatement], model: ImageModel, progress: Progress
) -> list[Drawn]:
    """Sample statements by the classifier of images, a core for each; groups stay in the cache."""
    with (
        progress.stage("sampling by the image", total=sum(s.count for s in statements)) as stage,
        Pool(os.cpu_count() or 1, "sampling") as pool,
    ):
        stoppable = _Until(pool.left, stage)
        jobs = [pool.submit(_draw, statement, model, stoppable) for statement in statements]
        return [job.result() for job in jobs]


class _StoppedError(Exception):
    """The group is not wanted any more."""


class _Until:
    """A stage whose work ends at its next step once `left` is set."""

    def __init__(self, left: Event, stage: Stage) -> None:
        self._left = left
        self._stage = stage

    def advance(self, amount: float = 1) -> None:
        if self._left.is_set():
            raise _StoppedError
        self._stage.advance(amount)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        return None


def _draw(statement: SampleStatement, model: ImageModel, stage: Stage) -> Drawn:
    task = sample_task(statement, model, statement.seed or 0)
    name = f"sampled-{task.record.fingerprint}-{statement.count}.safetensors"
    path = folder(model) / name
    if not path.is_file():
        nothing: dict[str, Latents] = {}
        parts = list(task.draw(0, nothing.__getitem__, stage))
        records = [record for part in parts for record in part.records]
        failed = sum(record.status != Status.converged.name for record in records)
        nfe = sum(record.nfe for record in records) / len(records)
        seconds = sum(part.seconds for part in parts)
        found = {
            "z": torch.from_numpy(np.concatenate([part.latents.z for part in parts])),
            "figures": torch.tensor([nfe, seconds, failed], dtype=torch.float64),
        }
        with whole_file(path) as partial:
            save_file(found, partial)
    else:
        stage.advance(statement.count)
    kept = load_file(path)
    nfe, seconds, failed = kept["figures"].tolist()
    return Drawn(kept["z"].numpy(), nfe, seconds, round(failed))
