"""What the page asks for, and what it is answered: plain values in, plain values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lacelang import ir
from lacelang.api import Program
from lacelang.api import compile as compiled
from lacelang.errors import Diagnostic, UsageError, WayOut
from lacelang.language.document import Document
from lacelang.repl.warm import Warming
from lacelang.semantics import defaults
from lacelang.semantics.modules import library_models
from lacelang.syntax import nodes
from lacelang.syntax.format import format_source
from lacelang.syntax.grammar import keywords
from lacelang.syntax.parser import read
from lacelang.text.numerals import number_text
from lacelang.web.studio import assist, changes
from lacelang.web.studio.files import ExistsError, Files
from lacelang.web.studio.positions import Positions
from lacelang.web.studio.runs import Runs
from lacelang.web.studio.seen import read_sample
from lacelang.web.studio.targets import Reading, Setting, Target, read_targets

#: The model of the first program where none is named.
FIRST = "ffhq"
#: Bytes of the longest request: a program as JSON, whose every character may be escaped.
MOST_BYTES = 8 << 20


class Studio:
    """A program that is edited on a page, and its runs.

    Args:
        files: where programs are.
        allow_fetch: weights that a program names, and the standard library does not, are fetched.
        model: of the first program, where no file is opened.
        ways: what is said of ways out of an error.
        elsewhere: what is said to a person who wants files of another folder.
    """

    def __init__(
        self,
        files: Files,
        allow_fetch: bool = False,
        model: str | None = None,
        ways: Mapping[WayOut, str] | None = None,
        elsewhere: str | None = None,
    ) -> None:
        self.files = files
        self._elsewhere = elsewhere
        self.start_text = files.read() if files.path is not None and files.path.exists() else ""
        known = library_models()
        if not self.start_text.strip():
            name = FIRST if model is None else model
            if name not in known:
                listed = ", ".join(sorted(known))
                raise UsageError(f"there is no model `{name}`; there are: {listed}", "model")
            self.start_text = changes.starting_text(known[name])
        warming = Warming()
        self.runs = Runs(allow_fetch, warming, ways)
        self._last = Document(self.start_text, files.path, files.root)
        spec = next((t.model for t in self._read(self._last).targets if t.model), None)
        if spec is not None:
            warming.begin(spec)

    def close(self) -> None:
        """Stop what runs, and remove the pictures that were not downloaded."""
        self.runs.close()

    # The page

    def opening(self) -> dict[str, Any]:
        """What the page needs once."""
        models = library_models().items()
        return {
            "text": self.start_text,
            "file": self.files.name,
            "saved": self.files.path is not None and self.files.path.exists(),
            "root": str(self.files.root),
            "keywords": sorted(keywords()),
            "starts": {name: changes.starting_text(spec) for name, spec in sorted(models)},
        }

    # The editor

    def check(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is wrong with a text, and what sliders can act on."""
        document, name = self._document(_text(asked)), asked.get("target")
        found = self._problems(document)
        reading = self._read(document)
        target = reading.find(name if isinstance(name, str) else None)
        return {
            "problems": found,
            "wrong": any(each["severity"] == "error" for each in found),
            "broken": reading.broken,
            "targets": [_plain_target(each, reading) for each in reading.targets],
            "target": None if target is None else target.name,
            "controls": [] if target is None else _controls(target),
            **_numbers(target, reading),
        }

    def complete(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return what may stand at a place of a text."""
        document = self._document(_text(asked))
        if self.files.outside(read(document.text).program):
            return {"from": _whole(asked, "at"), "options": []}
        return assist.completions(document, _whole(asked, "at"))

    def hover(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the word at a place of a text means."""
        document = self._document(_text(asked))
        if self.files.outside(read(document.text).program):
            return {"text": None}
        return assist.hover(document, _whole(asked, "at"))

    def format(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return a text in the one layout."""
        return {"text": format_source(_text(asked))}

    # Sliders

    def set(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return the changes to a text that a slider, or a field of numbers, makes."""
        reading, target = self._target(asked)
        name, value = asked.get("attribute"), asked.get("value")
        if isinstance(name, str):
            values = asked.get("values")
            form = asked.get("form")
            if not isinstance(values, list) or not isinstance(form, str):
                raise UsageError("a form and values are wanted")
            made = changes.set_attribute(reading, target, name, form, values)  # type: ignore[arg-type]
        elif asked.get("number") == "count":
            made = changes.set_count(reading, target, _whole(asked, "value"))
        elif asked.get("number") == "seed":
            made = changes.set_seed(reading, target, _whole(asked, "value"))
        else:
            raise UsageError(f"there is nothing to set to {value!r}")
        return {"changes": _plain_changes(made, reading.text)}

    def edit(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return the changes that add an edit of a face, which begins as the face is."""
        reading = self._read(self._document(_text(asked)))
        self._refuse_broken(reading)
        run, group = self.runs.find(_whole(asked, "run")), asked.get("group")
        index = _whole(asked, "index")
        model = reading.groups.get(group) if isinstance(group, str) else None
        shown = run.groups.get(str(group))
        if model is None or shown is None:
            raise UsageError(
                f"the program has no group {group!r} any more; put it back to edit its samples"
            )
        statements = run.program.checked.statements
        readings = read_sample(run.folder, shown.record.name, index, statements)
        attribute = _first_to_edit(model)
        value = readings[attribute.name]
        if isinstance(value, float):
            value = _rounded(value, attribute)
        count = shown.record.count
        made, name = changes.edit_of(reading, shown.record.name, index, count, attribute, value)
        return {
            "changes": _plain_changes(made, reading.text),
            "target": name,
            "source": group,
            "readings": {n: _plain_reading(v) for n, v in readings.items()},
        }

    # Runs

    def run(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Run a program in place of the run that is under way.

        Of a run that a slider begins, `faces` is how many samples are wanted at most, and `target`
        the only group.
        """
        text = _text(asked)
        found = self._problems(self._document(text))
        wrong = [each for each in found if each["severity"] == "error"]
        if wrong:
            return {"run": None, "problems": wrong}
        live, target, faces = asked.get("live") is True, asked.get("target"), asked.get("faces")
        program = compiled(text, self.files.path, root=self.files.root)
        self.files.refuse_models(program.checked)
        only = [target] if live and target in program.groups else None
        if live and isinstance(faces, int) and faces > 0:
            program = Program(program.checked.at_most(faces))
        return {"run": self.runs.start(program, only, live).number}

    def stop(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Stop the run that is under way."""
        self.runs.stop()
        return {}

    # Files

    def save(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Save a program; `exists` says that a file is there that was not to be replaced."""
        text, name = _text(asked), asked.get("name")
        if not isinstance(name, str):
            raise UsageError("a file's name is wanted")
        try:
            self.files.save(name, text, asked.get("replace") is True)
        except ExistsError as error:
            return {"exists": str(error)}
        return {"file": self.files.name}

    # What they share

    def _document(self, text: str) -> Document:
        """Return a text with what is known of it; that of the last one that was asked about."""
        found = self._last
        if found.text != text or found.path != self.files.path:
            found = self._last = Document(text, self.files.path, self.files.root)
        return found

    def _problems(self, document: Document) -> list[dict[str, Any]]:
        outside = self.files.outside(read(document.text).program)
        if outside:
            # Checking the program would read these files.
            refused = (
                Diagnostic("LACE121", self.files.refusal(n.value), n.span, self._elsewhere)
                for n in outside
            )
            return [assist.problem(each, document.text) for each in refused]
        return assist.problems(document)

    def _read(self, document: Document) -> Reading:
        if self.files.outside(read(document.text).program):
            return Reading(document.text, broken=True)
        return read_targets(document)

    def _target(self, asked: Mapping[str, Any]) -> tuple[Reading, Target]:
        reading, name = self._read(self._document(_text(asked))), asked.get("target")
        self._refuse_broken(reading)
        target = next((each for each in reading.targets if each.name == name), None)
        if target is None:
            raise UsageError("the program has no such group any more")
        return reading, target

    def _refuse_broken(self, reading: Reading) -> None:
        if reading.broken:
            raise UsageError("mend the errors of the program first")


def _text(asked: Mapping[str, Any]) -> str:
    text = asked.get("text")
    if not isinstance(text, str):
        raise UsageError("a program's text is wanted")
    return text


def _whole(asked: Mapping[str, Any], name: str) -> int:
    value = asked.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise UsageError(f"`{name}` is a whole number")
    return value


def _plain_changes(made: Sequence[changes.Change], text: str) -> list[dict[str, Any]]:
    places = Positions(text)
    return [
        {"from": places.units(begin), "to": places.units(end), "insert": new}
        for begin, end, new in sorted(made)
    ]


def _plain_target(target: Target, reading: Reading) -> dict[str, Any]:
    begin, end = reading.place(target.node)
    places = Positions(reading.text)
    kind = type(target.node).__name__.lower()
    return {
        "name": target.name,
        "kind": kind,
        "model": None if target.model is None else target.model.name,
        "from": places.units(begin),
        "to": places.units(end),
    }


def _controls(target: Target) -> list[dict[str, Any]]:
    """What the sliders of a target show, in the order of the model's attributes."""
    model = target.model
    attributes = () if model is None else model.attributes
    return [_control(each, target.settings[each.name]) for each in attributes]


def _control(attribute: ir.Attribute, setting: Setting) -> dict[str, Any]:
    control: dict[str, Any] = {
        "name": attribute.name,
        "kind": attribute.kind,
        "about": attribute.text,
        "classes": list(attribute.values),
        "form": setting.form,
        "values": list(setting.values),
        "beside": list(setting.beside),
    }
    if isinstance(attribute, ir.ContinuousAttribute):
        control |= {
            "low": attribute.low,
            "high": attribute.high,
            "step": _step(attribute),
            "unit": attribute.unit,
            "points": dict(attribute.points),
        }
    return control


def _step(attribute: ir.ContinuousAttribute) -> float:
    """Return the step of a slider: a year or a degree, or about a hundredth of the range."""
    if attribute.unit is not None and attribute.high - attribute.low >= 20:
        return 1.0
    width = (attribute.high - attribute.low) / 100
    steps = [m * 10**e for e in range(-6, 9) for m in (1, 2, 5)]
    return float(number_text(round(max((s for s in steps if s <= width), default=width), 6)))


def _rounded(value: float, attribute: ir.Attribute) -> float:
    if not isinstance(attribute, ir.ContinuousAttribute):
        return value
    step = _step(attribute)
    rounded = round(round(value / step) * step, 6)
    return min(attribute.high, max(attribute.low, rounded))


def _first_to_edit(model: ir.ModelSpec) -> ir.Attribute:
    """Return the attribute that a new edit begins with: one with a range, `age` before others."""
    ranged = [each for each in model.attributes if not each.discrete]
    named = [each for each in ranged if each.name == "age"]
    found = next(iter((*named, *ranged, *model.attributes)), None)
    if found is None:
        raise UsageError(f"{model.name} has no attributes to edit")
    return found


def _plain_reading(value: float | str) -> float | str:
    return round(value, 4) if isinstance(value, float) else value


def _numbers(target: Target | None, reading: Reading) -> dict[str, Any]:
    """How many samples a `sample` makes, and its seed; None where they are no plain numbers."""
    if target is None or not isinstance(target.node, nodes.Sample):
        return {"count": None, "seed": None}
    count = target.node.count
    seed = getattr(target.clauses.get("seed"), "value", None)
    return {
        "count": defaults.COUNT if count is None else _whole_of(count),
        "seed": defaults.SEED if seed is None else _whole_of(seed),
    }


def _whole_of(value: Any) -> int | None:
    text = getattr(value, "text", "")
    return int(text) if text.isdecimal() else None
