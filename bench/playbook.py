"""The lab's own service plans as an Ansible playbook: the same files, packages, units and checks.

Pure. Where there was a choice, it is the one that is faster for Ansible: one task asks for all
packages, one makes all directories of a service, one stops all updaters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from components.files import RenderedFile, ServicePlan

Task = dict[str, object]
Play = dict[str, object]
Plans = Mapping[str, ServicePlan]
"""By machine name; the plans of one play have the same files with different contents."""


def trivial(count: int) -> list[Play]:
    """`count` files, each a task of its own."""
    tasks = [
        {
            "name": f"file {number}",
            "ansible.builtin.copy": {
                "dest": f"/tmp/bench-ansible-{number}",  # noqa: S108 - on a machine that is removed
                "content": f"task {number} of {{{{ inventory_hostname }}}}",
                "mode": "0644",
            },
        }
        for number in range(1, count + 1)
    ]
    return [{"hosts": "all", "gather_facts": False, "tasks": tasks}]


def play(name: str, services: Iterable[Plans], *, serial: int | None = None) -> Play:
    """One play for the machines that have these services."""
    tasks: list[Task] = []
    handlers: dict[str, Task] = {}
    hosts: list[str] = []
    for plans in services:
        hosts = list(plans)
        plan = plans[hosts[0]]
        tasks += service_tasks(plan)
        handlers |= {str(task["name"]): task for task in unit_handlers(plan)}
    made: Play = {
        "name": name,
        "hosts": ",".join(hosts),
        "gather_facts": False,
        "become": True,
        "tasks": tasks,
        "handlers": list(handlers.values()),
    }
    return made if serial is None else {**made, "serial": serial}


def service_tasks(plan: ServicePlan) -> list[Task]:
    """A plan's packages, files, units and checks, in the applier's order."""
    tasks: list[Task] = []
    if packages := plan.packages.get("debian", ()):
        wanted = ["dpkg-query", "-W", *packages]
        task = {"ansible.builtin.command": {"argv": wanted}, "changed_when": False}
        tasks.append({"name": f"{plan.name}: packages are there", **task})
    parents = sorted({str(PurePosixPath(file.path).parent) for file in plan.files})
    if parents:
        made = {"ansible.builtin.command": {"argv": ["mkdir", "-p", *parents]}}
        tasks.append({"name": f"{plan.name}: directories", **made, "changed_when": False})
    for number, file in enumerate(plan.files):
        tasks += file_tasks(plan, file, f"{plan.name}_{number}".replace("-", "_"))
    if stopped := " ".join(unit.name for unit in plan.units if not unit.running):
        shell = f"systemctl disable --now {stopped} || true"
        tasks.append({"name": "stopped", "ansible.builtin.shell": shell, "changed_when": False})
    for unit in plan.units:
        if unit.running:
            wish = {"name": unit.name, "enabled": True, "state": "started"}
            tasks.append({"name": f"{unit.name} runs", "ansible.builtin.systemd_service": wish})
    tasks += [check_task(command) for command in plan.checks]
    return tasks


def file_tasks(plan: ServicePlan, file: RenderedFile, variable: str) -> list[Task]:
    """The file, and what takes it over when it changed."""
    copy: dict[str, object] = {
        "src": f"{{{{ playbook_dir }}}}/files/{{{{ inventory_hostname }}}}{file.path}",
        "dest": file.path,
        "mode": f"{file.mode:04o}",
        "owner": file.owner,
        "group": file.group,
    }
    if file.validate:
        copy["validate"] = f"sh -c '{file.validate.replace('{staged}', '%s')}'"
    notified = [
        handler_name(unit.name, verb)
        for unit in plan.units
        for verb, paths in (("reloaded", unit.reload_on), ("restarted", unit.restart_on))
        if file.path in paths
    ]
    task: Task = {"name": file.path, "ansible.builtin.copy": copy, "register": variable}
    tasks = [{**task, "notify": notified} if notified else task]
    if file.then:
        after = {"ansible.builtin.shell": file.then, "when": f"{variable} is changed"}
        tasks.append({"name": f"take over {file.path}", **after})
    return tasks


def unit_handlers(plan: ServicePlan) -> list[Task]:
    """What a changed file does to a unit."""
    return [
        {
            "name": handler_name(unit.name, verb),
            "ansible.builtin.systemd_service": {"name": unit.name, "state": verb},
        }
        for unit in plan.units
        for verb, paths in (("reloaded", unit.reload_on), ("restarted", unit.restart_on))
        if paths
    ]


def handler_name(unit: str, verb: str) -> str:
    return f"{unit} {verb}"


def check_task(command: str) -> Task:
    """A check, tried until it succeeds."""
    return {
        "name": f"check: {command[:60]}",
        "ansible.builtin.shell": command,
        "register": "check",
        "until": "check.rc == 0",
        "retries": 60,
        "delay": 0.2,
        "changed_when": False,
    }
