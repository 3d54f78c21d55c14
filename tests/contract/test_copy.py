"""command:remote:CopyToRemote: a file, a text or a directory arrives where it should."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.plugin import (
    COPY_TO_REMOTE,
    Plugin,
    PluginError,
    Properties,
    file_archive,
    file_asset,
    text_asset,
)

A, B = "a" * 64, "b" * 64


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A directory with a file in it and one below."""
    root = tmp_path / "tree"
    (root / "below").mkdir(parents=True)
    (root / "one").write_text("1")
    (root / "below" / "two").write_bytes(b"\x00\xff" * 100_000)
    return root


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """An existing, empty directory of the machine."""
    path = tmp_path / "target"
    path.mkdir()
    return path


def _copy(plugin: Plugin, connection: Properties, source: Properties, path: Path) -> Properties:
    inputs = {"connection": connection, "source": source, "remotePath": str(path)}
    return plugin.create(COPY_TO_REMOTE, inputs)[1]


def _content(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def test_a_file_is_copied(plugin: Plugin, connection: Properties, tree: Path, target: Path) -> None:
    state = _copy(plugin, connection, file_asset(tree / "below" / "two", A), target / "new")
    assert (target / "new").read_bytes() == (tree / "below" / "two").read_bytes()
    assert state["remotePath"] == str(target / "new")


def test_a_text_is_copied(plugin: Plugin, connection: Properties, target: Path) -> None:
    _copy(plugin, connection, text_asset("text\n", A), target / "new")
    assert (target / "new").read_text() == "text\n"


def test_missing_parents_are_made(
    plugin: Plugin, connection: Properties, tree: Path, target: Path
) -> None:
    _copy(plugin, connection, file_asset(tree / "one", A), target / "x" / "y" / "new")
    assert (target / "x" / "y" / "new").read_text() == "1"


def test_in_a_directory_a_file_keeps_its_name(
    plugin: Plugin, connection: Properties, tree: Path, target: Path
) -> None:
    _copy(plugin, connection, file_asset(tree / "one", A), target)
    assert _content(target) == {"one": b"1"}


def test_an_existing_file_is_overwritten_and_not_longer_than_before(
    plugin: Plugin, connection: Properties, tree: Path, target: Path
) -> None:
    (target / "old").write_text("longer than the new one")
    _copy(plugin, connection, file_asset(tree / "one", A), target / "old")
    assert (target / "old").read_text() == "1"


def test_a_directory_is_copied_with_its_name(
    plugin: Plugin, connection: Properties, tree: Path, target: Path
) -> None:
    _copy(plugin, connection, file_archive(tree, A), target)
    assert _content(target / "tree") == _content(tree)


def test_a_directory_with_a_slash_is_copied_without_its_name(
    plugin: Plugin, connection: Properties, tree: Path, target: Path
) -> None:
    _copy(plugin, connection, file_archive(f"{tree}/", A), target)
    assert _content(target) == _content(tree)


def test_a_directory_is_copied_to_a_new_place(
    plugin: Plugin, connection: Properties, tree: Path, target: Path
) -> None:
    _copy(plugin, connection, file_archive(tree, A), target / "new")
    assert _content(target / "new" / "tree") == _content(tree)


def test_a_directory_does_not_replace_a_file(
    plugin: Plugin, connection: Properties, tree: Path, target: Path
) -> None:
    (target / "file").touch()
    with pytest.raises(PluginError):
        _copy(plugin, connection, file_archive(tree, A), target / "file")


def test_a_text_needs_a_name(plugin: Plugin, connection: Properties, target: Path) -> None:
    with pytest.raises(PluginError, match="directory"):
        _copy(plugin, connection, text_asset("text", A), target)


def test_a_place_that_cannot_be_written_is_an_error_that_names_it(
    plugin: Plugin, connection: Properties
) -> None:
    with pytest.raises(PluginError, match="/proc/nothing"):
        _copy(plugin, connection, text_asset("text", A), Path("/proc/nothing/file"))


def test_a_preview_copies_nothing(plugin: Plugin, connection: Properties, target: Path) -> None:
    source = text_asset("text", A)
    inputs = {"connection": connection, "source": source, "remotePath": str(target / "new")}
    plugin.create(COPY_TO_REMOTE, inputs, preview=True)
    assert not _content(target)


def test_changed_content_is_copied_and_unchanged_content_is_not(
    plugin: Plugin, connection: Properties, target: Path
) -> None:
    place = target / "file"
    old = {"connection": connection, "source": text_asset("a", A), "remotePath": str(place)}
    _, state = plugin.create(COPY_TO_REMOTE, old)
    place.write_text("changed on the machine")
    state = plugin.update(COPY_TO_REMOTE, state, old, {**old, "triggers": [1]})
    assert place.read_text() == "changed on the machine"
    plugin.update(COPY_TO_REMOTE, state, old, {**old, "source": text_asset("b", B)})
    assert place.read_text() == "b"


def test_a_new_place_is_copied_to(plugin: Plugin, connection: Properties, target: Path) -> None:
    source = text_asset("a", A)
    old = {"connection": connection, "source": source, "remotePath": str(target / "one")}
    _, state = plugin.create(COPY_TO_REMOTE, old)
    plugin.update(COPY_TO_REMOTE, state, old, {**old, "remotePath": str(target / "two")})
    assert set(_content(target)) == {"one", "two"}
