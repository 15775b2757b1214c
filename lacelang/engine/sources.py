"""What an edit begins from: a group of the program, or samples on disk."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from attrs import frozen

from lacelang import ir
from lacelang.engine.fingerprint import file_digest
from lacelang.engine.loading import Model
from lacelang.engine.sampling import array
from lacelang.engine.tasks import Available, GroupTask, Rows, Start
from lacelang.errors import ResourceError
from lacelang.generators import Layout
from lacelang.rows import by_rows
from lacelang.storage.given import Given, read_given
from lacelang.storage.latents import Latents, Shards


@frozen(eq=False)
class Source:
    """What an edit begins from."""

    names: tuple[str, ...]  # of the groups that are made before it; none for a file
    seed: int  # of its samples
    count: int
    truncation: float  # psi of its samples
    digest: str  # of all that they depend on
    latents: Callable[[Available], Rows]  # of all of them, given those of groups
    start: Start | None = None  # what they came from that is on disk


def source_on_disk(name: str, saved: ir.Saved, model: Model) -> Source:
    """Begin from samples on disk; a ResourceError if they are gone, or of another model."""
    seed, psi = saved.seed, saved.truncation
    if saved.fingerprint is not None:
        shards = Shards.open(saved.file, saved.fingerprint)
        if not len(shards):
            raise ResourceError(
                f"{saved.file} holds no latents", "name the folder of a saved group"
            )
        start = Start(name, shards.digest, partial(_same, shards))
        return Source((), seed, len(shards), psi, start.digest, lambda made: shards, start)
    generator = model.generator
    layout = Layout(generator.latent_dim, generator.w_mean.shape[0], generator.style_layers)
    given = read_given(saved.file, layout, str(saved.file))
    # What the array means depends on the file's name too, and how it is truncated on the program.
    meant = f"{'z' if given.w is None else given.w.shape} {psi!r}"
    digest = f"{file_digest(saved.file)} {meant}"
    start = Start(name, digest, partial(_latents, given, model, psi))
    return Source((), seed, len(given), psi, digest, lambda made: start.latents(), start)


def source_in_program(task: GroupTask) -> Source:
    """Begin from a group of the program."""
    made, start = task.record, task.start
    psi = float(made.settings["truncation"])
    return Source(
        (made.name,),
        made.seed,
        made.count,
        psi,
        made.fingerprint,
        lambda of: of.latents(made.name),
        start,
    )


def _same(shards: Shards) -> Shards:
    return shards


def _latents(given: Given, model: Model, psi: float) -> Latents:
    """Samples of a file with the input of the decoder: w is truncated already, z is not."""
    if given.w is not None:
        return Latents(given.z, given.w, given.edit_path)
    assert given.z is not None
    z = torch.from_numpy(given.z).to(model.latents_device)
    with torch.no_grad():
        return Latents(given.z, array(by_rows(partial(model.styles, truncation=psi), z)))
