"""Bringing the cluster to its configuration: built beside the live one, compared, pushed once.

Nothing happens where they are the same. Where they are not, Pacemaker gets the difference as one
patch and makes one transition of it, in which only what differs is touched.
"""

from __future__ import annotations

import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

from .byhand import kept_by_hand, restored
from .merge import merged, resources
from .system import ToolError, must, note, run, status

PUSHED = Path("/var/lib/ha-lab/cluster/pushed.xml")
"""What was put in last: what is missing of it, or different, somebody changed by hand."""
SAME, DIFFERENT = 0, 1
WARNINGS = "Warnings found during check"
TIMED_OUT = 124
"""Exit statuses of Pacemaker's commands."""


def push(wanted_file: Path, *, within_s: int) -> None:
    """Make the cluster what the file says, and wait until it is."""
    wanted = ET.parse(wanted_file).getroot()
    before = last_pushed()
    live = live_cib()
    for sentence in restored(before, live):
        note(f"changed by hand, put back: {sentence}")
    patch = difference(live, merged(live, wanted, before))
    if patch:
        must(["cibadmin", "--patch", "--xml-pipe"], stdin=patch)
    PUSHED.parent.mkdir(parents=True, exist_ok=True)
    PUSHED.write_text(wanted_file.read_text(encoding="utf-8"), encoding="utf-8")
    settle(within_s)
    try_again(idle(wanted, status()), within_s)
    by_hand = kept_by_hand(live_cib(), wanted)
    for sentence in by_hand:
        note(f"by hand, left as it is: {sentence}")
    must_run(wanted, is_touched=bool(by_hand))


def live_cib() -> ET.Element:
    """The whole CIB as the cluster has it now."""
    return ET.fromstring(must(["cibadmin", "--query"]))


def last_pushed() -> ET.Element | None:
    """The configuration that was put in last; None where none is known."""
    try:
        return ET.parse(PUSHED).getroot()
    except (FileNotFoundError, ET.ParseError):
        return None


def difference(live: ET.Element, new: ET.Element) -> str:
    """The patch that makes one of the other; empty where there is nothing to do.

    Raises ToolError where Pacemaker would not accept the new one.
    """
    with tempfile.TemporaryDirectory(prefix="ha-lab-cluster-") as directory:
        old_file, new_file = Path(directory, "old.xml"), Path(directory, "new.xml")
        old_file.write_bytes(ET.tostring(live))
        new_file.write_bytes(ET.tostring(new))
        checked = run(["crm_verify", "--xml-file", str(new_file), "--verbose"])
        said = (checked.stderr.strip() or checked.stdout.strip())[-1500:]
        # Warnings give a status too, for example that a resource that goes still runs.
        if checked.returncode != 0 and WARNINGS not in said:
            raise ToolError(f"Pacemaker refuses the configuration, nothing was pushed:\n{said}")
        words = ["--no-version", "--original", str(old_file), "--new", str(new_file)]
        compared = run(["crm_diff", *words])
    if compared.returncode == SAME:
        return ""
    if compared.returncode != DIFFERENT:
        raise ToolError(f"crm_diff ended with {compared.returncode}: {compared.stderr[-800:]}")
    return compared.stdout


def settle(within_s: int) -> None:
    """Wait until the cluster has nothing more to do."""
    words = ["crm_resource", "--wait", f"--timeout={within_s}s"]
    done = run(words, timeout_s=within_s + 30)
    if done.returncode == TIMED_OUT:
        raise ToolError(f"the cluster is not done after {within_s} s: {done.stderr.strip()[-800:]}")
    if done.returncode != 0:
        raise ToolError(f"`crm_resource --wait` ended with {done.returncode}: {done.stderr[-800:]}")


def try_again(names: list[str], within_s: int) -> None:
    """Forget the failures of resources that do not run: what they failed for may be put right."""
    failed = [name for name in names if run(["crm_resource", "--cleanup", "-r", name]).stdout]
    if failed:
        settle(within_s)


def idle(wanted: ET.Element, seen: ET.Element | None) -> list[str]:
    """The resources of the settings that run nowhere. Raises ToolError without an answer."""
    if seen is None:
        raise ToolError("the cluster stopped answering; `journalctl -u pacemaker` says why")
    running = {
        resource.get("id", "").partition(":")[0]
        for resource in seen.iterfind(".//resource")
        if resource.get("active") == "true" and resource.get("failed") == "false"
    }
    names = [found.get("id", "") for found in resources(wanted) if found.tag == "primitive"]
    return [name for name in names if name not in running]


def must_run(wanted: ET.Element, *, is_touched: bool) -> None:
    """Raises ToolError where a resource of the settings does not run and nobody meant it so."""
    seen = status()
    still = idle(wanted, seen)
    reasons = [] if seen is None else list(failures(seen))
    if still and is_touched and not reasons:
        note(f"not running, for what was done by hand: {', '.join(still)}")
    elif still:
        lines = "".join(f"\n  {reason}" for reason in reasons)
        raise ToolError(
            f"these resources do not run: {', '.join(still)}; `pcs status --full` shows the"
            f" cluster{lines}"
        )


def failures(seen: ET.Element) -> Iterator[str]:
    """What failed, where and why."""
    for failure in seen.iterfind("./failures/failure"):
        reason = failure.get("exitreason") or failure.get("exitstatus") or failure.get("status")
        yield f"{failure.get('op_key')} on {failure.get('node')}: {reason}"
