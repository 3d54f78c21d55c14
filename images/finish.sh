#!/usr/bin/env bash
# Runs at the end of the build, outside the tree: finish.sh ROOT. Leaves a tree in which nothing
# starts that the preset does not name (the bare tree has no preset: there, as on any unprepared
# Debian, what is installed starts), and that carries no key, identity or cache of its own.
set -euo pipefail
root=$1

if [ -e "$root/etc/systemd/system-preset/00-ha-lab.preset" ]; then
  systemctl --root="$root" --quiet preset-all
fi
masked=(apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service
  pcsd-ruby.service systemd-networkd-wait-online.service systemd-timesyncd.service
  dpkg-db-backup.timer fstrim.timer)
systemctl --root="$root" --quiet mask "${masked[@]}"

# Logins are refused while /run/nologin exists; an administrator by key may log in at once.
ln -sf /dev/null "$root/etc/tmpfiles.d/systemd-nologin.conf"

rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/ssl/private/ssl-cert-snakeoil.key" \
  "$root/etc/ssl/certs/ssl-cert-snakeoil.pem" "$root/var/lib/dbus/machine-id" \
  "$root/etc/hostname" "$root/etc/resolv.conf" "$root/etc/apt/apt.conf.d/99mmdebstrap" \
  "$root/etc/apt/preferences.d/ha-lab-snapshot"
# The quorum server's certificate authority: each gets its own when it is set up.
rm -rf "$root/etc/corosync/qnetd/nssdb"
: >"$root/etc/machine-id"
: >"$root/etc/fstab"
find "$root/var/log" -type f -delete
