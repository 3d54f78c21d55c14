# Kill the cluster's Apache, its workers with it: left alone, they would go on answering.
set -eu
pid=$(cat /var/run/apache2/ha-lab.pid)
workers=$(pgrep --parent "$pid" || true)
# shellcheck disable=SC2086 -- a list of numbers
kill -KILL "$pid" $workers
