# usage: slow-up.sh ADDRESS MILLISECONDS - delay every packet that leaves by the link of an address.
# Exits with 3 where this kernel cannot (no sch_netem).
set -eu
address=$1 millis=$2
modprobe --quiet sch_netem 2>/dev/null || true
link=$(ip -o -4 addr show to "$address" | { read -r _ name _; echo "$name"; })
said=$(tc qdisc replace dev "$link" root netem delay "${millis}ms" 2>&1) && exit 0
echo "$said" >&2
case $said in
    *"qdisc kind is unknown"*) exit 3 ;;
    *) exit 1 ;;
esac
