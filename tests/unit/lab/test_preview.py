"""A preview says what changes, and nothing else."""

from __future__ import annotations

from lab.preview import changes_only

PREVIEW = """\
Previewing update (demo):
  pulumi:pulumi:Stack: (same)
    [urn=urn:pulumi:demo::ha-lab::pulumi:pulumi:Stack::ha-lab-demo]
    ~ command:remote:Command: (update)
        [id=command-1]
        [urn=urn:pulumi:demo::ha-lab::halab:remote:Apply$command:remote:Command::lb-node1]
      ~ stdin: (json) {
            absent: []
          ~ files: [
                [0]: { path: "/etc/hosts" }
              ~ [5]: {
                  ~ lines: [
                        [87]: "    http-check expect status 200"
                      ~ [88]: "server node1" => "server node1 weight 3"
                    ]
                }
            ]
        }
Resources:
    ~ 1 to update
    55 unchanged
""".splitlines()


def test_only_changed_lines_and_the_summary_are_shown() -> None:
    assert list(changes_only(PREVIEW)) == [
        "    ~ command:remote:Command: (update)  lb-node1",
        "      ~ stdin: (json) {",
        "          ~ files: [",
        "              ~ [5]: {",
        "                  ~ lines: [",
        '                      ~ [88]: "server node1" => "server node1 weight 3"',
        "Resources:",
        "    ~ 1 to update",
        "    55 unchanged",
    ]


def test_colours_do_not_hide_a_change() -> None:
    line = "\x1b[33m    ~ \x1b[0mmemory: \x1b[33m512 => 1024\x1b[0m"
    assert list(changes_only([line])) == [line]


def test_an_error_is_shown_whole() -> None:
    lines = ["Previewing update (demo):", "Diagnostics:", "  why it failed", "  and where"]
    assert list(changes_only(lines)) == lines[1:]
