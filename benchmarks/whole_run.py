"""The time of a whole run, relative to decoding its faces in the original runtime.

    python benchmarks/whole_run.py [--rounds 3]

Both generate the same 32 faces: `lacelang run programs/zero_shot.lace`, from the start of its
process to the end, with cached weights; and the published synthesis network in OpenVINO, float32,
one image at a time, as in its package, without start-up. Also compares the decoders alone.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from statistics import median

import numpy as np

FACES = 32
ROOT = Path(__file__).resolve().parent.parent


def published_decoder(folder: Path):
    """Compile the unchanged published synthesis network."""
    from lacelang.cli.models import find_model
    from lacelang.generators.openvino_runtime import compile_model
    from lacelang.semantics.weights import weights_of
    from lacelang.storage import fetch

    with zipfile.ZipFile(fetch.obtain(weights_of(find_model("ffhq")))) as wheel:
        wheel.extractall(folder)
    path = folder / "random_face" / "data" / "SynthesisNetwork.xml"
    return compile_model(path)


def time_published(decoder, w: np.ndarray) -> float:
    began = time.perf_counter()
    for row in w:
        decoder(row[None])
    return time.perf_counter() - began


def time_ours(generator, w) -> float:
    began = time.perf_counter()
    for _ in generator.decode(w):
        pass
    return time.perf_counter() - began


def time_run(out: Path) -> float:
    shutil.rmtree(out, ignore_errors=True)
    program = ROOT / "programs" / "zero_shot.lace"
    command = [sys.executable, "-m", "lacelang", "run", str(program), "--out", str(out)]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds

    import torch

    from lacelang.cli.models import find_model
    from lacelang.engine.loading import load
    from lacelang.progress import Silent

    generator = load(find_model("ffhq"), "cpu", Silent()).generator
    z = torch.randn(FACES, generator.latent_dim, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        w = generator.truncate(generator.mapping(z), 0.7)
    generator.prepare()
    with tempfile.TemporaryDirectory() as scratch:
        decoder = published_decoder(Path(scratch))
        decoder(w[:1].numpy())
        next(iter(generator.decode(w[:1])))
        times = [
            (
                time_published(decoder, w.numpy()),
                time_ours(generator, w),
                time_run(Path(scratch) / "out"),
            )
            for _ in range(rounds)
        ]
    theirs, ours, whole = (median(column) for column in zip(*times, strict=True))
    print(f"{FACES} faces, median of {rounds} rounds, {torch.get_num_threads()} threads")
    print(f"  published decoder alone   {theirs:6.2f} s   1.00")
    print(f"  this decoder alone        {ours:6.2f} s   {ours / theirs:.2f}")
    print(f"  whole run                 {whole:6.2f} s   {whole / theirs:.2f}")


if __name__ == "__main__":
    main()
