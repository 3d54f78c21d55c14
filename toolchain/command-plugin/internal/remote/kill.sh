# Ends every other command of this SSH connection: their common parent is the server's process for it,
# and each of them leads a session. What still runs after 3 s is killed. Commands may run by sudo, and
# only root may signal those; where sudo is missing or asks for a password, nothing more can be done.
leaders=$(pgrep -P "$PPID" | grep -vx "$$")

signal() {
	for leader in $leaders; do
		kill -s "$1" -- "-$leader"
		sudo -n kill -s "$1" -- "-$leader"
	done
}

running() {
	for leader in $leaders; do
		pgrep -s "$leader"
	done
}

signal TERM
tries=30
while [ "$tries" -gt 0 ] && [ -n "$(running)" ]; do
	tries=$((tries - 1))
	sleep 0.1
done
signal KILL
