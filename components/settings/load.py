"""From plain data to Settings, or to one error that lists every problem.

Problems in single fields do not hide problems between fields: the fields in error are put back to
their defaults, and the rules look at what is left.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from components.settings.models import Settings
from components.settings.rules import broken_rules

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One wrong setting: where, and a sentence with what was found, expected and to do."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class SettingsError(Exception):
    """The configuration cannot be used; `problems` says everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        count = f"{len(self.problems)} problem{'s' if len(self.problems) > 1 else ''}"
        lines = "".join(f"\n  {problem}" for problem in self.problems)
        super().__init__(f"{count} in the stack configuration:{lines}")


def load_settings(data: object, *, stack: str) -> Settings:
    """Validate plain data (parsed YAML or Pulumi configuration).

    Raises SettingsError with all problems, of single fields and between fields.
    """
    if not isinstance(data, Mapping):
        found = type(data).__name__
        raise SettingsError([Problem("(configuration)", f"expected an object, got {found}")])
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        problems = [_problem(detail) for detail in details]
        remainder = _without(data, [_plain_path(detail) for detail in details])
        problems += _rules_of_remainder(remainder, stack)
        raise SettingsError(list(dict.fromkeys(problems))) from None
    broken = [Problem(*rule) for rule in broken_rules(settings, stack=stack)]
    if broken:
        raise SettingsError(broken)
    return settings


def _rules_of_remainder(data: Mapping[str, Any], stack: str) -> list[Problem]:
    try:
        settings = Settings.model_validate(data)
    except ValidationError:  # a required field was among the wrong ones: nothing left to compare
        return []
    return [Problem(*rule) for rule in broken_rules(settings, stack=stack)]


def _plain_path(detail: ErrorDetails) -> Path:
    """The location without pydantic's own markers for dictionary keys."""
    return tuple(part for part in detail["loc"] if part != "[key]")


def _without(data: Mapping[str, Any], paths: Sequence[Path]) -> dict[str, Any]:
    """A copy of data without the values at these paths (list items take their list along)."""
    remainder = copy.deepcopy(dict(data))
    for path in paths:
        node: Any = remainder
        for index, part in enumerate(path):
            last = index == len(path) - 1
            following = None if last else path[index + 1]
            if not isinstance(node, dict) or part not in node:
                break
            if last or isinstance(following, int) or not isinstance(node[part], dict):
                del node[part]
                break
            node = node[part]
    return remainder


def _problem(detail: ErrorDetails) -> Problem:
    path = _plain_path(detail)
    shown = ".".join(str(part) for part in path) or "(configuration)"
    return Problem(shown, _message(detail, path))


def _message(detail: ErrorDetails, path: Path) -> str:
    found = _shorten(detail["input"])
    match detail["type"]:
        case "extra_forbidden":
            return f"unknown key{_did_you_mean(path)}"
        case "missing":
            return "is missing; it is required here"
        case "value_error":
            return f"{detail['msg'].removeprefix('Value error, ')} (got {found})"
        case "literal_error":
            expected = detail["ctx"]["expected"]
            return f"expected {expected}, got {found}{_closest(detail['input'], expected)}"
        case _:
            message = detail["msg"]
            return f"{message[0].lower()}{message[1:]} (got {found})"


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _closest(value: object, expected: str) -> str:
    options = [option.strip("'") for option in expected.replace(" or ", ", ").split(", ")]
    near = difflib.get_close_matches(str(value), options, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _did_you_mean(path: Path) -> str:
    keys = keys_at(path[:-1])
    near = difflib.get_close_matches(str(path[-1]), keys, n=1)
    if near:
        return f" (did you mean {near[0]!r}?)"
    return f"; known here: {', '.join(sorted(keys))}" if keys else ""


def keys_at(path: Path) -> list[str]:
    """The YAML keys that may stand in the object at this path; none where it is not a section."""
    model: type[BaseModel] | None = Settings
    remaining = list(path)
    while remaining and model is not None:
        part = remaining.pop(0)
        field = next((f for f in model.model_fields.values() if f.alias == part), None)
        if field is None:
            return []
        annotation: Any = field.annotation
        model = _model_in(annotation)
        keyed = "dict" in str(annotation) or "tuple" in str(annotation)
        if keyed and remaining:  # the machine's name or the list index
            remaining.pop(0)
    return [str(f.alias) for f in model.model_fields.values()] if model is not None else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The section inside an annotation such as `dict[MachineName, Size]` or `X | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        found = _model_in(inner)
        if found is not None:
            return found
    return None
