"""The specification's JSON: stable, and laid out so that a preview shows the changed line."""

from __future__ import annotations

import json

from components.files import RenderedFile, ServicePlan, ServiceUnit
from components.remote.spec import VERSION, specification

PLAN = ServicePlan(
    name="web",
    packages={"redhat": ("httpd",), "debian": ("nginx", "curl")},
    files=(
        RenderedFile(
            path="/etc/web.conf",
            content="listen 80\nroot /srv\n",
            mode=0o640,
            group="web",
            validate="web -t {staged}",
        ),
    ),
    absent=("/etc/default-site",),
    units=(ServiceUnit(name="web.service", redhat="webd.service", reload_on=("/etc/web.conf",)),),
    checks=("curl -f http://127.0.0.1/",),
    check_within_s=30,
)
EXPECTED = """\
{
 "version": 1,
 "service": "web",
 "packages": {
  "debian": [
   "nginx",
   "curl"
  ],
  "redhat": [
   "httpd"
  ]
 },
 "files": {
  "/etc/web.conf": {
   "mode": "0640",
   "owner": "root",
   "group": "web",
   "validate": "web -t {staged}",
   "then": null,
   "lines": [
    "listen 80",
    "root /srv",
    ""
   ]
  }
 },
 "absent": [
  "/etc/default-site"
 ],
 "units": [
  {
   "name": {
    "debian": "web.service",
    "redhat": "webd.service"
   },
   "running": true,
   "reload_on": [
    "/etc/web.conf"
   ],
   "restart_on": []
  }
 ],
 "checks": [
  "curl -f http://127.0.0.1/"
 ],
 "check_within_s": 30
}"""


def test_its_text_is_always_the_same_for_the_same_plan() -> None:
    """Golden: another text is an update of every resource of every lab."""
    assert specification(PLAN) == EXPECTED
    assert VERSION == 1


def test_a_changed_line_of_a_file_is_a_changed_line_of_the_text() -> None:
    changed = ServicePlan(
        name="web",
        packages=PLAN.packages,
        files=(
            RenderedFile(
                path="/etc/web.conf",
                content="listen 81\nroot /srv\n",
                mode=0o640,
                group="web",
                validate="web -t {staged}",
            ),
        ),
        absent=PLAN.absent,
        units=PLAN.units,
        checks=PLAN.checks,
        check_within_s=30,
    )
    lines = zip(specification(PLAN).split("\n"), specification(changed).split("\n"), strict=True)

    assert [pair for pair in lines if pair[0] != pair[1]] == [
        ('    "listen 80",', '    "listen 81",')
    ]


def test_both_families_are_always_there_for_the_applier() -> None:
    empty = json.loads(specification(ServicePlan(name="nothing")))

    assert empty["packages"] == {"debian": [], "redhat": []}


def test_the_content_comes_back_as_it_was() -> None:
    for content in ("a\n", "a", "", "a\r\n\r\nb", "é\t\u2028\n"):
        file = RenderedFile(path="/x", content=content)
        data = json.loads(specification(ServicePlan(name="x", files=(file,))))

        assert "\n".join(data["files"]["/x"]["lines"]) == content
