"""Every diagnostic code with its meaning; codes are stable, they are never reused.

0xx the text, 1xx names, 2xx values, 3xx statements, 4xx models, 5xx things that are allowed but
that a person would want to hear of. Those from 510 on are reported under `--pedantic` only.
"""

from __future__ import annotations

from lacelang.errors import Severity

CODES: dict[str, str] = {
    "LACE001": "a character that has no meaning in the language",
    "LACE002": "text in quotes that is never closed",
    "LACE003": "something that does not fit where it stands",
    "LACE004": "a bracket that is never closed",
    "LACE005": "a closing bracket without its opening one",
    "LACE006": "conditions nested too deep",
    "LACE007": "a word of the language used as a name",
    "LACE008": "a notation of another language or tool",
    "LACE010": "a misspelt word of the language",
    "LACE011": "two conditions without `and` or `or` between them",
    "LACE012": "something is missing after a word or an operator",
    "LACE013": "a sign is missing",
    "LACE014": "a file that cannot be read as a program",
    "LACE101": "no model of that name",
    "LACE102": "the model has no such attribute",
    "LACE103": "no definition of that name",
    "LACE104": "the attribute has no such value",
    "LACE105": "no such unit",
    "LACE106": "no sampler of that name",
    "LACE107": "the sampler has no such option",
    "LACE108": "no group of that name so far",
    "LACE109": "a clause does not know that word",
    "LACE110": "a name defined twice",
    "LACE111": "two groups of one name",
    "LACE112": "a group's name that cannot name a folder",
    "LACE113": "a name in braces that stands for nothing",
    "LACE114": "an import that cannot be found or read",
    "LACE115": "imports in a circle",
    "LACE116": "a definition that refers to itself",
    "LACE117": "the wrong number of arguments",
    "LACE118": "a number where a condition is wanted, or the other way round",
    "LACE119": "a name that two imports define",
    "LACE120": "samples on disk that cannot be found or read",
    "LACE201": "a comparison that does not suit the attribute",
    "LACE202": "a unit that does not suit",
    "LACE203": "a value outside what the attribute can be",
    "LACE204": "a range that runs backwards, or has no width",
    "LACE205": "a number that must be whole, or of another size",
    "LACE206": "a degree outside 0..1",
    "LACE207": "a weight below zero, or of another size than energies can hold",
    "LACE208": "a temperature that is not above zero, or of another size",
    "LACE209": "a truncation outside 0.001..1",
    "LACE211": "a sampler's option outside its limits",
    "LACE212": "a share outside 0..100 %",
    "LACE213": "a weight where it has no meaning",
    "LACE214": "`temp logit(…)` under `not`",
    "LACE215": "`temp logit(…)` of something that is not discrete",
    "LACE217": "two temperatures for one condition",
    "LACE218": "an `or` of which nothing is left",
    "LACE219": "weights and temperatures that multiply to too much or too little",
    "LACE301": "a clause given twice",
    "LACE302": "a statement without the clause it needs",
    "LACE303": "a clause that does not belong to the statement",
    "LACE304": "a setting or an option given twice",
    "LACE306": "an edit without steps",
    "LACE307": "a program that grows too large when it is written out",
    "LACE308": "a statement that cannot stand inside `for`",
    "LACE310": "a sampler that cannot edit",
    "LACE311": "a sampler that cannot sample the condition",
    "LACE312": "an expectation of something that no annotator sees",
    "LACE313": "a program without statements",
    "LACE314": "a run of a program that has only definitions",
    "LACE315": "classifiers of a space that the statement cannot use",
    "LACE401": "a model's part that is missing, or given twice",
    "LACE402": "an attribute whose kind makes no sense",
    "LACE404": "a named point outside the attribute's range",
    "LACE405": "layers that do not exist",
    "LACE406": "a checksum or a package that is not one",
    "LACE407": "a generator that is not known",
    "LACE501": "conditions that cannot hold together",
    "LACE502": "a condition that always holds",
    "LACE503": "a weight of zero",
    "LACE511": "a definition or an import that nothing uses",
    "LACE512": "a name that hides another",
    "LACE514": "a condition said twice",
    "LACE515": "a loop variable that nothing uses",
    "LACE516": "a temperature that nothing feels",
}
"""Meaning by code; the documentation's index is made of it."""

_FIRST_WARNING = "LACE500"
_FIRST_PEDANTIC = "LACE510"


def severity_of(code: str) -> Severity:
    """Return whether the code is an error or a warning."""
    return "warning" if code > _FIRST_WARNING else "error"


def is_pedantic(code: str) -> bool:
    """Whether the code is reported under `--pedantic` only."""
    return code > _FIRST_PEDANTIC
