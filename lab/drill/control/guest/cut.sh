# usage: cut.sh SECONDS - nothing comes or goes for so long, except the SSH of the one who asks.
#
# The rules are tables of their own. They belong to a unit that takes them away however it ends:
# by a stop, after the time, or because it was killed.
set -eu
seconds=${1:?usage: cut.sh SECONDS}
unit=ha-lab-drill-cut.service
rules=/run/ha-lab-drill-cut.nft
if systemctl --quiet is-active "$unit"; then
    exit 0
fi

# sudo hides who is logged in, but not from root: a process above this one knows.
pid=$$ login=
while [ -z "$login" ] && [ "$pid" -gt 1 ]; do
    login=$(tr '\0' '\n' <"/proc/$pid/environ" | sed -n 's/^SSH_CONNECTION=//p')
    pid=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")
done
read -r client _ own port <<<"$login"
: "${port:?it is not known from where this SSH comes, so it would be cut too}"

# ARP as well, or the machine would go on saying that the VIP is here. The first priority there is:
# before connections are known, so that none is let through as established.
cat >"$rules" <<EOF
table inet ha_lab_drill
delete table inet ha_lab_drill
table inet ha_lab_drill {
    chain input {
        type filter hook input priority -400; policy drop;
        iif "lo" accept
        ip saddr $client tcp dport $port accept
    }
    chain output {
        type filter hook output priority -400; policy drop;
        oif "lo" accept
        ip daddr $client tcp sport $port accept
    }
    chain forward {
        type filter hook forward priority -400; policy drop;
    }
}
table arp ha_lab_drill
delete table arp ha_lab_drill
table arp ha_lab_drill {
    chain input {
        type filter hook input priority -400; policy drop;
        arp saddr ip $client arp daddr ip $own accept
    }
    chain output {
        type filter hook output priority -400; policy drop;
        arp saddr ip $own arp daddr ip $client accept
    }
}
EOF
nft=$(command -v nft)
systemd-run --quiet --collect --unit="$unit" --service-type=exec \
    --property=ExecStartPre="$nft -f $rules" \
    --property=ExecStopPost="-$nft delete table inet ha_lab_drill" \
    --property=ExecStopPost="-$nft delete table arp ha_lab_drill" \
    --property=ExecStopPost="-$(command -v rm) -f $rules" \
    sleep "$seconds"
