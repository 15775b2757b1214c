"""Programs on disk, below one folder, which the studio reads and writes no other file of."""

from __future__ import annotations

import hashlib
from pathlib import Path

from lacelang import ir
from lacelang.errors import LaceError, UsageError
from lacelang.resources import shipped
from lacelang.storage.files import make_folder, write_atomic
from lacelang.storage.user_models import file_of, models_dir
from lacelang.syntax import nodes
from lacelang.system.filenames import on_disk, resolved
from lacelang.system.sources import TooLongError, read_file
from lacelang.text.names import place_of

SUFFIX = ".lace"
_LONGEST = 200


class ExistsError(UsageError):
    """A file is there already, and is not as the studio left it."""


class Files:
    """The folder `root`, and the program in it that is edited.

    Attributes:
        root: the folder, resolved.
        path: of the program; None before it is saved.
    """

    def __init__(self, root: Path, path: Path | None = None) -> None:
        self.root = resolved(root)
        self.path = path
        # Files that the studio has written, by the digest of what it wrote.
        self._written: dict[Path, str] = {}

    @property
    def name(self) -> str | None:
        """How the page calls the program: its path from the root."""
        if self.path is None:
            return None
        place = resolved(self.path)
        return place.relative_to(self.root).as_posix() if self.holds(place) else place.name

    def holds(self, path: Path) -> bool:
        """Whether a path leads to a file below the root, through no link to elsewhere."""
        return resolved(path).is_relative_to(self.root)

    def read(self) -> str:
        """Return the text of the program; a LaceError says why it cannot be read."""
        if self.path is None:
            return ""
        try:
            return read_file(self.path).decode("utf-8-sig")
        except TooLongError as error:
            raise LaceError(f"{self.path} {error}, and no program is") from error
        except UnicodeDecodeError as error:
            raise LaceError(f"{self.path} is not UTF-8 text") from error
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UsageError(f"cannot read {self.path}: {reason}") from error

    def save(self, name: str, text: str, replace: bool = False) -> Path:
        """Write the program to a file below the root, and go on with that one.

        Raises:
            ExistsError: the file is there, and `replace` is false; one that the studio wrote and
                nobody has changed is replaced without asking.
            UsageError: the name leads to no place below the root.
            ResourceError: the disk is full, or the folder cannot be written.
        """
        path = self._place(name)
        if path.exists() and not replace and self._digest(path) != self._written.get(path):
            raise ExistsError(f"{path.relative_to(self.root).as_posix()} is there already")
        make_folder(path.parent)
        data = text.encode("utf-8", "replace")
        write_atomic(path, data, flush=True)
        self._written[path] = hashlib.sha256(data).hexdigest()
        self.path = path
        return path

    def _place(self, name: str) -> Path:
        name = name.strip()
        if not name or len(name) > _LONGEST or "\0" in name or name.endswith(("/", "\\")):
            raise UsageError("a file's name is wanted, such as `portrait.lace`")
        if not name.endswith(SUFFIX):
            name += SUFFIX
        given = Path(on_disk(name))
        path = resolved(self.root / given)
        if given.is_absolute() or ".." in given.parts or not path.is_relative_to(self.root):
            raise UsageError(f"programs are saved below {self.root}; name a file there")
        if any(part.startswith(".") for part in path.relative_to(self.root).parts):
            raise UsageError("a name that begins with a dot is hidden; choose another one")
        if path.is_dir():
            raise UsageError(f"{name} is a folder; choose another name")
        return path

    def _digest(self, path: Path) -> str | None:
        try:
            return hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            return None

    def outside(self, tree: nodes.Program) -> list[nodes.Text]:
        """Return where edits and photographs are of files that are not below the root.

        They are not looked for: whether a file is there is not for a program to know.
        """
        folder = self.path.parent if self.path is not None else self.root
        every = _nodes(tree)
        groups = {node.name.name for node in every if isinstance(node, nodes.AsClause)}
        looped = any(isinstance(n, nodes.Photo) and isinstance(n.file, nodes.Word) for n in every)
        found = []
        for node in every:
            texts: list[object] = []
            if isinstance(node, nodes.Edit) and isinstance(node.group, nodes.Text):
                named = node.group.value
                if named not in groups and ("/" in named or "\\" in named or "." in named):
                    texts.append(node.group)
            elif isinstance(node, nodes.Photo):
                texts.append(node.file)
            elif isinstance(node, nodes.For) and looped:
                texts += node.values
            for text in texts:
                if not isinstance(text, nodes.Text):
                    continue
                path = Path(on_disk(text.value)).expanduser()
                if not self._may_read(place_of(folder / path), place_of(path)):
                    found.append(text)
        return found

    def refuse_models(self, program: ir.CheckedProgram) -> None:
        """Raise a UsageError if a model of a program has its weights outside of the root.

        Those of the standard library and of the user's own models are where they are.
        """
        homes = (resolved(shipped("stdlib")), resolved(models_dir()))
        for spec in {id(s.model): s.model for s in program.statements}.values():
            for named in filter(None, (spec.file, spec.classifiers)):
                place = file_of(spec.path, named)
                ours = any(resolved(place).is_relative_to(home) for home in homes)
                if not ours and not self._may_read(place):
                    raise UsageError(self.refusal(named))

    def refusal(self, named: str) -> str:
        """What is said of a file that is not below the root."""
        return f"`{named}` lies outside of {self.root}, and the studio reads no file there"

    def _may_read(self, *places: Path) -> bool:
        # Where the first one is there, the others are not read.
        first, *others = places
        return self.holds(first) and (first.exists() or all(map(self.holds, others)))


def _nodes(node: nodes.Node) -> list[nodes.Node]:
    found: list[nodes.Node] = []
    pending = [node]
    while pending:
        one = pending.pop()
        found.append(one)
        pending.extend(one.parts)
    return found


def opened(path: Path | None, root: Path | None) -> Files:
    """Return the files of a studio of a program, which need not be there yet.

    Raises:
        UsageError: the program does not lie below the root.
    """
    if path is not None and path.suffix != SUFFIX:
        raise UsageError(f"{path} is not a program: their names end in {SUFFIX}")
    below = root if root is not None else path.parent if path is not None else Path()
    if not below.is_dir():
        raise UsageError(f"{below} is no folder")
    files = Files(below, path)
    if path is not None and not files.holds(path):
        raise UsageError(f"{path} does not lie below {files.root}", "root")
    return files
