# usage: front-up.sh DELAY_S|never PORT... - put the front in place; standard input: its nginx.conf.
#
# Nothing on disk changes: the configuration is mounted over the machine's own until `front-down`
# or a reboot.
set -eu
folder=/run/ha-lab-drill
own=/etc/nginx/nginx.conf
cat >"$folder/nginx.conf"
if ! systemctl --quiet is-active ha-lab-drill-front.service; then
    systemd-run --quiet --collect --unit=ha-lab-drill-front.service --service-type=notify \
        python3 "$folder/front.py" "$folder" "$@"
fi
if ! grep -q " $own " /proc/self/mountinfo; then
    mount --bind "$folder/nginx.conf" "$own"
fi
nginx -t -q
systemctl reload nginx.service

# nginx makes its sockets in its own time, and deletes them while its old workers still use them.
shift
for port in "$@"; do
    socket=$folder/whole-$port.sock
    for _ in $(seq 100); do
        [ -S "$socket" ] && break
        sleep 0.05
    done
    ln -f "$socket" "${socket%.sock}.kept"
done
