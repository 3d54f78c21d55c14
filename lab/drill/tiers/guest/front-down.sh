# Take the front away, also one that is half in place or not there at all.
set -eu
folder=/run/ha-lab-drill
own=/etc/nginx/nginx.conf
if ! [ -e "$folder" ] && ! grep -q " $own " /proc/self/mountinfo; then
    exit 0
fi
while grep -q " $own " /proc/self/mountinfo; do
    umount "$own"
done
systemctl reload-or-restart nginx.service
systemctl stop ha-lab-drill-front.service 2>/dev/null || true
# The last step: until then there is something to take away.
rm -rf "$folder"
