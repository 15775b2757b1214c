"""Train the encoder of photographs of stdlib/ffhq.lace: `python -m experiments.train_inversion`.

    python -m experiments.train_inversion readouts --out DIR    small images of the first blocks
    python -m experiments.train_inversion faces --out DIR       the faces that it learns from
    python -m experiments.train_inversion encoder --out DIR     what sees a face: w+ of an image
    python -m experiments.train_inversion write --out DIR       all of it as one file

All faces are the generator's own; there is no photograph among them. Every step goes on from what
is in DIR, so that it may be stopped at any time. Then move the file to stdlib/.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from attrs import frozen
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes
from torch import Tensor, nn
from torch.nn import functional as F

from experiments.command_line import exit_code_of
from experiments.encoder_training import fit_head, read_faces
from experiments.photo_like import photo_like
from lacelang.annotators import faces
from lacelang.annotators.networks import torch_network
from lacelang.api import compile
from lacelang.engine.loading import load
from lacelang.generators import openvino_runtime
from lacelang.generators.mobilestylegan.generator import MobileStyleGAN
from lacelang.generators.mobilestylegan.low_resolution import BLOCKS, LowResolution, Readout
from lacelang.inversion.encoder import DIM, GROUPS, STYLES, Head, spread
from lacelang.inversion.features import ImageMaps, Maps
from lacelang.progress import Progress, shown
from lacelang.storage.files import make_folder, write_atomic

SEED = 18
#: Side in pixels of the images that the encoder sees.
SIDE = 128
#: Faces, and how many of them are in a file.
FACES, CHUNK = 4800, 200
#: Faces of full size that the readouts are fitted to.
READOUT_FACES = 280
READOUT_STEPS, CROP = 500, 16
#: The range of truncations of faces, and the share of faces whose groups differ.
TRUNCATION, MIXED = (0.4, 1.0), 0.4
EPOCHS = 16

Tensors = dict[str, Tensor]


@frozen(eq=False)
class Setting:
    """What all steps need: where they work, and the generator."""

    folder: Path
    progress: Progress
    generator: MobileStyleGAN

    def file(self, name: str, make: Callable[[], Tensors]) -> Tensors:
        """Return the tensors of a file in the folder, which is made if it is missing."""
        path = self.folder / f"{name}.safetensors"
        if not path.exists():
            write_atomic(path, to_bytes({k: t.contiguous() for k, t in make().items()}))
        return load_file(path)

    def small(self) -> LowResolution:
        """The first blocks with their readouts."""
        network = LowResolution(self.generator.synthesis(), self.generator.w_mean)
        network.readouts.load_state_dict(self.file("readouts", partial(fit_readouts, self)))
        return network.eval().requires_grad_(False)


def draw_faces(setting: Setting, count: int, seed: int) -> Tensor:
    """Draw w of every group (N, 4, 512): of plain w, and of others the groups differ."""
    generator = setting.generator
    rng = torch.Generator().manual_seed(seed)

    def w() -> Tensor:
        with torch.no_grad():
            drawn = generator.mapping(torch.randn(count, generator.latent_dim, generator=rng))
        psi = torch.empty(count, 1).uniform_(*TRUNCATION, generator=rng)
        return generator.truncate(drawn, psi)

    groups = w()[:, None].repeat(1, len(GROUPS), 1)
    mixed = torch.rand(count, 1, generator=rng) < MIXED
    for k in range(len(GROUPS)):
        share = torch.rand(count, 1, generator=rng) * mixed
        groups[:, k] += share * (w() - groups[:, k])
    return groups


def fit_readouts(setting: Setting) -> Tensors:
    """Fit the layers from planes to small images, to images of full size averaged down."""
    generator, rng = setting.generator, torch.Generator().manual_seed(SEED)
    full = setting.file("full", partial(_full_images, setting))
    styles, images = spread(full["groups"]), full["images"]
    small = LowResolution(generator.synthesis(), generator.w_mean)
    for side, blocks in BLOCKS.items():
        planes = []
        for row in torch.split(styles, 1):
            with torch.no_grad():
                planes.append(small.planes(row, blocks).half())
        pixels = F.interpolate(images.float(), (side, side), mode="area") / 127.5 - 1.0
        style = styles[:, 3 * blocks + 1] - generator.w_mean
        data = torch.cat(planes), F.pixel_unshuffle(pixels, 2), style
        readout = small.readouts[str(side)]
        assert isinstance(readout, Readout)
        missed = _fit_readout(readout, data, rng)
        print(f"readout of {side} pixels: PSNR {missed:.1f} dB of other faces", file=sys.stderr)
    return {k: t.clone() for k, t in small.readouts.state_dict().items()}


def _full_images(setting: Setting) -> Tensors:
    groups = draw_faces(setting, READOUT_FACES, SEED)
    largest = max(BLOCKS)
    images = []
    with setting.progress.stage("decoding", total=len(groups)) as stage:
        for image in setting.generator.decode(spread(groups)):
            planes = torch.from_numpy(image).permute(2, 0, 1)[None].float()
            images.append(F.interpolate(planes, (largest, largest), mode="area")[0].half())
            stage.advance()
    return {"groups": groups, "images": torch.stack(images)}


def _fit_readout(
    readout: Readout, data: tuple[Tensor, Tensor, Tensor], rng: torch.Generator
) -> float:
    """Fit a readout to planes, pixels of 2 × 2 blocks and styles; PSNR of faces left out."""
    planes, pixels, style = data
    known = round(0.9 * len(planes))
    side, crop = planes.shape[2], min(planes.shape[2], CROP)
    # By least squares first, on every 7th pixel.
    a = planes[:known].permute(0, 2, 3, 1).flatten(0, 2)[::7].float()
    b = pixels[:known].permute(0, 2, 3, 1).flatten(0, 2)[::7]
    a = torch.cat((a, torch.ones(len(a), 1)), dim=1)
    solution = torch.linalg.solve(a.T @ a + 1e-2 * torch.eye(a.shape[1]), a.T @ b)
    with torch.no_grad():
        state = {"weight": solution[:-1].T[:, :, None, None], "bias": solution[-1]}
        readout.linear.load_state_dict(state)
        readout.narrow.weight /= planes[:8].float().std()
        for zero in (readout.last, readout.style):
            for parameter in zero.parameters():
                parameter.zero_()
    optimiser = torch.optim.AdamW(readout.parameters(), lr=2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, READOUT_STEPS)
    for _ in range(READOUT_STEPS):
        rows = torch.randint(known, (24,), generator=rng)
        y, x = torch.randint(side - crop + 1, (2,), generator=rng).tolist()
        part = (rows, slice(None), slice(y, y + crop), slice(x, x + crop))
        loss = F.l1_loss(readout.bands(planes[part].float(), style[rows]), pixels[part])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        found = readout.bands(planes[known:].float(), style[known:])
        return float(10 * torch.log10(4.0 / F.mse_loss(found, pixels[known:])))


def make_faces(setting: Setting, chunks: range) -> None:
    """Write the faces with what the encoder sees of them, as they are and like photographs."""
    see = _compiled_maps(setting)
    decode = _compiled_small(setting)
    for number in chunks:
        setting.file(f"faces-{number:03d}", partial(_chunk, setting, decode, see, number))
        print(f"faces: file {number + 1} of {chunks.stop}", file=sys.stderr, flush=True)


def _chunk(
    setting: Setting,
    decode: Callable[[Tensor], Tensor],
    see: Callable[[Tensor], Maps],
    number: int,
) -> Tensors:
    rng = np.random.default_rng((SEED, number))
    groups = draw_faces(setting, CHUNK, SEED + 1 + number)
    images, found = [], []
    for styles in torch.split(spread(groups), 1):
        image = decode(styles)
        pixels = ((image + 1.0) * 127.5).clamp(0, 255).round().to(torch.uint8)[0]
        other = photo_like(pixels.permute(1, 2, 0).contiguous().numpy(), rng)
        like = torch.from_numpy(other).permute(2, 0, 1)[None].float() / 127.5 - 1.0
        images.append(pixels)
        found.append((*see(pixels[None].float() / 127.5 - 1.0), *see(like)))
    names = ("middle", "deep", "colours", "photo.middle", "photo.deep", "photo.colours")
    maps = {
        name: torch.cat(parts).half()
        for name, parts in zip(names, zip(*found, strict=True), strict=True)
    }
    return {"groups": groups, "images": torch.stack(images), **maps}


def _compiled(
    setting: Setting, name: str, network: nn.Module, *examples: Tensor
) -> Callable[..., list[Tensor]]:
    path = setting.folder / f"{name}.xml"
    if not path.exists():
        shapes = [list(each.shape) for each in examples]
        model = openvino_runtime.convert(network.eval(), example_input=examples, input=shapes)
        openvino_runtime.save(model, path)
    compiled = openvino_runtime.compile_model(path, threads=1)
    request = openvino_runtime.request(compiled)

    def run(*arrays: Tensor) -> list[Tensor]:
        request.infer([each.contiguous().numpy() for each in arrays])
        outputs = range(len(compiled.outputs))
        return [torch.tensor(request.get_output_tensor(i).data) for i in outputs]

    return run


def _compiled_maps(setting: Setting) -> Callable[[Tensor], Maps]:
    run = _compiled(setting, "maps", _image_maps(setting), torch.zeros(1, 3, SIDE, SIDE))

    def see(image: Tensor) -> Maps:
        middle, deep, colours = run(image)
        return middle, deep, colours

    return see


class _Small(nn.Module):
    def __init__(self, network: LowResolution) -> None:
        super().__init__()
        self.network = network

    def forward(self, styles: Tensor, strength: Tensor) -> Tensor:
        image: Tensor = self.network(styles, SIDE, strength)
        return image


def _compiled_small(setting: Setting) -> Callable[[Tensor], Tensor]:
    examples = torch.zeros(1, STYLES, DIM), torch.ones(1)
    run = _compiled(setting, "small", _Small(setting.small()), *examples)
    return lambda styles: run(styles, torch.ones(1))[0]


def importance(setting: Setting, count: int = 48) -> Tensors:
    """How much each whitened coordinate of each group changes what is seen, (4, 512), mean 1.

    The squared norms of the columns of a Jacobian, estimated by products with random vectors.
    """
    rng = torch.Generator().manual_seed(SEED)
    small, maps, generator = setting.small(), _image_maps(setting), setting.generator
    total = torch.zeros(len(GROUPS), DIM)
    for whitened in torch.split(generator.whiten(draw_faces(setting, count, SEED - 1)), 1):
        u = whitened.clone().requires_grad_(True)
        image = small(spread(generator.colour(u)), SIDE)
        middle, deep, colours = maps(image)
        seen = [F.avg_pool2d(image, 4), middle, deep, colours]
        loss = sum(
            (each * torch.randn(each.shape, generator=rng)).sum()
            / (each.detach().std() * each.numel() ** 0.5)
            for each in seen
        )
        (gradient,) = torch.autograd.grad(loss, u)
        total += gradient[0].square() / count
    return {"importance": total / total.mean()}


def _image_maps(setting: Setting) -> ImageMaps:
    network = torch_network(faces.__name__, "image_features", setting.progress)
    return ImageMaps(network).eval().requires_grad_(False)


def train_encoder(setting: Setting, epochs: int) -> Tensors:
    """Train the encoder on all faces in the folder."""
    weights = setting.file("importance", partial(importance, setting))["importance"]
    table = read_faces(setting.folder, setting.generator)
    return fit_head(Head(), table, weights, epochs, SEED)


def encoder(setting: Setting, epochs: int = EPOCHS) -> Head:
    """The trained encoder."""
    head = Head()
    head.load_state_dict(setting.file("encoder", partial(train_encoder, setting, epochs)))
    return head.eval().requires_grad_(False)


def write(setting: Setting) -> Path:
    """Write all networks as one file, in half precision."""
    states = {
        name: load_file(setting.folder / f"{name}.safetensors") for name in ("readouts", "encoder")
    }
    tensors = {
        f"{part}.{name}": tensor.half().contiguous()
        for part, state in states.items()
        for name, tensor in state.items()
    }
    path = setting.folder / "ffhq.inversion.safetensors"
    write_atomic(path, to_bytes(tensors))
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = ArgumentParser(
        "python -m experiments.train_inversion", description="Train an encoder."
    )
    parser.add_argument("what", choices=("readouts", "faces", "encoder", "write"))
    parser.add_argument("--out", type=Path, required=True, help="where to work and to write")
    parser.add_argument("--faces", type=int, default=FACES, help="how many; fewer for a try")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="fewer for a try")
    parser.add_argument("--part", default="0/1", help="K/N makes every Nth file, from the Kth")
    parsed = parser.parse_args(arguments)

    def work() -> int:
        with shown() as progress:
            make_folder(parsed.out)
            statement = compile("sample 1 from ffhq").checked.samples[0]
            generator = load(statement.model, "cpu", progress).generator
            assert isinstance(generator, MobileStyleGAN)
            setting = Setting(parsed.out, progress, generator)
            first, of = map(int, parsed.part.split("/"))
            match parsed.what:
                case "readouts":
                    setting.small()
                case "faces":
                    make_faces(setting, range(first, parsed.faces // CHUNK, of))
                case "encoder":
                    encoder(setting, parsed.epochs)
                case _:
                    print(write(setting))
        return 0

    return exit_code_of(work)


if __name__ == "__main__":
    sys.exit(main())
