"""`lacelang replay` and `lacelang show`: images, and what they say of how they were made."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from lacelang.cli.streams import print_json
from lacelang.errors import UsageError

if TYPE_CHECKING:
    from lacelang.engine.replay import Replay


def replay_image(arguments: Namespace) -> int:
    """Print an image's program, make the image again, and say how it differs, if it does."""
    if arguments.sample is not None:
        return _replay_sample(arguments)
    from lacelang.engine.consent import ask
    from lacelang.engine.replay import Remaking
    from lacelang.progress import shown
    from lacelang.system.threads import working
    from lacelang.system.torch_state import isolated

    with working(), isolated():
        remaking = Remaking.of(Path(arguments.image), root=arguments.root, photo=arguments.photo)
        ask(remaking.program, arguments.allow_fetch)
        print(remaking.said.program, flush=True)
        with shown() as progress:
            made = remaking.run(arguments.device, progress)
        made = remaking.written(made, arguments.out, arguments.metadata)
    for line in _lines(made, Path(arguments.image)):
        print(line)
    return 0 if made.same else 1


def _replay_sample(arguments: Namespace) -> int:
    from lacelang.engine.consent import ask
    from lacelang.engine.dataset_replay import SampleOfSet
    from lacelang.progress import shown
    from lacelang.storage.datasets.place import is_url, place_of
    from lacelang.storage.files import write_atomic
    from lacelang.system.threads import working
    from lacelang.system.torch_state import isolated

    place = place_of(arguments.image if is_url(arguments.image) else Path(arguments.image))
    with working(), isolated():
        found = SampleOfSet.of(place, arguments.sample, arguments.root)
        ask(found.remaking.program, arguments.allow_fetch)
        print(found.remaking.said.program, flush=True)
        with shown() as progress:
            made = found.made(arguments.device, progress)
    if made.image is not None:
        out = arguments.out or Path(found.name)
        if out.exists() and out.read_bytes() != made.image:
            raise UsageError(f"{out} is there already, and is something else", "out")
        write_atomic(out, made.image)
        what = "the same bytes" if made.same else "other bytes"
        print(f"{out}: {'no image is there' if made.same is None else what}")
    print(f"latents: {'the same' if made.latents else 'others'}")
    for reason in made.reasons:
        print(f"  {reason}")
    return 0 if made.latents and made.same is not False else 1


def _lines(made: Replay, path: Path) -> list[str]:
    lines = [f"{made.file}: {'the same pixels' if made.same else 'other pixels'}"]
    if made.same and made.retouched:
        lines[0] += f" as {path} had when it was made; it was changed since"
    elif made.pixels is None:
        lines.append(f"  {path} cannot be compared: it has another size, or is damaged")
    elif made.pixels:
        apart = made.pixels
        lines.append(
            f"  {100 * apart.share:.3g} % of the pixels differ, by {apart.most} of 255 at most and "
            f"{apart.mean:.3g} on average"
        )
    if not made.same and made.retouched:
        lines.append(f"  {path} itself was changed since it was made")
    lines += [f"  {reason}" for reason in made.reasons]
    if not (made.same or made.reasons):
        lines.append("  versions, weights, options and the kind of processor are the same")
    return lines


def show(arguments: Namespace) -> int:
    """Print what an image or the folder of a run is."""
    from lacelang.render import shown
    from lacelang.storage.provenance import of_image
    from lacelang.storage.reading import find_run
    from lacelang.storage.records import NAME
    from lacelang.system.filenames import as_text
    from lacelang.text.names import nfc

    path = Path(arguments.path)
    if path.is_dir():
        only = None
        if not (path / NAME).is_file() and (path.resolve().parent / NAME).is_file():
            folder, path = nfc(as_text(path.resolve().name)), path.resolve().parent
            run = find_run(path)
            only = next((g.record.name for g in run.groups if g.record.folder == folder), None)
            if only is None:
                raise UsageError(f"{arguments.path} is no group of the run in {path}")
        else:
            run = find_run(path)
        from attrs import evolve

        record = evolve(run.record, groups=tuple(group.record for group in run.groups))
        if arguments.json:
            print_json(shown.run_json(record, only))
        else:
            sys.stdout.writelines(f"{line}\n" for line in shown.run_lines(record, only))
        return 0
    said = of_image(path)
    if arguments.json:
        print_json(shown.image_json(said))
    else:
        sys.stdout.writelines(f"{line}\n" for line in shown.image_lines(said))
        if said.program is not None:
            print(f"\n{said.program}", end="")
    return 0
