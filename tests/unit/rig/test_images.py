"""The pure part of images: package lists, locks, sources."""

from __future__ import annotations

from dataclasses import replace

import pytest

from images.sources import deb822_entries, for_release, mirror_lines, one_line_entries
from images.spec import (
    DiskSpec,
    ImageError,
    different_pins,
    disk_key,
    parse_lock,
    parse_packages,
    tree_key,
    tree_spec,
)

PACKAGES = """\
# Heading of the file.

# [bare] base
systemd-sysv
python3

# more
haproxy
"""


def test_comments_are_not_packages_and_bare_takes_only_its_groups() -> None:
    assert parse_packages(PACKAGES) == ("systemd-sysv", "python3", "haproxy")
    assert parse_packages(PACKAGES, bare_only=True) == ("systemd-sysv", "python3")


def test_the_bare_tree_has_ssh_and_no_ha_package() -> None:
    packages = tree_spec("bookworm", "bare").packages
    assert "openssh-server" in packages
    assert not {"haproxy", "keepalived", "pacemaker", "nginx"} & set(packages)


def test_a_lock_is_read_as_pins_and_its_mistakes_have_a_line_number() -> None:
    assert parse_lock("# c\nbash=5.2-1\n\nlibc6=2.36\n") == (("bash", "5.2-1"), ("libc6", "2.36"))
    with pytest.raises(ImageError, match="line 2"):
        parse_lock("bash=5\nlibc6\n")


def test_a_version_that_the_mirror_did_not_have_is_named() -> None:
    assert different_pins((("a", "1"), ("b", "2"), ("c", "3")), {"a": "1", "b": "9"}) == [
        "b: wanted 2, got 9",
        "c: wanted 3, got nothing",
    ]


def test_whatever_changes_the_content_changes_the_key() -> None:
    tree = tree_spec("bookworm")
    keys = {
        tree_key(tree),
        tree_key(tree_spec("bookworm", "bare")),
        tree_key(tree_spec("trixie")),
        tree_key(tree_spec("bookworm", snapshot="bash=1\n")),
        tree_key(replace(tree, packages=(*tree.packages, "extra"))),
        disk_key(DiskSpec(tree=tree)),
        disk_key(DiskSpec(tree=tree, size_gib=5)),
        disk_key(DiskSpec(tree=tree, kernel_args=("quiet",))),
    }
    assert len(keys) == 8
    assert tree_key(tree) == tree_key(tree_spec("bookworm"))


def test_an_unknown_release_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ImageError, match="bookworm, trixie"):
        tree_spec("potato")


DEB822 = """\
Types: deb deb-src
# a comment
URIs: mirror://one/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb
URIs: mirror://two/security
Suites: bookworm-security
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 key

Types: deb
Enabled: no
URIs: mirror://three
Suites: bookworm
Components: main
"""


def test_deb822_sources_become_one_line_entries() -> None:
    assert deb822_entries(DEB822) == [
        "deb [signed-by=/usr/share/keyrings/debian.gpg] mirror://one/debian bookworm main",
        "deb [signed-by=/usr/share/keyrings/debian.gpg] mirror://one/debian bookworm-updates main",
        "deb mirror://two/security bookworm-security main contrib",
    ]


def test_one_line_sources_keep_their_options_and_lose_comments() -> None:
    text = (
        "# deb no\ndeb [arch=amd64 trusted=yes] mirror://x bookworm main # why\ndeb-src y z main\n"
    )
    assert one_line_entries(text) == ["deb [arch=amd64 trusted=yes] mirror://x bookworm main"]


def test_only_the_hosts_debian_entries_are_used_and_renamed_for_another_release() -> None:
    entries = [
        "deb [signed-by=/k] mirror://a bookworm main",
        "deb mirror://a bookworm-security main",
        "deb mirror://a bookworm-backports main",
        "deb mirror://vendor stable main",
    ]
    assert for_release(entries, host="bookworm", release="trixie") == [
        "deb [signed-by=/k] mirror://a trixie main",
        "deb mirror://a trixie-security main",
    ]


def test_a_mirror_is_a_url_or_a_whole_line() -> None:
    assert mirror_lines(["mirror://a", "deb mirror://b sid main"], "trixie") == [
        "deb mirror://a trixie main",
        "deb mirror://b sid main",
    ]
