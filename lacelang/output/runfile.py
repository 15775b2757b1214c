"""`run.json`: what was asked, and what each sample became. Schema 2; schema 1 is still read.

    schema, lacelang        of this file, and of the program that wrote it
    program                 name, and source text
    versions                of the libraries that a sample's last bits depend on
    complete                false until everything that the program asks for is there
    groups[]                one for each `sample` and `edit`, in the program's order
      name, folder, condition, fingerprint, seed, count, settings{}
      latents, sheet        paths inside the run's folder
      atoms[]               text, attribute, reading, low, high, unit, negated
      samples[]             index, seed, file, latent{file, row}, energy, status, readings{},
                            nfe, accepted, rejected; seen{} if an `expect` had it judged, and
                            extra{}, what else its sampler found out, such as log_evidence
      steps[]               of an edit, its lines: text, layers (null for all), atoms[]; then each
                            sample has steps[] too, its start and where each line took it: energy,
                            status, nfe, accepted, rejected, readings{}
    measures[]              name, what, given, model, truncation, seed, fingerprint, draws,
                            given_draws, value, low, high, decided
    expectations[]          text, group, wanted, seen, holds, faces, failing[]
    timing                  all that differs between two runs of one command

Schema 1 had neither `measures` nor `expectations` nor `seen`.

Two runs of one command on one machine agree in everything but `timing`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from attrs import asdict

from lacelang.errors import ResourceError
from lacelang.output.files import folder_name, write_atomic
from lacelang.output.records import (
    Atom,
    ExpectationRecord,
    GroupRecord,
    MeasureRecord,
    Reading,
    RunRecord,
    SampleRecord,
    Seen,
    StepPlan,
    StepRecord,
)

SCHEMA = 2
NAME = "run.json"
LATENTS = "latents.safetensors"
SHEET = "sheet.png"
FILMS = "edits"
_WIDTH = 110


def write_run(folder: Path, run: RunRecord) -> None:
    """Write `run` to `folder`/run.json, whole or not at all.

    Raises:
        ResourceError: the disk is full, or the folder cannot be written.
    """
    write_atomic(folder / NAME, (_pretty(to_json(run)) + "\n").encode())


def read_run(folder: Path) -> RunRecord | None:
    """Return the run that `folder` holds; None if there is no run.json.

    Raises:
        ResourceError: it cannot be read, is damaged, or has a later schema than this one.
    """
    path = folder / NAME
    remedy = "move it away, or choose another folder with --out"
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ResourceError(f"{path} cannot be read: {error.strerror}", remedy) from error
    except ValueError as error:
        raise ResourceError(f"{path} is damaged, or no run of lacelang", remedy) from error
    schema = data.get("schema") if isinstance(data, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise ResourceError(f"{path} was written by a later version of lacelang", remedy)
    try:
        return from_json(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ResourceError(f"{path} is damaged, or no run of lacelang", remedy) from error


def to_json(run: RunRecord) -> dict[str, Any]:
    """Return `run` as the value that run.json holds."""
    return {
        "schema": SCHEMA,
        "lacelang": run.versions.get("lacelang", ""),
        "program": {"name": run.program, "source": run.source},
        "versions": dict(run.versions),
        "complete": run.complete,
        "groups": [_group_to_json(group) for group in run.groups],
        "measures": [asdict(measure) for measure in run.measures],
        "expectations": [_expectation_to_json(expected) for expected in run.expectations],
        "timing": dict(run.timing),
    }


def from_json(data: Mapping[str, Any]) -> RunRecord:
    """Return the run that `to_json` made `data` from.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: `data` is something else.
    """
    return RunRecord(
        program=str(data["program"]["name"]),
        source=str(data["program"]["source"]),
        versions=dict(data["versions"]),
        groups=tuple(_group_from_json(group) for group in data["groups"]),
        measures=tuple(_measure_from_json(each) for each in data.get("measures", ())),
        expectations=tuple(_expectation_from_json(e) for e in data.get("expectations", ())),
        complete=bool(data["complete"]),
        timing=dict(data["timing"]),
    )


def rounded(value: float) -> float | None:
    """`value` to six digits, as run.json keeps it; None where it is not finite."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _group_to_json(group: GroupRecord) -> dict[str, Any]:
    latents = f"{group.folder}/{LATENTS}"
    return {
        "name": group.name,
        "folder": group.folder,
        "condition": group.condition,
        "fingerprint": group.fingerprint,
        "seed": group.seed,
        "count": group.count,
        "settings": dict(group.settings),
        "latents": latents,
        "sheet": f"{group.folder}/{SHEET}",
        "atoms": [_atom_to_json(atom) for atom in group.atoms],
        **({"steps": [_plan_to_json(step) for step in group.steps]} if group.steps else {}),
        "samples": [
            {
                "index": sample.index,
                "seed": group.seed,
                "file": sample.file,
                "latent": {"file": latents, "row": row},
                "energy": sample.energy,
                "status": sample.status,
                "readings": dict(sample.readings),
                "nfe": sample.nfe,
                "accepted": sample.accepted,
                "rejected": sample.rejected,
                **({"extra": dict(sample.extra)} if sample.extra else {}),
                **({} if sample.seen is None else {"seen": dict(sample.seen)}),
                **({"steps": [_step_to_json(s) for s in sample.steps]} if sample.steps else {}),
            }
            for row, sample in enumerate(group.samples)
        ],
    }


def _group_from_json(data: Mapping[str, Any]) -> GroupRecord:
    folder = str(data["folder"])
    if folder_name(folder) != folder:
        # Files under it may be removed: a forged name must not lead out of the run's folder.
        raise ValueError(f"{folder} is no folder of a group")
    return GroupRecord(
        name=str(data["name"]),
        folder=folder,
        condition=str(data["condition"]),
        fingerprint=str(data["fingerprint"]),
        seed=int(data["seed"]),
        count=int(data["count"]),
        settings=dict(data["settings"]),
        atoms=tuple(_atom_from_json(atom) for atom in data["atoms"]),
        samples=tuple(
            SampleRecord(
                index=int(sample["index"]),
                energy=_number(sample["energy"]),
                status=str(sample["status"]),
                nfe=int(sample["nfe"]),
                readings={str(k): _number(v) for k, v in sample["readings"].items()},
                accepted=int(sample["accepted"]),
                rejected=int(sample["rejected"]),
                file=None if sample["file"] is None else str(sample["file"]),
                extra={str(k): _number(v) for k, v in sample.get("extra", {}).items()},
                seen=_seen(sample.get("seen")),
                steps=tuple(_step_from_json(step) for step in sample.get("steps", ())),
            )
            for sample in data["samples"]
        ),
        steps=tuple(_plan_from_json(step) for step in data.get("steps", ())),
    )


def _plan_to_json(step: StepPlan) -> dict[str, Any]:
    layers = None if step.layers is None else list(step.layers)
    atoms = [_atom_to_json(atom) for atom in step.atoms]
    return {"text": step.text, "layers": layers, "atoms": atoms}


def _plan_from_json(data: Mapping[str, Any]) -> StepPlan:
    layers = data["layers"]
    return StepPlan(
        text=str(data["text"]),
        layers=None if layers is None else tuple(int(layer) for layer in layers),
        atoms=tuple(_atom_from_json(atom) for atom in data["atoms"]),
    )


def _step_to_json(step: StepRecord) -> dict[str, Any]:
    return {
        "energy": step.energy,
        "status": step.status,
        "nfe": step.nfe,
        "accepted": step.accepted,
        "rejected": step.rejected,
        "readings": dict(step.readings),
    }


def _step_from_json(data: Mapping[str, Any]) -> StepRecord:
    return StepRecord(
        energy=_number(data["energy"]),
        status=str(data["status"]),
        nfe=int(data["nfe"]),
        accepted=int(data["accepted"]),
        rejected=int(data["rejected"]),
        readings={str(k): _number(v) for k, v in data["readings"].items()},
    )


def _measure_from_json(data: Mapping[str, Any]) -> MeasureRecord:
    return MeasureRecord(
        name=str(data["name"]),
        what=str(data["what"]),
        given=None if data["given"] is None else str(data["given"]),
        model=str(data["model"]),
        truncation=float(data["truncation"]),
        seed=int(data["seed"]),
        fingerprint=str(data["fingerprint"]),
        draws=int(data["draws"]),
        given_draws=int(data["given_draws"]),
        value=_number(data["value"]),
        low=_number(data["low"]),
        high=_number(data["high"]),
        decided=_number(data["decided"]),
    )


def _expectation_to_json(expected: ExpectationRecord) -> dict[str, Any]:
    return {
        "text": expected.text,
        "group": expected.group,
        "wanted": expected.wanted,
        "seen": rounded(expected.seen),
        "holds": expected.holds,
        "faces": expected.faces,
        "failing": list(expected.failing),
    }


def _expectation_from_json(data: Mapping[str, Any]) -> ExpectationRecord:
    return ExpectationRecord(
        text=str(data["text"]),
        group=str(data["group"]),
        wanted=float(data["wanted"]),
        faces=int(data["faces"]),
        failing=tuple(int(index) for index in data["failing"]),
    )


def _seen(data: Mapping[str, Any] | None) -> Seen | None:
    return None if data is None else {str(name): _number(v) for name, v in data.items()}


def _atom_to_json(atom: Atom) -> dict[str, Any]:
    # JSON has no infinity; a side without a bound is null.
    return {
        "text": atom.text,
        "attribute": atom.attribute,
        "reading": atom.reading,
        "low": atom.low if math.isfinite(atom.low) else None,
        "high": atom.high if math.isfinite(atom.high) else None,
        "unit": atom.unit,
        "negated": atom.negated,
    }


def _atom_from_json(data: Mapping[str, Any]) -> Atom:
    low, high = _number(data["low"]), _number(data["high"])
    return Atom(
        text=str(data["text"]),
        attribute=str(data["attribute"]),
        reading=cast(Reading, str(data["reading"])),
        low=-math.inf if low is None else low,
        high=math.inf if high is None else high,
        unit=None if data["unit"] is None else str(data["unit"]),
        negated=bool(data["negated"]),
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _pretty(value: Any, indent: str = "") -> str:
    """JSON with a line for what fits on one, so that a sample reads as a row."""
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if len(indent) + len(line) <= _WIDTH or not isinstance(value, dict | list) or not value:
        return line
    inner = indent + "  "
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(k)}: {_pretty(v, inner)}" for k, v in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + _pretty(item, inner) for item in value) + f"\n{indent}]"
