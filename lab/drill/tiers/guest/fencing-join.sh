# Undo fencing-cut.sh.
set -eu
table=halab_drill_fencing
if nft list table inet $table >/dev/null 2>&1; then
    nft delete table inet $table
fi
