#!/usr/bin/env bash
# Logs every change of state. keepalived calls it with: TYPE NAME STATE PRIORITY, where TYPE is
# INSTANCE or GROUP and STATE is MASTER, BACKUP, FAULT, STOP or DELETED. It does not start or stop
# anything: calls are asynchronous, so one for an old state may run after one for a new state.
set -euo pipefail

type=${1:?usage: notify.sh TYPE NAME STATE PRIORITY}
name=${2:?the name of the VRRP instance is missing}
state=${3:?the new state is missing}
priority=${4:-}
log=${KEEPALIVED_NOTIFY_LOG:-/var/log/keepalived-notify.log}

case $state in
    MASTER) text="Becoming MASTER" ;;
    BACKUP) text="Becoming BACKUP" ;;
    FAULT) text="Entering FAULT state" ;;
    STOP) text="Stopping" ;;
    *) text="State $state" ;;
esac

# EPOCHREALTIME has microseconds; a fork for date(1) would cost more than the whole script.
millis=${EPOCHREALTIME: -6:3}
printf '[%(%F %T)T.%s] %s (%s %s, priority %s)\n' \
    "${EPOCHREALTIME%[.,]*}" "$millis" "$text" "$type" "$name" "$priority" >>"$log"
