"""What the commands of the experiments take: numbers of steps, and names."""

from __future__ import annotations

from argparse import ArgumentParser

import pytest

from experiments.command_line import add_steps, one_of
from experiments.laboratory import train_cgan, train_energies, train_style_gan
from experiments.styleflow import train as train_styleflow


@pytest.mark.parametrize("given", ["0", "-3", "x", "1.5", ""])
def test_a_training_has_at_least_one_step(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (train_cgan, train_energies, train_style_gan, train_styleflow):
        with pytest.raises(SystemExit, match="2"):
            command.main([f"--steps={given}"])
        assert "no whole number above 0" in capsys.readouterr().err


def test_names_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    parser = ArgumentParser()
    parser.add_argument("names", nargs="*", type=one_of(("a", "b")))
    add_steps(parser, 7)
    assert parser.parse_args([]).names == []
    assert parser.parse_args(["b", "--steps", "3"]).steps == 3
    assert parser.parse_args(["b"]).steps == 7
    with pytest.raises(SystemExit):
        parser.parse_args(["c"])
    assert "'c' is none of a, b" in capsys.readouterr().err
