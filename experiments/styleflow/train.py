"""Train StyleFlow on the labels of `ffhq`: `python -m experiments.styleflow.train`.

A training that is killed resumes where it was. Prints the log-likelihood of held-out faces, by the
flow and by a Gaussian that knows no attributes.
"""

from __future__ import annotations

import math
import sys
from argparse import ArgumentParser
from collections.abc import Sequence

import torch
from attrs import frozen
from torch import Tensor, nn

from experiments.command_line import add_steps, exit_code_of
from experiments.laboratory.loop import Stateful, average_into, kept_network
from experiments.statements import declared_model
from experiments.styleflow.flow import Attributes, StyleFlow
from lacelang.classifiers import labels
from lacelang.classifiers.labels import split
from lacelang.engine.loading import Model, labels_of, load
from lacelang.ir import ModelSpec
from lacelang.progress import Progress, shown

SEED = 21
STEPS = 4000
BATCH = 128
RATE = 1e-3
DECAY = 0.995
HELD_OUT = 0.05
_CLIP = 1.0
_PROBES = 4


@frozen(eq=False)
class Faces:
    """Whitened w (N, d) and rows of attributes (N, K) of labelled faces."""

    u: Tensor
    rows: Tensor

    def __len__(self) -> int:
        return len(self.u)


@frozen(eq=False)
class Flow:
    """A trained flow, its attributes, the labelled faces, and the model.

    `train` are the faces it learned from, `held` those that it has not seen.
    """

    network: StyleFlow
    attributes: Attributes
    train: Faces
    held: Faces
    model: Model
    seconds: float


class Training:
    """The flow, its optimiser, and as the result the average flow."""

    def __init__(self, network: StyleFlow, faces: Faces, batch: int = BATCH) -> None:
        torch.manual_seed(SEED)
        self.faces, self.batch = faces, batch
        self.network = network.train()
        with torch.no_grad():
            network.norm.mean.copy_(faces.u.mean(0))
            network.norm.deviation.copy_(faces.u.std(0))
        self.average = StyleFlow(faces.u.shape[1], faces.rows.shape[1])
        self.average.load_state_dict(network.state_dict())
        self.result: nn.Module = self.average
        self.optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
        self.parts: dict[str, Stateful] = {
            "network": network,
            "average": self.average,
            "steps": self.optimiser,
        }

    def step(self, number: int) -> None:
        """Ascend the likelihood of one batch."""
        rows = torch.randint(len(self.faces), (self.batch,))
        loss = -self.network.log_likelihood(self.faces.u[rows], self.faces.rows[rows]).mean()
        self.optimiser.zero_grad()
        (loss / self.faces.u.shape[1]).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP)
        self.optimiser.step()
        average_into(self.average, self.network, DECAY)


def trained(spec: ModelSpec, progress: Progress, steps: int = STEPS) -> Flow:
    """Return the flow of a model's labels, trained now unless the cache has it."""
    model = load(spec, "cpu", progress)
    examples = labels.load(labels_of(spec)).examples(model.generator)
    columns = {name: torch.from_numpy(column) for name, column in examples.columns.items()}
    attributes = Attributes(spec.attributes, columns)
    u = model.generator.whiten(torch.from_numpy(examples.w)).float()
    rows = attributes.rows(columns)
    kept, held = (torch.from_numpy(each) for each in split(examples, HELD_OUT, SEED))
    train, apart = Faces(u[kept], rows[kept]), Faces(u[held], rows[held])
    network = StyleFlow(u.shape[1], attributes.size)

    def begin() -> Training:
        torch.manual_seed(SEED)
        return Training(StyleFlow(u.shape[1], attributes.size), train)

    seconds = kept_network(f"styleflow/{spec.name}", network, begin, steps, progress)
    return Flow(network, attributes, train, apart, model, seconds)


def likelihoods(flow: Flow) -> tuple[float, float]:
    """Mean log-likelihood of held-out faces, by the flow and by a Gaussian of the training faces.

    In nats for a face; the flow's trace is of four random directions.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        found = torch.stack(
            [
                flow.network.log_likelihood(flow.held.u.clone(), flow.held.rows, steps=8)
                for _ in range(_PROBES)
            ]
        )
    mean, deviation = flow.train.u.mean(0), flow.train.u.std(0)
    z = (flow.held.u - mean) / deviation
    gaussian = -0.5 * z.square().sum(1) - deviation.log().sum()
    gaussian = gaussian - 0.5 * z.shape[1] * math.log(2 * math.pi)
    return float(found.mean()), float(gaussian.mean())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = ArgumentParser("python -m experiments.styleflow.train")
    add_steps(parser, STEPS)
    parsed = parser.parse_args(arguments)

    def work() -> int:
        with shown() as progress:
            flow = trained(declared_model(), progress, parsed.steps)
        own, gaussian = likelihoods(flow)
        print(f"{flow.seconds:.0f} s of processor time; held-out log-likelihood {own:.1f} nats,")
        print(f"by a Gaussian that knows no attributes {gaussian:.1f}")
        return 0

    return exit_code_of(work)


if __name__ == "__main__":
    sys.exit(main())
