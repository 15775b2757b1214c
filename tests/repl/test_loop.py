from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from prompt_toolkit.history import FileHistory
from prompt_toolkit.input import PipeInput
from prompt_toolkit.output import DummyOutput
from rich.console import Console
from tiny import TinyModel

import lacelang
from lacelang.cli.streams import Safe
from lacelang.errors import ResourceError
from lacelang.ir import ModelSpec
from lacelang.repl.loop import Loop, kept_history
from lacelang.repl.warm import Warming

Sitting = Callable[[str], str]

ENTER = "\r"
ALT_ENTER = "\x1b\r"
CTRL_C = "\x03"
CTRL_D = "\x04"
TAB = "\t"


def typed(loop: Loop) -> list[str]:
    return [entry.text for entry in loop.session.entries]


def test_a_program_over_several_lines(model: TinyModel, loop: Loop, sit: Sitting) -> None:
    printed = sit(
        f"let kid = age < 12{ENTER}"
        f"sample 2 from{ENTER}ffhq{ALT_ENTER}where kid and{ENTER}glasses=1{ENTER}"
        f"kid or glasses=1 seed 5{ENTER}"
    )
    assert typed(loop) == [
        "let kid = age < 12",
        "sample 2 from\n  ffhq\n  where kid and\n  glasses=1",
        "sample 4 from ffhq where kid or glasses=1 seed 5",
    ]
    assert "sample1: 2 samples, seed 0" in printed
    assert "sample2: 4 samples, seed 5" in printed
    assert "glasses=1" in printed


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_letters_that_the_terminal_lacks(
    model: TinyModel, keyboard: PipeInput, encoding: str
) -> None:
    raw = io.BytesIO()
    stream = Safe(io.TextIOWrapper(raw, encoding))
    console = Console(file=stream, width=80, highlight=False)  # type: ignore[arg-type]
    loop = Loop(
        console,
        "none",
        None,
        Warming(lambda spec: None, lambda spec: None),
        keyboard,
        DummyOutput(),
    )
    keyboard.send_text(f'sample 2 from ffhq where glasses=1 as "老"{ENTER}')
    keyboard.send_text(f"let 老 = œ > 1{ENTER}:show 老{ENTER}:explain{ENTER}:help{ENTER}{CTRL_D}")
    loop.run()
    stream.flush()
    said = raw.getvalue().decode(encoding)
    assert r"\u8001: 2 samples" in said
    assert "LACE102" in said
    assert "unexpected" not in said
    assert list(loop.groups) == ["老"]


def test_an_empty_line_ends_what_is_open(loop: Loop, sit: Sitting) -> None:
    printed = sit(f"sample 2 from{ENTER}{ENTER}")
    assert "LACE012" in printed
    assert "Traceback" not in printed
    assert typed(loop) == []


def test_an_error_is_said_and_the_next_line_is_read(loop: Loop, sit: Sitting) -> None:
    printed = sit(f"let kid = aeg < 12{ENTER}let kid = age < 12{ENTER}")
    assert "input:1:11: error LACE102" in printed
    assert "did you mean `age`?" in printed
    assert typed(loop) == ["let kid = age < 12"]


def test_tab_completes(loop: Loop, keyboard: PipeInput) -> None:
    def type_slowly() -> None:
        # Completions are looked for in the background, as far as a typist can tell.
        keyboard.send_text(f"let f = yaw=fr{TAB}")
        deadline = time.monotonic() + 60
        while loop.line != "let f = yaw=front" and time.monotonic() < deadline:
            time.sleep(0.01)
        keyboard.send_text(f"{ENTER}{CTRL_D}")

    typist = threading.Thread(target=type_slowly)
    typist.start()
    loop.run()
    typist.join()
    assert typed(loop) == ["let f = yaw=front"]


def test_ctrl_c_at_the_prompt_clears_the_line(loop: Loop, sit: Sitting) -> None:
    sit(f"let a = sm{CTRL_C}let b = smile=1{ENTER}")
    assert typed(loop) == ["let b = smile=1"]


def test_ctrl_c_stops_the_sampling_and_nothing_is_kept_of_it(
    monkeypatch: pytest.MonkeyPatch, model: TinyModel, loop: Loop, sit: Sitting
) -> None:
    from lacelang.samplers.heun import algorithm

    heun = algorithm.heun
    calls = 0

    def interrupted(*arguments: object, **options: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise KeyboardInterrupt
        return heun(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(algorithm, "heun", interrupted)
    printed = sit(f"glasses=1 with heun{ENTER}age > 60 with heun{ENTER}")
    assert "stopped" in printed
    assert typed(loop) == ["sample 4 from ffhq where age > 60 with heun"]
    assert list(loop.groups) == ["sample1"]


def test_ctrl_c_while_faces_are_drawn_keeps_the_group(
    monkeypatch: pytest.MonkeyPatch, model: TinyModel, loop: Loop, sit: Sitting
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lacelang.repl.show.show_group", interrupted)
    printed = sit(f"glasses=1{ENTER}")
    assert "stopped" in printed
    assert list(loop.groups) == ["sample1"]


def test_what_the_environment_lacks_is_said(
    monkeypatch: pytest.MonkeyPatch, loop: Loop, sit: Sitting
) -> None:
    def missing(*arguments: object) -> object:
        raise ResourceError("no weights", "fetch them")

    monkeypatch.setattr("lacelang.engine.plan.load", missing)
    printed = sit(f"glasses=1{ENTER}let a = smile=1{ENTER}")
    assert "no weights\nfetch them" in printed
    assert typed(loop) == ["let a = smile=1"]


def test_a_group_and_a_condition_are_explained(
    monkeypatch: pytest.MonkeyPatch, model: TinyModel, loop: Loop, sit: Sitting
) -> None:
    monkeypatch.setattr("lacelang.explain.measured.with_figures", lambda outline: outline)
    printed = sit(
        f"let kid = age < 12{ENTER}sample 2 from ffhq where kid as kids{ENTER}"
        f":explain kids{ENTER}:explain kid or glasses=1{ENTER}"
    )
    assert "sample kids" in printed
    assert "sample sample1" in printed
    assert list(loop.groups) == ["kids"]


def test_a_measure_is_said(
    monkeypatch: pytest.MonkeyPatch, model: TinyModel, loop: Loop, sit: Sitting
) -> None:
    printed = sit(
        'model tiny { generator mobilestylegan from "a==1" sha256 "%s" '
        'classifiers "a.safetensors" on w '
        f"attribute glasses : binary attribute age : 0..70 years }}{ENTER}"
        f"measure glasses=1 given age > 40 from tiny{ENTER}" % ("0" * 64)
    )
    assert printed.startswith("P(glasses=1 | age > 40) = 0.")
    assert typed(loop)[-1] == "measure glasses=1 given age > 40 from tiny"


def test_a_fault_costs_one_statement(
    monkeypatch: pytest.MonkeyPatch, loop: Loop, sit: Sitting
) -> None:
    def broken(*arguments: object) -> object:
        raise KeyError("nobody foresaw this")

    monkeypatch.setattr("lacelang.engine.plan.load", broken)
    printed = sit(f"glasses=1{ENTER}let a = smile=1{ENTER}")
    assert "lacelang: unexpected KeyError" in printed
    assert typed(loop) == ["let a = smile=1"]


def test_again_undo_groups_and_show(model: TinyModel, loop: Loop, sit: Sitting) -> None:
    printed = sit(
        f"sample 2 from ffhq where glasses=1 as kids{ENTER}"
        f":again{ENTER}:again{ENTER}:groups{ENTER}:undo{ENTER}:show kids_2{ENTER}"
    )
    assert list(loop.groups) == ["kids", "kids_2"]
    assert "kids_3  2 of ffhq, seed 2  glasses=1" in printed
    assert "undone: sample 2 from ffhq where glasses=1 as kids_3 seed 2" in printed
    assert printed.count("kids_2: 2 samples, seed 1") == 2
    assert not (loop.groups["kids"].latents == loop.groups["kids_2"].latents).any()


def test_the_saved_program_makes_the_same_latents(
    model: TinyModel, loop: Loop, sit: Sitting, tmp_path: Path
) -> None:
    path = tmp_path / "mine"
    sit(
        f"let kid = age < 12{ENTER}kid seed 3{ENTER}let kid = age < 30{ENTER}"
        f"sample 3 from ffhq where kid and glasses=1 as kids{ENTER}:save {path}{ENTER}"
    )
    source = (tmp_path / "mine.lace").read_text()
    run = lacelang.compile(source).run()
    assert list(run) == ["sample1", "kids"]
    for name in run:
        assert (run[name].latents == loop.groups[name].latents).all()


def test_a_file_is_not_written_over_unasked(loop: Loop, sit: Sitting, tmp_path: Path) -> None:
    path = tmp_path / "mine.lace"
    path.write_text("precious")
    printed = sit(f"let a = smile=1{ENTER}:save {path}{ENTER}")
    assert "is there already" in printed
    assert path.read_text() == "precious"


def test_a_file_is_written_over_when_asked(loop: Loop, sit: Sitting, tmp_path: Path) -> None:
    path = tmp_path / "mine.lace"
    path.write_text("precious")
    sit(f"let a = smile=1{ENTER}:save! {path}{ENTER}")
    assert path.read_text() == "let a = smile=1\n"


def test_run_runs_the_program_into_a_folder(
    model: TinyModel, loop: Loop, sit: Sitting, tmp_path: Path
) -> None:
    sit(f"sample 2 from ffhq where glasses=1 as kids{ENTER}:run {tmp_path / 'out'}{ENTER}")
    assert (tmp_path / "out" / "kids" / "sheet.png").exists()
    assert (tmp_path / "out" / "run.json").exists()


def test_what_is_said_of_a_folder_is_said_in_the_prompts_words(
    model: TinyModel, sit: Sitting, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    said = sit(f"sample 2 from ffhq where glasses=1 as kids{ENTER}:run {tmp_path / 'file'}{ENTER}")
    assert "`:run FOLDER` names the folder" in said
    assert "--" not in said
    assert "`out`" not in said


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (":agian", "did you mean `again`?"),
        (":", "`:help` lists them"),
        (":undo", "nothing to undo"),
        (":again", "nothing to sample again"),
        (":show", "no samples yet"),
        (":save", "needs the name of a file"),
        (":save x.lace", "nothing to save yet"),
        (":run", "needs a folder"),
        (":quit now", "takes no argument"),
        (":explain", "nothing to explain"),
        (":explain let b = smile=0", "nothing to explain"),
        (":attrs nobody", "no model `nobody`"),
        (":attrs", "-45..45 deg (left = -25"),
        (":groups", "no groups yet"),
        (":help", ":save FILE"),
    ],
)
def test_commands_answer(
    loop: Loop,
    sit: Sitting,
    line: str,
    answer: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    printed = sit(f"{line}{ENTER}let a = smile=1{ENTER}")
    assert answer in printed
    assert typed(loop) == ["let a = smile=1"]
    assert list(tmp_path.iterdir()) == []


def test_quit_leaves(loop: Loop, sit: Sitting) -> None:
    sit(f":quit{ENTER}let a = smile=1{ENTER}")
    assert typed(loop) == []


def test_what_a_new_definition_does_not_reach_is_said(loop: Loop, sit: Sitting) -> None:
    printed = sit(f"let a = smile=1{ENTER}let b = a{ENTER}let a = smile=0{ENTER}")
    assert "`b` still means what it did" in printed


def test_history_is_kept_in_the_users_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("platformdirs.user_data_path", lambda *a, **k: tmp_path / "lacelang")
    history = kept_history()
    assert isinstance(history, FileHistory)
    history.append_string("smile=1")
    assert list(kept_history().load_history_strings()) == ["smile=1"]
    assert (tmp_path / "lacelang" / "history").stat().st_mode & 0o077 == 0


def test_a_model_is_loaded_while_a_person_types() -> None:
    loaded: list[str] = []

    def slowly(spec: ModelSpec) -> None:
        time.sleep(0.2)
        loaded.append(spec.name)

    warming = Warming(slowly)
    assert not warming.busy
    warming.begin(ModelSpec("own", "tiny"))
    assert warming.busy
    warming.wait()
    assert loaded == ["own"]
    assert not warming.busy


def test_what_fails_in_the_background_is_left_to_the_run() -> None:
    def broken(spec: ModelSpec) -> None:
        raise ResourceError("no weights")

    warming = Warming(broken)
    warming.begin(ModelSpec("own", "tiny"))
    warming.wait()


def test_nothing_but_text_where_nothing_else_is_wanted(
    model: TinyModel, loop: Loop, sit: Sitting
) -> None:
    assert isinstance(loop.console, Console)
    assert "\x1b" not in sit(f"glasses=1{ENTER}")
    assert isinstance(loop.console.file, io.StringIO)
