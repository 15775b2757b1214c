"""Files: the program, what it imports, and the models of the standard library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache, cached_property, lru_cache
from pathlib import Path

from lacelang.errors import ProgramError
from lacelang.ir import ModelSpec, OwnTerm
from lacelang.resources import shipped
from lacelang.semantics.context import Definition, Frame, LostError, Module, Report, did_you_mean
from lacelang.semantics.cycles import mark_circular
from lacelang.semantics.models import declare
from lacelang.semantics.taught import with_taught
from lacelang.storage.user_models import models_dir
from lacelang.syntax import nodes
from lacelang.syntax.parser import Parsed, names_defined, read
from lacelang.system.filenames import on_disk, resolved
from lacelang.system.sources import REMEDY, TooLongError, read_file
from lacelang.text.names import is_name, nfc, place_of

_SUFFIX = ".lace"
_MAX_IMPORTS = 50


class Library:
    """The modules of one check, each read once.

    `opened` are texts that stand for those of files, by their places, links followed; `reader`
    reads the program itself.

    Attributes:
        report: what is wrong with them.
        modules: those that were imported, and those of models, by their places.
    """

    def __init__(
        self,
        report: Report,
        opened: Mapping[Path, str] | None = None,
        reader: Callable[[str, str | None], Parsed] = read,
    ) -> None:
        self.report = report
        self.modules: dict[Path, Module] = {}
        self._opened = opened or {}
        self._reader = reader
        self._shared: dict[str, ModelSpec | None] = {}
        self._open: list[Path] = []

    def program(
        self,
        source: str,
        path: Path | None,
        tree: nodes.Program | None = None,
        root: Path | None = None,
        terms: Mapping[str, OwnTerm] | None = None,
    ) -> Module:
        """Read the program itself, unless its tree is known; `root` is its folder if not given."""
        shown = str(path) if path is not None else None
        folder = path.parent if path is not None else Path()
        name, below = path.stem if path else "program", resolved(folder if root is None else root)
        if tree is None:
            parsed = self._reader(source, shown)
            module = Module(name, shown, folder, below, source, parsed.program)
            self._note_problems(module, parsed)
        else:
            module = Module(name, shown, folder, below, source, tree, size=len(source) // 3)
        if path is not None:
            self._open.append(resolved(path))
        module.terms = dict(terms or {})
        self._fill(module)
        return module

    def piece(self, source: str, before: Module) -> Module:
        """Read a piece of a program that goes on from `before`, whose names are known here.

        A definition of one of them stands in its place from here on; what was defined before keeps
        what it meant.
        """
        parsed = read(source, before.path)
        module = Module(
            before.name, before.path, before.folder, before.root, source, parsed.program
        )
        self._note_problems(module, parsed)
        module.earlier = {**before.earlier, **before.definitions}
        module.models = dict(before.models)
        module.visible = dict(before.visible)
        module.visible_models = dict(before.visible_models)
        self._fill(module)
        return module

    def find_model(self, word: nodes.Word, module: Module) -> ModelSpec | None:
        """Return the model that a `from` clause names; None if there is none, which is reported."""
        name = word.name
        for models in (module.models, module.visible_models, self._shared):
            if name in models:
                return models[name]
        if module.is_uncertain(name):
            return None
        file = self._library_files.get(name)
        if file is not None and resolved(file) not in self._open:
            try:
                shared = self._load(file, word, module)
            except LostError:
                return None
            if name in shared.models:
                # Thousands of statements of one model look for its file once.
                self._shared[name] = shared.models[name]
                return shared.models[name]

        def hint() -> str | None:
            known = [*module.models, *module.visible_models, *_names_of_models()]
            return did_you_mean(name, known, "known:")

        self.report.say("LACE101", f"there is no model `{name}`", word, module, hint)
        return None

    @cached_property
    def _library_files(self) -> dict[str, Path]:
        """The files of the standard library: they are looked for once a check."""
        return library_files()

    # Reading

    def _note_problems(self, module: Module, parsed: Parsed) -> None:
        for problem in parsed.problems:
            self.report.add(problem)
        module.error_spans = parsed.error_spans
        module.size = len(parsed.tokens.tokens)
        if parsed.problems:
            tokens = parsed.tokens.tokens
            imports = sum(isinstance(s, nodes.Import) for s in parsed.program.statements)
            broken = sum(token.type == "IMPORT" for token in tokens) > imports
            certain = parsed.tokens.complete and not broken
            module.uncertain = names_defined(tokens) if certain else None

    def _fill(self, module: Module) -> None:
        """Collect what the module defines and what its imports bring in."""
        for node in module.program.statements:
            if self.report.full:
                break
            if isinstance(node, nodes.Import):
                self._import(node, module)
            elif isinstance(node, nodes.Model) and node.name.name in module.models:
                message = f"the model `{node.name.name}` is declared twice"
                self.report.say("LACE110", message, node.name, module)
            elif isinstance(node, nodes.Model):
                spec = declare(node, Frame(module, self.report))
                if spec is not None and self._is_shared(module):
                    spec = with_taught(spec)
                module.models[node.name.name] = spec
            elif isinstance(node, nodes.Let | nodes.Def):
                self._define(node, module)
        module.order = mark_circular(module, self.report)

    def _is_shared(self, module: Module) -> bool:
        """Whether a file is one of the library, whose models the user can teach attributes."""
        shared = self._library_files.get(module.name)
        return shared is not None and module.path == str(shared)

    def _define(self, node: nodes.Let | nodes.Def, module: Module) -> None:
        name = node.name.name
        if name in module.terms:
            message = f"`{name}` is defined here, and is a term of Python's"
            self.report.say("LACE110", message, node.name, module, "give one of them another name")
            return
        before = module.definitions.get(name)
        if before is not None:
            hint = f"it is in line {before.node.span.line} already"
            self.report.say("LACE110", f"`{name}` is defined twice", node.name, module, hint)
            return
        if name in module.visible:
            message = f"`{name}` hides the one that {module.visible[name].module.name} defines"
            self.report.say("LACE512", message, node.name, module)
        definition = module.definitions[name] = Definition(node, module)
        parameters: set[str] = set()
        for word in definition.parameters:
            if word.name in parameters:
                message = f"`{name}` has two parameters called `{word.name}`"
                self.report.say("LACE110", message, word, module)
            parameters.add(word.name)

    # Imports

    def _import(self, node: nodes.Import, module: Module) -> None:
        try:
            other = self._load(self._file_of(node.target, module), node.target, module)
        except LostError:
            # Names that it would have defined are not unknown, only unseen.
            module.uncertain = None
            return
        module.imports.append((node, other))
        for name, definition in other.definitions.items():
            before = module.visible.get(name)
            if before is not None and before.module.path != other.path:
                message = f"`{name}` is defined by {before.module.name} and by {other.name}"
                hint = "import only one of them, or define it here"
                self.report.say("LACE119", message, node.target, module, hint)
            module.visible[name] = definition
        module.visible_models.update(other.models)

    def _file_of(self, target: nodes.Word | nodes.Text, module: Module) -> Path:
        shared = self._library_files
        if isinstance(target, nodes.Word):
            if target.name in shared:
                return shared[target.name]
            hint = did_you_mean(target.name, shared, "it has:")
            message = f"the standard library has no module `{target.name}`"
            raise self.report.say("LACE114", message, target, module, hint)
        hint = "the path counts from the folder of this file"
        try:
            file = place_of((module.folder or Path()) / on_disk(target.value))
            if not resolved(file).is_relative_to(module.root):
                # Whether it is there, and what is in it, is not for this program to know.
                message = f"`{target.value}` lies outside the folder of the program"
                hint = "import files below it, or name a folder above both as the root"
                raise self.report.say("LACE121", message, target, module, hint)
            if file.suffix != _SUFFIX and file.is_file():
                message = f"`{target.value}` is not a program"
                hint = f"the names of programs end in {_SUFFIX}"
                raise self.report.say("LACE114", message, target, module, hint)
            if resolved(file) in self._opened or file.is_file():
                return file
            if file.name and file.with_name(f"{file.name}{_SUFFIX}").is_file():
                hint = f'did you mean `"{target.value}{_SUFFIX}"`?'
        except (OSError, ValueError, RuntimeError):
            pass  # there can be no file of that name
        name = target.value.removesuffix(_SUFFIX)
        if is_name(name) and name in shared:
            hint = f"for the one of the standard library, write `import {name}`"
        message = f"there is no file `{target.value}`"
        raise self.report.say("LACE114", message, target, module, hint)

    def _load(self, file: Path, at: nodes.Node, module: Module) -> Module:
        """Read an imported file, once, or raise `LostError` where it cannot be used."""
        place = resolved(file)
        if place in self._open:
            names = [p.stem for p in self._open[self._open.index(place) :]]
            message = f"{place.stem} imports itself"
            if len(names) > 1:
                circle = " → ".join([*names, place.stem])
                message = f"these files import one another: {circle}"
            raise self.report.say("LACE115", message, at, module)
        if place in self.modules:
            return self.modules[place]
        if len(self._open) >= _MAX_IMPORTS:
            message = f"imports are nested more than {_MAX_IMPORTS} deep"
            raise self.report.say("LACE114", message, at, module)
        try:
            source, parsed = self._read(file, place)
        except (UnicodeDecodeError, TooLongError, OSError) as error:
            problem, hint = f"cannot be read: {getattr(error, 'strerror', None) or error}", None
            if isinstance(error, UnicodeDecodeError):
                problem, hint = "is not UTF-8 text", "save it as UTF-8"
            elif isinstance(error, TooLongError):
                problem, hint = str(error), REMEDY
            raise self.report.say("LACE114", f"{file.name} {problem}", at, module, hint) from None
        other = Module(file.stem, str(file), file.parent, module.root, source, parsed.program)
        self._note_problems(other, parsed)
        self.modules[place] = other
        self._open.append(place)
        self._fill(other)
        self._open.pop()
        return other

    def _read(self, file: Path, place: Path) -> tuple[str, Parsed]:
        """Return the text of a file, or the one that stands for it, and what it says."""
        if place not in self._opened:
            return _parsed(file)
        source = self._opened[place]
        return source, _parsed_text(source, str(file))


def _parsed(file: Path) -> tuple[str, Parsed]:
    """Read a file; a program that embeds lacelang parses it once for many checks."""
    # Time and size of a file may stay where its text changes.
    source = read_file(file).decode("utf-8-sig")
    return source, _parsed_text(source, str(file))


@lru_cache(maxsize=64)
def _parsed_text(source: str, name: str) -> Parsed:
    return read(source, name)


# The standard library


def shipped_files() -> dict[str, Path]:
    """Return the files of the standard library by the names of their modules, in their order."""
    return {file.stem: file for file in sorted(shipped("stdlib").glob(f"*{_SUFFIX}"))}


def library_files() -> dict[str, Path]:
    """Return the files of the standard library, and those of the user's models, by name."""
    return {**_user_files(), **shipped_files()}


def library_program(name: str) -> tuple[Path, nodes.Program] | None:
    """Return the file of the library that declares a model, and its tree; None if none does."""
    file = library_files().get(name)
    try:
        return None if file is None else (file, _parsed(file)[1].program)
    except (OSError, ValueError):
        return None


def _user_files() -> dict[str, Path]:
    try:
        return {nfc(file.stem): file for file in sorted(models_dir().glob(f"*{_SUFFIX}"))}
    except OSError:
        return {}


@cache
def library_homes() -> dict[str, str]:
    """Return the module of the standard library that defines a name, by name."""
    return {
        node.name.name: name
        for name, file in shipped_files().items()
        for node in _parsed(file)[1].program.statements
        if isinstance(node, nodes.Let | nodes.Def)
    }


def _names_of_models() -> tuple[str, ...]:
    """Return the names of the models of the library and of the user, for hints."""
    return tuple(dict.fromkeys((*_names_shipped(), *_user_files())))


@cache
def _names_shipped() -> tuple[str, ...]:
    return tuple(
        node.name.name
        for file in shipped_files().values()
        for node in _parsed(file)[1].program.statements
        if isinstance(node, nodes.Model)
    )


def library_models() -> dict[str, ModelSpec]:
    """Return the models that the standard library declares and those of the user, by name.

    A file of the user's that is wrong is left out; `declared_in` says what is wrong with it.

    Raises:
        ProgramError: a file of the standard library is wrong.
    """
    models: dict[str, ModelSpec] = {}
    for file in _user_files().values():
        with suppress(ProgramError, OSError, ValueError):
            models |= {n: m for n, m in declared_in(file).items() if n == nfc(file.stem)}
    for file in shipped_files().values():
        models |= declared_in(file)
    return models


def declared_in(file: Path) -> dict[str, ModelSpec]:
    """Return the models that a file declares, by name.

    Raises:
        ProgramError: it is wrong.
        OSError, ValueError: it cannot be read, or is no text.
    """
    report = Report()
    source = read_file(file).decode("utf-8-sig")
    module = Library(report).program(source, file)
    if errors := report.errors(None):
        raise ProgramError(errors)
    return {name: model for name, model in module.models.items() if model is not None}
