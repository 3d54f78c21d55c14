"""Files of the cache under many labs at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from components.whole_file import write_whole


def test_many_writers_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "facts.json"
    texts = [str(digit) * 100_000 for digit in range(8)]
    with ThreadPoolExecutor(8) as labs:
        list(labs.map(lambda text: write_whole(path, text), texts * 10))
    assert path.read_text(encoding="utf-8") in texts
    assert list(path.parent.iterdir()) == [path], "no draft is left"
