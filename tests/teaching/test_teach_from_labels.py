from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from bars_model import label_csv, truth_of

import lacelang
from lacelang.cli.main import main
from lacelang.cli.models import find_model
from lacelang.errors import LaceError, ProgramError
from lacelang.repl.completion import offers
from lacelang.repl.session import Session
from lacelang.storage.records import read_index
from lacelang.teaching.label_file import read, shown_value
from lacelang.teaching.subject import Subject

USES = """
sample 6 from bars where right=1 and left=1 seed 2 as both
sample 3 from bars where left=1 as plain
edit plain { right = 0 } as edited
measure right=1 from bars
sample 4 from bars where right = each {0, 1} as mixed
"""


def teach(*arguments: object) -> int:
    return main(["teach", "bars", "right", *map(str, arguments)])


def test_a_taught_attribute_is_usable_at_once(
    right: Subject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert teach("--labels", label_csv(tmp_path / "labels.csv", right, 200), "--layers", 1) == 0
    out = capsys.readouterr().out
    assert "balanced accuracy 0.9" in out
    assert "use it: sample 8 from bars where right = 1" in out
    kept = sorted(path.name for path in (tmp_path / "models" / "bars.attributes").iterdir())
    assert kept == ["right.csv", "right.jpg", "right.md", "right.safetensors"]
    run = lacelang.compile(USES).run(out=tmp_path / "run")
    assert all(sample.readings["right=1"] > 0.8 for sample in run["both"].record.samples)
    assert all(sample.readings["right=0"] > 0.8 for sample in run["edited"].record.samples)
    assert run.measures["measure1"].value == pytest.approx(0.5, abs=0.1)
    weights = run["both"].record.settings["weights"]
    assert len(weights["taught right"]) == 64
    assert main(["models", "show", "bars"]) == 0
    assert "right  binary: 0 or 1  (taught)" in capsys.readouterr().out
    card = right.place(".md").read_text()
    assert "200 labels by a person" in card
    assert "Edits replace layers: 1" in card
    assert find_model("bars").attributes[-1].layers == (1,)


def test_teaching_changes_no_program_that_does_not_use_it(right: Subject, tmp_path: Path) -> None:
    text = "sample 4 from bars where left=1 as some\nmeasure left=1 from bars\n"
    text += "edit some { left = 0 } hold all(0.01) as edited"
    before = lacelang.compile(text).run(out=tmp_path / "before")
    assert teach("--labels", label_csv(tmp_path / "labels.csv", right, 60)) == 0
    program = lacelang.compile(text)
    assert all(not statement.model.taught for statement in program.checked.statements)
    after = program.run(out=tmp_path / "after")
    for name in ("some", "edited"):
        assert after[name].record.fingerprint == before[name].record.fingerprint
        assert np.array_equal(after[name].latents, before[name].latents)
        one, other = (tmp_path / each / name / "0001.png" for each in ("before", "after"))
        assert one.read_bytes() == other.read_bytes()
    assert after.measures["measure1"].fingerprint == before.measures["measure1"].fingerprint


def test_teaching_anew_changes_the_fingerprint(right: Subject, tmp_path: Path) -> None:
    found = []
    for count, more in ((60, []), (90, ["--replace"])):
        labels = label_csv(tmp_path / f"{count}.csv", right, count)
        assert teach("--labels", labels, *more) == 0
        group = lacelang.compile("sample 2 from bars where right=1 as a").run()["a"]
        found.append(group.record.fingerprint)
    assert found[0] != found[1]
    names = {path.name for path in right.place("").parent.iterdir()}
    assert "right.before-1.csv" in names


def test_images_of_a_run_are_labelled_by_their_latents(right: Subject, tmp_path: Path) -> None:
    run = lacelang.compile(
        "sample 60 from bars seed 5 as some\nsample 8 from bars where left=1 as lit"
    ).run(out=tmp_path / "run")
    rows = ["image,value"]
    for name in ("some", "lit"):
        for index, w in enumerate(run[name].w.numpy()):
            rows.append(f"run/{name}/{index:04d}.png,{int(w[-1] > 0)}")
    # A draw from the prior is known by its metadata wherever the image is.
    moved = tmp_path / "moved.png"
    (tmp_path / "run/some/0000.png").rename(moved)
    rows[1] = rows[1].replace("run/some/0000.png", "moved.png")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    assert teach("--labels", tmp_path / "labels.csv") == 0
    assert "68 labels" in right.place(".md").read_text()
    assert len(read(right.place(".csv"), right.attribute)) == 68


@pytest.mark.slow
def test_images_without_metadata_are_known_by_their_place(right: Subject, tmp_path: Path) -> None:
    program = lacelang.compile("sample 40 from bars where left=1 as lit")
    run = program.run(out=tmp_path / "run", metadata=False)
    assert read_index(tmp_path / "run") is not None
    rows = [f"run/lit/{i:04d}.png,{int(w[-1] > 0)}" for i, w in enumerate(run["lit"].w.numpy())]
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    assert teach("--labels", tmp_path / "labels.csv") == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("index,value\n3,1\n3,0\n", "line 3: 3 is 0, and 1 in line 2"),
        ("index,value\n-1,1\n", "line 2: `-1` is no index"),
        ("index,value\n1000000,1\n", "line 2: the index 1000000 is out of range: 0 to 999999"),
        ("index,value\n3,maybe\n", "line 2: `maybe` is no class of right: it is one of 0, 1"),
        ("index,value\n3,2\n", "line 2: `2` is no class"),
        ("index,value\n3,1,4\n", "line 2: 3 columns, not 2"),
        ("image,value\nno.png,1\n", "line 2: there is no image"),
        ("image,value\nstranger.png,1\n", "is no image of lacelang's"),
        ("index,value\n" + "".join(f"{i},1\n" for i in range(60)), "all 60 labels are 1"),
        (
            "index,value\n" + "".join(f"{i},{int(i == 3)}\n" for i in range(10)),
            "every class needs 5 labels or more, and 1 has 1",
        ),
        ("", "holds no labels"),
        ("# seed 3\n", "holds no labels"),
        ("a,b,c\n1,2,3\n", "begin the file with `index,value` or `image,value`"),
        ("index,value,other\n1,1,3\n", "columns are index or image, and value"),
        ('index,value\n"3,1\n', "is no CSV file"),
        ("# seed 3\n# seed 4\nindex,value\n3,1\n", "names several seeds: 3, 4"),
    ],
)
def test_wrong_labels_are_refused_and_nothing_is_written(
    right: Subject, tmp_path: Path, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    Image.new("RGB", (16, 16)).save(tmp_path / "stranger.png")
    (tmp_path / "labels.csv").write_text(text)
    assert teach("--labels", tmp_path / "labels.csv") == 2
    assert said in capsys.readouterr().err
    written = sorted(path.name for path in (tmp_path / "models").iterdir())
    assert written == ["bars.lace", "bars.safetensors"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["left"], "bars declares `left` itself"),
        (["not"], "it is a word of the language"),
        (["3d"], "cannot be the name of an attribute"),
        (["right", "--kind", "one of a"], "needs two values or more"),
        (["right", "--kind", "0..0"], "is empty"),
        (["right", "--layers", "9"], "layers are whole numbers from 0 to 1"),
        (["right", "--seed", "-1"], "a seed is a whole number"),
    ],
)
def test_wrong_attributes_are_refused(
    right: Subject,
    tmp_path: Path,
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    labels = label_csv(tmp_path / "labels.csv", right, 60)
    assert main(["teach", "bars", *arguments, "--labels", str(labels)]) == 2
    assert said in capsys.readouterr().err


def test_ten_labels_are_a_warning(
    right: Subject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = truth_of(right, 60)
    some = [row for k in (0, 1) for row in [r for r in rows if r[1] == k][:5]]
    (tmp_path / "labels.csv").write_text("".join(f"{i},{v}\n" for i, v in some))
    assert teach("--labels", tmp_path / "labels.csv") == 0
    err = capsys.readouterr().err
    assert "warning: 10 labels are few" in err
    assert "95 % interval" in err


def test_taught_twice_needs_consent(
    right: Subject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = label_csv(tmp_path / "labels.csv", right, 60)
    assert teach("--labels", labels) == 0
    assert teach("--labels", labels) == 2
    assert "--replace teaches it anew" in capsys.readouterr().err


def test_choices_and_numbers_can_be_taught(right: Subject, tmp_path: Path) -> None:
    inputs = right.inputs(right.draws(range(200)))
    sides = ["low" if x < -0.4 else "high" if x > 0.4 else "middle" for x in inputs[:, 3]]
    rows = [f"{i},{side}\n" for i, side in enumerate(sides)]
    (tmp_path / "sides.csv").write_text("index,value\n" + "".join(rows))
    kind = "one of low, middle, high"
    command = ["teach", "bars", "side", "--kind", kind, "--labels", str(tmp_path / "sides.csv")]
    assert main(command) == 0
    rows = [f"{i},{np.clip(5 + 2 * x, 0, 10):.2f}\n" for i, x in enumerate(inputs[:, 5])]
    (tmp_path / "size.csv").write_text("index,value\n" + "".join(rows))
    command = ["teach", "bars", "size", "--kind", "0..10", "--labels", str(tmp_path / "size.csv")]
    assert main(command) == 0
    run = lacelang.compile(
        "sample 4 from bars where side=high and size > 7 as a\nmeasure side=low from bars"
    ).run()
    assert all(sample.readings["side=high"] > 0.7 for sample in run["a"].record.samples)
    assert run.measures["measure1"].value == pytest.approx(
        np.mean(np.array(sides) == "low"), abs=0.15
    )
    size = find_model("bars").attribute("size")
    assert shown_value(2.5, size) == "2.5"


def test_damaged_files_are_an_error_only_where_they_are_used(
    right: Subject, tmp_path: Path
) -> None:
    assert teach("--labels", label_csv(tmp_path / "labels.csv", right, 60)) == 0
    file = right.place(".safetensors")
    whole = file.read_bytes()
    for damage in (whole[:-9], b"", whole[:8] + b"[" * (len(whole) - 8)):
        file.write_bytes(damage)
        lacelang.compile("sample from bars where left=1")
        with pytest.raises(ProgramError, match="was taught `right`, but") as wrong:
            lacelang.compile("sample from bars where right=1")
        assert "teach bars `right` again" in str(wrong.value.diagnostics[0].hint)
    file.write_bytes(whole)
    # What the header cannot show is found when it is loaded.
    file.write_bytes(whole[:-200] + b"\xff" * 200)
    with pytest.raises(LaceError, match="damaged"):
        lacelang.compile("sample from bars where right=1").run()


def test_of_another_generator_it_is_not_used(right: Subject, tmp_path: Path) -> None:
    assert teach("--labels", label_csv(tmp_path / "labels.csv", right, 60)) == 0
    file = right.place(".safetensors")
    size = int.from_bytes(file.read_bytes()[:8], "little")
    said = json.loads(file.read_bytes()[8 : 8 + size])["__metadata__"]["heads"]
    assert json.loads(said)["report"]["generator"] == "bars"
    data = file.read_bytes().replace(rb"\"generator\": \"bars\"", rb"\"generator\": \"cars\"")
    file.write_bytes(data)
    with pytest.raises(ProgramError, match="another generator"):
        lacelang.compile("sample from bars where right=1")


def test_images_are_not_judged_for_it(right: Subject, tmp_path: Path) -> None:
    assert teach("--labels", label_csv(tmp_path / "labels.csv", right, 60)) == 0
    for text in (
        "sample from bars where left=1 as a\nexpect right=1 in 50% of a",
        "sample from bars where right=1 verified as a",
    ):
        with pytest.raises(ProgramError, match="no annotator sees `right`"):
            lacelang.compile(text)


def test_hints_and_completion_know_it(right: Subject, tmp_path: Path) -> None:
    assert teach("--labels", label_csv(tmp_path / "labels.csv", right, 60)) == 0
    with pytest.raises(ProgramError) as wrong:
        lacelang.compile("sample from bars where rigt=1")
    assert wrong.value.diagnostics[0].hint == "did you mean `right`?"
    session = Session()
    session.entries.append(session.read("sample 2 from bars as some"))
    assert "right" in [offer.word for offer in offers(session, "sample from bars where ")[1]]
    assert {a.name for a in session.models["bars"].attributes} == {"left", "right"}
