"""Making a bootable qcow2 out of a golden tree: one ext4 partition and extlinux (BIOS)."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from images.cache import build_once
from images.spec import DiskSpec, ImageError, disk_key
from images.tree import build_tree, require_root, run_logged

#: Where the partition starts, in bytes: the usual 1 MiB.
_OFFSET = 1024 * 1024
_LABEL = "ha-lab-root"
_MBR = Path("/usr/lib/syslinux/mbr/mbr.bin")
_TOOLS = (
    ("extlinux", "extlinux"),
    ("qemu-img", "qemu-utils"),
    ("sfdisk", "fdisk"),
    ("losetup", "mount"),
    ("mkfs.ext4", "e2fsprogs"),
)

_EXTLINUX = """\
DEFAULT linux
PROMPT 0
TIMEOUT 1
LABEL linux
  LINUX /vmlinuz
  INITRD /initrd.img
  APPEND root=LABEL={label} ro {args}
"""


def build_disk(spec: DiskSpec, mirrors: Sequence[str] = ()) -> Path:
    """The folder with `image.qcow2`, `image.qcow2.sha512` and `packages.lock`."""
    if spec.tree.flavour != "golden":
        raise ImageError("only the golden tree holds a kernel; a bare tree cannot be a disk")
    return build_once("disk", disk_key(spec), lambda work: _build(spec, mirrors, work))


def kernel_arguments(extra: Sequence[str]) -> str:
    """The kernel's command line behind the root: serial console, eth0 as in the rig."""
    return " ".join(["console=tty0", "console=ttyS0,115200", "net.ifnames=0", *extra])


def _build(spec: DiskSpec, mirrors: Sequence[str], work: Path) -> None:
    require_root(_TOOLS)
    if not _MBR.exists():
        raise ImageError(f"{_MBR} not found; install it with: apt-get install -y syslinux-common")
    tree = build_tree(spec.tree, mirrors)
    raw, image, log = work / "disk.raw", work / "image.qcow2", work / "build.log"
    _make_filesystem(tree / "root", raw, spec.size_gib, log)
    with _mounted(raw, work / "mnt") as root:
        _install_boot_loader(root, spec.kernel_args, log)
    convert = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(image)]
    run_logged(convert, log, what="converting the disk to qcow2")
    raw.unlink()
    with image.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha512").hexdigest()
    (work / "image.qcow2.sha512").write_text(f"{digest}  image.qcow2\n", encoding="ascii")
    shutil.copy(tree / "packages.lock", work)


def _make_filesystem(tree: Path, raw: Path, size_gib: int, log: Path) -> None:
    """A partitioned raw disk, its file system filled from `tree` without mounting it."""
    size = size_gib * 1024**3
    with raw.open("wb") as handle:
        handle.truncate(size)
    subprocess.run(
        ["sfdisk", "--quiet", str(raw)],
        input=f"label: dos\nstart={_OFFSET // 512}, type=83, bootable\n",
        text=True,
        check=True,
    )
    with raw.open("r+b") as handle:
        handle.write(_MBR.read_bytes()[:440])
    # extlinux reads neither 64-bit block numbers nor metadata checksums.
    options = [
        "-O",
        "^64bit,^metadata_csum",
        "-E",
        f"offset={_OFFSET},lazy_itable_init=1,nodiscard",
    ]
    blocks = (size - _OFFSET) // 1024
    command = [
        "mkfs.ext4",
        "-q",
        "-F",
        "-L",
        _LABEL,
        "-m",
        "1",
        *options,
        "-d",
        str(tree),
        str(raw),
        f"{blocks}k",
    ]
    run_logged(command, log, what="making the file system")


def _install_boot_loader(root: Path, kernel_args: Sequence[str], log: Path) -> None:
    folder = root / "boot" / "extlinux"
    folder.mkdir(parents=True, exist_ok=True)
    config = _EXTLINUX.format(label=_LABEL, args=kernel_arguments(kernel_args))
    (folder / "extlinux.conf").write_text(config, encoding="ascii")
    fstab = f"LABEL={_LABEL} / ext4 errors=remount-ro,noatime 0 1\n"
    (root / "etc/fstab").write_text(fstab, encoding="ascii")
    run_logged(["extlinux", "--install", str(folder)], log, what="installing extlinux")


@contextmanager
def _mounted(raw: Path, point: Path) -> Iterator[Path]:
    point.mkdir()
    loop = subprocess.run(
        ["losetup", "--find", "--show", "--offset", str(_OFFSET), str(raw)],
        capture_output=True,
        text=True,
    )
    if loop.returncode:
        raise ImageError(f"no loop device for {raw}: {loop.stderr.strip()}")
    device = loop.stdout.strip()
    try:
        subprocess.run(["mount", device, str(point)], check=True)
        try:
            yield point
        finally:
            subprocess.run(["umount", str(point)], check=True)
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)
        point.rmdir()
