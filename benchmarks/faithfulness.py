"""The effect of each sampler on attributes that the condition does not mention.

    python benchmarks/faithfulness.py [--samples 256] [--json docs/ffhq/faithfulness.json]

For each condition on ffhq, rejection draws a reference. Every sampler's samples are then compared
with it, for each attribute, by the Kolmogorov-Smirnov statistic of the classifiers' predictions; no
image is decoded. Rejection itself, with another seed, shows the effect of chance alone.
Times are processor times per sample, in batches of 64.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import lacelang
from experiments.predictions import distances, predict
from experiments.statements import loaded_model
from lacelang import ir

CONDITIONS = ("glasses=1", "glasses=1 and smile=0")
REFERENCE = 4000
SAMPLERS = (
    "rejection",
    "heun",
    "heun(typical=0)",
    "exponential",
    "langevin",
    "langevin(preset=paper)",
    "pc",
    "smc",
    "mala",
    "hmc",
)
#: 1 % of exact samples have a larger statistic than this divided by sqrt(n m / (n + m)).
ONE_PERCENT = 1.63


def sample(condition: str, sampler: str, count: int, seed: int):
    """Run a group in memory; return it, its statement, and its seconds for each sample."""
    source = f"sample {count} from ffhq where {condition} with {sampler} seed {seed} as group"
    program = lacelang.compile(source)
    began = time.process_time()
    group = program.run()["group"]
    return group, program.samples[0], (time.process_time() - began) / count


def compare(condition: str, sampler: str, count: int, reference) -> dict[str, object]:
    group, statement, seconds = sample(condition, sampler, count, seed=2)
    predictions = predict(loaded_model(statement), group.latents, statement.truncation)
    asked = {one.attribute.name for one in ir.comparisons(statement.where)}
    apart = distances(predictions, reference, ())
    free = {name: apart[name] for name in apart if name not in asked}
    result: dict[str, object] = {
        "sampler": sampler,
        "ms": round(1e3 * seconds, 1),
        "evaluations": round(float(group.stats.nfe.double().mean()), 1),
        "converged": sum(status.name == "converged" for status in group.status),
        "energy": round(float(group.energy.mean()), 3),
        "norm": round(float(group.latents.norm(dim=1).mean()), 2),
        "mean": round(sum(free.values()) / len(free), 3),
        "worst": round(max(free.values()), 3),
        "worst_attribute": max(free, key=lambda name: free[name]),
        "ks": {name: round(value, 3) for name, value in apart.items()},
    }
    for name, values in group.extra.items():
        shares = values.double().exp()
        result[name] = round(float(shares.mean().log()), 3)
        result["bias_at_most"] = round(float(0.5 * (shares / shares.mean() - 1).abs().mean()), 3)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    arguments = parser.parse_args()
    count = arguments.samples
    sample("glasses=1", "langevin(steps=1)", 1, seed=0)  # so that loading is not timed
    results = {}
    for condition in CONDITIONS:
        exact, statement, _ = sample(condition, "rejection", REFERENCE, seed=1)
        reference = predict(loaded_model(statement), exact.latents, statement.truncation)
        energy = float(exact.energy.mean())
        print(f"\n{condition}: exact energy {energy:.3f}", end="; ")
        limit = ONE_PERCENT * ((count + REFERENCE) / (count * REFERENCE)) ** 0.5
        print(f"1 % of exact samples lie beyond {limit:.3f} in an attribute\n", flush=True)
        print("| sampler | KS, mean | KS, worst | energy | norm of z | evaluations | ms a sample |")
        print("| --- | --: | --- | --: | --: | --: | --: |")
        rows = []
        for sampler in SAMPLERS:
            row = compare(condition, sampler, count, reference)
            rows.append(row)
            print(
                f"| `{row['sampler']}` | {row['mean']:.3f} | {row['worst']:.3f} "
                f"{row['worst_attribute']} | {row['energy']:.2f} | {row['norm']:.1f} | "
                f"{row['evaluations']:.0f} | {row['ms']:.1f} |",
                flush=True,
            )
        results[condition] = {
            "samples": count,
            "reference": REFERENCE,
            "exact_energy": round(energy, 3),
            "one_percent": round(limit, 3),
            "samplers": rows,
        }
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
