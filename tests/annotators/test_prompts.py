"""Files of prompts: what fits is read, everything else is refused in words."""

from pathlib import Path

import pytest

from lacelang.annotators.prompted.prompts import read, require_all
from lacelang.errors import ResourceError, UsageError

CLASSES = {"glasses": ("0", "1"), "animal": ("cat", "dog"), "age": ()}


def written(folder: Path, text: str) -> Path:
    path = folder / "prompts.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_prompts_are_put_into_templates(tmp_path):
    text = """
    templates = ["a photo of {}", "{}, drawn"]
    [animal]
    dog = ["a dog", "a puppy"]
    cat = "a cat"
    [glasses]
    templates = "a face {}"
    0 = "without glasses"
    1 = "with glasses"
    """
    animal, glasses = read(written(tmp_path, text), CLASSES).attributes
    assert animal.prompts == (("a cat",), ("a dog", "a puppy"))
    assert animal.sentences(1) == [
        "a photo of a dog",
        "a dog, drawn",
        "a photo of a puppy",
        "a puppy, drawn",
    ]
    assert glasses.sentences(0) == ["a face without glasses"]


def test_without_templates_prompts_stand_alone(tmp_path):
    (animal,) = read(
        written(tmp_path, '[animal]\ncat = "a cat"\ndog = "a dog"'), CLASSES
    ).attributes
    assert animal.sentences(0) == ["a cat"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[animal", "is no TOML"),
        ("", "describes no attribute"),
        ('[anmal]\ncat = "a"', "declares no attribute `anmal`; did you mean `animal`"),
        ('[age]\nold = "old"', "`age` is a number"),
        ('animal = "cat"', "`animal` is no table of classes"),
        ('[animal]\ncow = "a cow"', "`animal` has no class `cow`"),
        ('[animal]\ncats = "a"', "has no class `cats`; did you mean `cat`"),
        ('[glasses]\nyes = "a"', "`glasses` has no class `yes`; it has 0, 1"),
        ('[animal]\ncat = ""', "animal: a prompt of `cat` is empty"),
        ('[animal]\ncat = ["a", " "]', "a prompt of `cat` is empty"),
        ("[animal]\ncat = 3", "animal: `cat` is no text"),
        ('templates = "a photo"\n[animal]\ncat = "a"', "the template 'a photo' has no {}"),
        ('templates = "{} {}"\n[animal]\ncat = "a"', "or more than one"),
        ("templates = []\n[animal]\ncat = 'a'", "templates are no list of texts"),
        ('[animal]\ntemplates = 1\ncat = "a"', "animal: templates are no list"),
        ('[animal]\nthreshold = 2\ncat = "a"', "animal: the threshold is not a number"),
    ],
)
def test_what_does_not_fit_is_refused(text, message, tmp_path):
    with pytest.raises(UsageError) as caught:
        read(written(tmp_path, text), CLASSES)
    assert message in str(caught.value)
    assert "prompts.toml" in str(caught.value)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(ResourceError, match="no file of prompts"):
        read(tmp_path / "none.toml", CLASSES)
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="is no TOML"):
        read(path, CLASSES)


def test_every_class_needs_a_prompt_where_classes_are_compared(tmp_path):
    prompts = read(written(tmp_path, '[animal]\ncat = "a cat"'), CLASSES)
    with pytest.raises(UsageError, match="animal: the class `dog` has no prompt"):
        require_all(prompts, CLASSES)
