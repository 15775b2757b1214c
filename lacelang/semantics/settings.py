"""Weights and temperatures: `[weight 2, temp 0.3]`, and `temp` as a clause."""

from __future__ import annotations

from attrs import frozen

from lacelang.semantics.report import LostError, Report, did_you_mean
from lacelang.semantics.scope import Frame
from lacelang.semantics.strength import LIMITS, in_bounds
from lacelang.semantics.values import plain_number
from lacelang.syntax import nodes
from lacelang.text.numerals import number_text


@frozen
class Settings:
    """What stands in square brackets behind a condition.

    Attributes:
        weight: 1 if none is given; `weight_at` is where it stands.
        temp, logit: at most one of them is set; `temp_at` is where it stands.
        text: for display.
    """

    weight: float = 1.0
    weight_at: nodes.Setting | None = None
    temp: float | None = None
    logit: float | None = None
    temp_at: nodes.Setting | None = None
    text: str = ""


def settings_of(node: nodes.Tuned, frame: Frame, report: Report) -> Settings:
    """Return the settings of `node`.

    Raises:
        LostError: one of them is wrong, which has been reported.
    """
    first: dict[str, nodes.Setting] = {}
    shown: list[str] = []
    lost = False
    weight, temp, logit = 1.0, None, None
    for setting in node.settings:
        keyword = setting.keyword
        if keyword in first:
            message = f"`{keyword}` is given twice in one pair of brackets"
            report.say("LACE304", message, setting, frame, "keep one of them")
            continue
        first[keyword] = setting
        try:
            if keyword == "weight":
                weight = _weight(setting, frame, report)
                shown.append(f"weight {number_text(weight)}")
            else:
                temp, logit = temperature(setting, frame, report)
                value = number_text(temp or logit or 1.0)
                shown.append(f"temp {value if logit is None else f'logit({value})'}")
        except LostError:
            lost = True
    if lost:
        raise LostError
    text = f"[{', '.join(shown)}]"
    return Settings(weight, first.get("weight"), temp, logit, first.get("temp"), text)


def temperature(
    setting: nodes.Setting, frame: Frame, report: Report
) -> tuple[float | None, float | None]:
    """Return the temperature of a setting as (plain, of the logits), one of them None.

    Raises:
        LostError: it is wrong, which has been reported.
    """
    form = setting.form
    if form is not None and form.name != "logit":
        hint = did_you_mean(form.name, ("logit",)) or "write `temp 0.5` or `temp logit(0.5)`"
        raise report.lost("LACE109", f"`temp` does not know `{form.name}`", form, frame, hint)
    value = plain_number(setting.value, frame, report, "`temp`")
    said = number_text(value)
    if value <= 0:
        message = f"a temperature lies above 0; {said} does not"
        hint = "below 1 makes a condition stricter, above 1 looser"
        raise report.lost("LACE208", message, setting.value, frame, hint)
    if not in_bounds(value):
        message = f"a temperature goes from {LIMITS[0]} to {LIMITS[1]}; {said} lies outside"
        raise report.lost("LACE208", message, setting.value, frame)
    return (value, None) if form is None else (None, value)


def _weight(setting: nodes.Setting, frame: Frame, report: Report) -> float:
    value = plain_number(setting.value, frame, report, "`weight`")
    if value == 0:
        report.say("LACE503", "weight 0 takes this condition away", setting, frame)
    elif value < 0:
        message = f"a weight is 0 or more; {number_text(value)} is less"
        hint = "to ask for the opposite, write `not`"
        raise report.lost("LACE207", message, setting.value, frame, hint)
    elif not in_bounds(value):
        said = number_text(value)
        message = f"a weight is 0, or goes from {LIMITS[0]} to {LIMITS[1]}; {said} lies outside"
        raise report.lost("LACE207", message, setting.value, frame)
    return value
