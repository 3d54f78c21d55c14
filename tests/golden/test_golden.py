"""Every rendered byte of the cases, and what the real daemons say about them.

`HALAB_UPDATE_GOLDEN=1 pytest tests/golden` (`make golden`) writes the files anew; the change is
then read as a diff.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from components.files import RenderedFile
from components.load_balancer.nginx import CERTIFICATE_PATH as NGINX_CERTIFICATE
from tests.golden.cases import CASES, Case
from tests.support.services.certificate import SITE_PEM
from tests.support.services.machines import Machine, segment, why_no_machines

GOLDEN = Path(__file__).parent
UPDATE = os.environ.get("HALAB_UPDATE_GOLDEN") == "1"
TOOLS = {"haproxy.cfg": "haproxy", "keepalived.conf": "keepalived", "nginx.conf": "nginx"}


def kept_files(case: Case) -> dict[str, str]:
    """What is kept of a case: the content by the name of its golden file."""
    files = case.plan().files
    return {
        file.path.strip("/").replace("/", "__"): file.content
        for file in files
        if not case.keep or Path(file.path).name in case.keep
    }


def write_golden(name: str, files: dict[str, str]) -> None:
    shutil.rmtree(GOLDEN / name, ignore_errors=True)
    (GOLDEN / name).mkdir(parents=True)
    for file, content in files.items():
        (GOLDEN / name / file).write_bytes(content.encode())


@pytest.mark.parametrize("name", CASES)
def test_every_rendered_file_is_the_one_that_was_reviewed(name: str) -> None:
    files = kept_files(CASES[name])
    if UPDATE:
        write_golden(name, files)
    golden = {path.name: path.read_bytes().decode() for path in (GOLDEN / name).glob("*")}
    assert files == golden, "read the difference; if it is meant, run `make golden`"


def test_there_is_no_golden_file_without_a_case() -> None:
    found = {str(path.relative_to(GOLDEN)) for path in GOLDEN.glob("*/*") if path.is_dir()}
    assert {name for name in found if "__pycache__" not in name} == set(CASES)


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    if reason := why_no_machines():
        pytest.skip(reason)
    with segment({"lb1": "10.16.1.11/24"}) as machines:
        machines["lb1"].put(SITE_PEM)
        machines["lb1"].put(replace(SITE_PEM, path=NGINX_CERTIFICATE))
        yield machines["lb1"]


# The cluster's validators need a whole member: they run on the rig (tests/proof/cluster).
VALIDATED = [name for name in CASES if not name.startswith("pacemaker/")]


@pytest.mark.parametrize("name", VALIDATED)
def test_the_daemons_own_validators_accept_every_file(name: str, machine: Machine) -> None:
    files = CASES[name].plan().files if CASES[name].is_tried else ()
    for file in files:
        tool = file.validate.split()[0] if file.validate else ""
        tool = TOOLS.get(Path(file.path).name, tool)
        if tool and shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed, so {file.path} cannot be validated: install it")
        machine.put(file)


def shell_scripts() -> dict[str, RenderedFile]:
    files = [file for case in CASES.values() for file in case.plan().files]
    return {file.path: file for file in files if file.content.startswith("#!/usr/bin/env bash")}


@pytest.mark.parametrize("path", shell_scripts())
def test_shellcheck_has_nothing_to_say_about_installed_scripts(path: str) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed: apt-get install shellcheck")
    script = shell_scripts()[path].content
    done = subprocess.run(
        ["shellcheck", "-"], input=script, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


BROKEN = {
    "/etc/haproxy/haproxy.cfg": ("httplog", "httplogg"),
    "/etc/keepalived/keepalived.conf": ("advert_int", "advert_interval"),
    "/etc/nftables.conf": ("policy drop;", "policy dropp;"),
    "/etc/nginx/nginx.conf": ("server_tokens", "server_token"),
    "/etc/ha-lab-nginx-lb/nginx.conf": ("server_tokens", "server_token"),
}


@pytest.mark.parametrize("path", BROKEN)
def test_a_broken_file_is_refused_by_its_validator(path: str, machine: Machine) -> None:
    right, wrong = BROKEN[path]
    files = [
        file
        for case in (
            "load_balancer/standard",
            "load_balancer/nginx",
            "app_server/demo",
            "firewall/nothing-declared",
        )
        for file in CASES[case].plan().files
    ]
    for file in files:
        if file.path != path:
            machine.put(file)
    good = next(file for file in files if file.path == path)
    assert right in good.content
    broken = RenderedFile(
        path=path, content=good.content.replace(right, wrong, 1), validate=good.validate
    )
    machine.put(good)
    with pytest.raises(AssertionError, match=wrong):
        machine.put(broken)
