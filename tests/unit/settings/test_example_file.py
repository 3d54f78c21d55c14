"""stacks/example.yaml has every key, with its default, range and meaning; Pulumi.yaml agrees."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from components.settings.load import _model_in, load_settings
from components.settings.models import Settings

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "stacks" / "example.yaml").read_text(encoding="utf-8")
PREFIX = "ha-lab:"
INSTEAD = (
    "machines.hosts",
    "machines.networkNamespace",
    "machines.privateKeyFile",
    "libvirt.image.path",
    "loadBalancer.tls.certificateFile",
    "appServer.application",
    "appServer.visits.engine",
    "cluster.quorumDevice",
    "cluster.fencing.devices",
    "cluster.resources",
    "cluster.groups",
    "cluster.clones",
    "cluster.constraints",
)
"""What excludes something that stands in the file too, or names a file that is not there."""
NAMED = (
    "machines.sizes",
    "machines.hosts",
    "loadBalancer.acls",
    "loadBalancer.backends",
    "cluster.fencing.devices",
    "cluster.resources",
    "cluster.groups",
    "cluster.clones",
    "storage.volumes",
    "drill.limits",
)
"""Objects whose keys are names that people give."""


def uncommented() -> str:
    """The file with every setting switched on, as an editor's toggle would do it."""
    return re.sub(r"^( *)# ", r"\1", TEXT, flags=re.MULTILINE)


@cache
def example() -> Mapping[str, Any]:
    """The settings as data; read once, and not to be changed."""
    config = yaml.safe_load(uncommented())["config"]
    return {key.removeprefix(PREFIX): value for key, value in config.items()}


def fields(model: type[BaseModel], at: tuple[str, ...] = ()) -> Iterator[tuple[str, FieldInfo]]:
    """Path and field of every key; `*` stands for a name or an index."""
    for field in model.model_fields.values():
        path = (*at, str(field.alias))
        yield ".".join(path), field
        inner = _model_in(field.annotation)
        if inner is not None:
            many = re.match(r"(dict|tuple)\[", str(field.annotation))
            yield from fields(inner, (*path, "*") if many else path)


@cache
def shown() -> Settings:
    """The settings as models."""
    return Settings.model_validate(example())


@cache
def lines_of_keys() -> Mapping[str, str]:
    """By path (`*` for a name or an index), what is said on the line of its first mention."""
    text = uncommented()
    found: dict[str, str] = {}

    def walk(node: yaml.Node, at: tuple[str, ...]) -> None:
        if isinstance(node, yaml.SequenceNode):
            for item in node.value:
                walk(item, (*at, "*"))
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                named = ".".join(at) in NAMED
                path = (*at, "*" if named else key.value.removeprefix(PREFIX))
                if not named:
                    said = text.splitlines()[key.start_mark.line].partition("  # ")[2]
                    found.setdefault(".".join(path), said)
                if ".".join(path) not in LEAVES:
                    walk(value, path)

    root = yaml.compose(text)
    assert isinstance(root, yaml.MappingNode)
    walk(root.value[0][1], ())
    return found


FIELDS = list(fields(Settings))
LEAVES = {path for path, field in FIELDS if _model_in(field.annotation) is None}
"""Keys without keys of ours below them; an option of Pacemaker's may be named there."""
SAMPLES = (
    "machines.sizes",
    "machines.hosts",
    "drill.limits",
    "cluster.fencing.devices",
    "cluster.groups",
    "cluster.clones",
    "cluster.constraints.locations",
)
"""Empty where nothing is given; what is empty cannot show its keys, so it has a sample."""
CASES = [pytest.param(path, field, id=path) for path, field in FIELDS]


def test_it_is_a_stack_file_without_settings_as_it_stands() -> None:
    assert yaml.safe_load(TEXT) == {"config": None}


def test_it_has_exactly_the_keys_of_the_models() -> None:
    assert set(lines_of_keys()) == {path for path, _ in FIELDS}


def test_it_is_valid_but_for_what_is_marked_as_an_alternative() -> None:
    data = copy.deepcopy(dict(example()))
    assert shown()
    for path in INSTEAD:
        *sections, last = path.split(".")
        node = data
        for section in sections:
            node = node[section]
        del node[last]

    load_settings(data, stack="example")


@pytest.mark.parametrize(("path", "field"), CASES)
def test_every_value_is_the_default_where_there_is_one(path: str, field: FieldInfo) -> None:
    node: Any = shown()
    for part in path.split("."):
        if part == "*":
            node = next(iter(node.values())) if isinstance(node, dict) else node[0]
            continue
        owner = type(node)
        name = next(n for n, f in owner.model_fields.items() if f.alias == part)
        node = getattr(node, name)
    in_a_sample = "*" in path and not path.startswith("machines.hosts")
    if field.is_required() or field.default is None or in_a_sample:
        return
    if path in SAMPLES:
        assert not field.default
        return
    if isinstance(field.default, BaseModel) and any(p.startswith(f"{path}.") for p, _ in FIELDS):
        return  # its fields are compared one by one
    assert comparable(node) == comparable(field.default)


def comparable(node: object) -> object:
    """A value without the fields that have no default: those are shown with an example."""
    if isinstance(node, BaseModel):
        chosen = {n for n, f in type(node).model_fields.items() if f.default is not None}
        return {name: comparable(getattr(node, name)) for name in sorted(chosen)}
    if isinstance(node, dict):
        return {key: comparable(value) for key, value in node.items()}
    return [comparable(item) for item in node] if isinstance(node, tuple) else node


@pytest.mark.parametrize(("path", "field"), CASES)
def test_every_key_says_what_it_means_and_its_range(path: str, field: FieldInfo) -> None:
    said = lines_of_keys()[path]
    leaf = _model_in(field.annotation) is None
    if leaf:
        assert said, f"{path} has no comment"
    if field.default is None and not field.is_required() and leaf:
        assert "unset: " in said, f"{path} does not say what holds when it is not given"
    low, high = bounds(field)
    if low is not None:
        assert f"{low}-{high}" in said, f"{path} does not say its range {low}-{high}"


def bounds(field: FieldInfo) -> tuple[object, object]:
    """Smallest and largest accepted number; None, None where there are none."""
    text = re.search(r"Ge\(ge=(\d+)\).*?Le\(le=(\d+)\)", f"{field.metadata} {field.annotation}")
    return (text[1], text[2]) if text else (None, None)


def test_bounds_are_found_where_they_are_declared() -> None:
    found = {path: bounds(field) for path, field in FIELDS}

    assert found["number"] == ("0", "250")
    assert found["machines.counts.app"] == ("1", "20")
    assert found["loadBalancer.stats.port"] == ("1", "65535")
    assert found["network.domain"] == (None, None)


def test_pulumi_knows_the_same_top_level_keys() -> None:
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    declared = set(project["config"])

    assert declared - {"secrets"} == {str(f.alias) for f in Settings.model_fields.values()}
    assert project["config"]["secrets"]["secret"] is True
    assert project["stackConfigDir"] == "stacks"


def test_pulumis_defaults_are_those_of_the_models() -> None:
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    for field in Settings.model_fields.values():
        declared = project["config"][str(field.alias)]["default"]
        if field.alias == "number":
            assert declared == -1, "the integer that stands for none"
        elif isinstance(field.default, BaseModel):
            assert declared == {}
        else:
            assert declared == field.default


@pytest.mark.parametrize("stack", ["demo", "full"])
def test_the_stacks_that_come_with_the_project_are_valid(stack: str) -> None:
    content = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text("utf-8"))
    data = {
        key.removeprefix(PREFIX): value
        for key, value in content["config"].items()
        if key != f"{PREFIX}secrets"
    }

    load_settings(data, stack=stack)
