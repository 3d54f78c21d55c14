"""From plain data to Settings, or to one error that lists every problem.

Problems in single fields do not hide problems between other fields: the fields in error are put
back to their defaults, and the rules that do not look at those are asked about what is left.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from components.settings.cluster_resource_rules import CLUSTER_RESOURCE_RULES
from components.settings.cluster_rules import CLUSTER_RULES
from components.settings.database_rules import DATABASE_RULES
from components.settings.engine_rules import ENGINE_RULES
from components.settings.fencing_rules import FENCING_RULES
from components.settings.models import Settings
from components.settings.rules import RULES, Rule
from components.settings.service_rules import SERVICE_RULES
from components.settings.storage_rules import STORAGE_RULES
from components.settings.visits_rules import VISITS_RULES

Path = tuple[str | int, ...]
ALL_RULES = (
    *RULES,
    *SERVICE_RULES,
    *CLUSTER_RULES,
    *CLUSTER_RESOURCE_RULES,
    *FENCING_RULES,
    *DATABASE_RULES,
    *ENGINE_RULES,
    *STORAGE_RULES,
    *VISITS_RULES,
)


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
    settings, problems, wrong = _settings_of_the_right_ones(data)
    rules = [rule for rule in ALL_RULES if not _looks_at(rule, wrong)]
    broken = chain.from_iterable(rule.broken(settings, stack) for rule in rules)
    problems += [Problem(*found) for found in broken]
    if problems:
        raise SettingsError(list(dict.fromkeys(problems)))
    return settings


def _settings_of_the_right_ones(
    data: Mapping[str, Any],
) -> tuple[Settings, list[Problem], set[Path]]:
    """Settings without the wrong values, what is wrong with those, and where they were."""
    problems: list[Problem] = []
    wrong: set[Path] = set()
    while True:
        try:
            return Settings.model_validate(data), problems, wrong
        except ValidationError as error:
            details = error.errors(include_url=False)
        # Later rounds only find what the removal of wrong values left incomplete.
        problems = problems or [_problem(detail) for detail in details]
        data, removed = _without(data, [_place(detail) for detail in details])
        wrong |= removed
        if not removed:
            raise SettingsError(problems)


def _looks_at(rule: Rule, wrong: Iterable[Path]) -> bool:
    """Whether a rule reads a setting that is not what the user gave."""
    for text in rule.reads:
        parts = tuple(text.removesuffix(".*").split("."))
        for path in wrong:
            shared = min(len(path), len(parts))
            deep_enough = len(path) <= len(parts) or text.endswith(".*")
            if path[:shared] == parts[:shared] and deep_enough:
                return True
    return False


def _place(detail: ErrorDetails) -> Path:
    """What has to go: the wrong value, or the object that lacks one."""
    path = _plain_path(detail)
    return path[:-1] if detail["type"] == "missing" else path


def _plain_path(detail: ErrorDetails) -> Path:
    """The location without pydantic's marker for a dictionary's key."""
    path = detail["loc"]
    marked = path[-1:] == ("[key]",) and detail["type"] != "extra_forbidden"
    return path[:-1] if marked else path


def _without(data: Mapping[str, Any], paths: Sequence[Path]) -> tuple[dict[str, Any], set[Path]]:
    """A copy of data without the values at these paths, and the paths of what was removed.

    A wrong item takes its list along. For a misspelled key, the path is that of the key that was
    probably meant: it is that one's value which is missing now.
    """
    remainder = copy.deepcopy(dict(data))
    removed: set[Path] = set()
    for path in paths:
        node: Any = remainder
        for index, part in enumerate(path):
            if not isinstance(node, dict) or part not in node:
                break
            if index == len(path) - 1 or not isinstance(node[part], dict):
                del node[part]
                meant = _meant((*path[:index], part))
                removed.add((*path[:index], meant if meant and meant not in node else part))
                break
            node = node[part]
    return remainder, removed


def _problem(detail: ErrorDetails) -> Problem:
    path = _plain_path(detail)
    shown = ".".join(str(part) for part in path) or "(configuration)"
    return Problem(shown, _message(detail, path))


def _message(detail: ErrorDetails, path: Path) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    found = _shown(detail["input"])
    match kind:
        case "extra_forbidden":
            return f"unknown key{_did_you_mean(path)}"
        case "missing":
            return "is missing; it is required here"
        case "value_error":
            return f"{detail['msg'].removeprefix('Value error, ')} (got {found})"
        case "literal_error":
            expected = context["expected"].replace("'", "")
            return f"expected {expected}, got {found}{_closest(detail['input'], expected)}"
        case "greater_than_equal":
            return f"expected {context['ge']} or more, got {found}"
        case "less_than_equal":
            return f"expected {context['le']} or less, got {found}"
        case "too_short":
            return f"expected at least {context['min_length']} item, got {found}"
        case "model_type" | "dict_type":
            return f"expected an object{_keys_hint(path)}, got {found}"
    expected = _EXPECTED.get(kind)
    if expected is None:
        message = detail["msg"]
        return f"{message[0].lower()}{message[1:]} (got {found})"
    return f"expected {expected}, got {found}"


_EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a smaller number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text (in quotes where it looks like a number)",
    "tuple_type": "a list",
    "ip_v4_address": "an IPv4 address such as 10.16.1.100",
    "invalid_key": "a key that is text",
}


def _shown(value: object) -> str:
    """A value as YAML has it, shortened."""
    words = {None: "nothing", True: "true", False: "false"}
    if value is None or isinstance(value, bool):
        return words[value]
    try:
        text = repr(value)
    except ValueError:  # Python does not print numbers of more than 4300 digits
        return "a very long number"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _keys_hint(path: Path) -> str:
    keys = keys_at(path)
    return f" with keys such as {keys[0]!r}" if keys else ""


def _closest(value: object, expected: str) -> str:
    options = expected.replace(" or ", ", ").split(", ")
    near = difflib.get_close_matches(str(value), options, n=1) if isinstance(value, str) else []
    return f"; did you mean {near[0]!r}?" if near else ""


def _meant(path: Path) -> str | None:
    """The known key that is nearest to this path's last one; None where it is known, or none is."""
    keys = keys_at(path[:-1])
    if path[-1] in keys:
        return None
    return next(iter(difflib.get_close_matches(str(path[-1]), keys, n=1)), None)


def _did_you_mean(path: Path) -> str:
    keys, meant = keys_at(path[:-1]), _meant(path)
    if meant:
        return f" (did you mean {meant!r}?)"
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
        if keyed:  # next is a machine's name or a list's index
            if not remaining:
                return []
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
