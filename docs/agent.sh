#!/bin/sh
# A CPM agent in shell and curl, for machines the real agent does not run on.
#
#   agent.sh http://MANAGER:PORT TOKEN [POWER_COMMAND…]
#
# It reports, and obeys OFF only when it is told so twice: before and after it said Stopping. It cannot check the
# signature of an order, so its server needs "allow_unsigned": true. POWER_COMMAND defaults to systemctl poweroff.
set -u
url=$1 token=$2
shift 2
[ $# -gt 0 ] || set -- systemctl poweroff

boot_id=$(cat /proc/sys/kernel/random/boot_id)
status=ON interval=10

# Says "$status"; leaves what the manager answered in $told (ON or OFF) and $interval. False: no answer.
report() {
    resumes=$(cat /sys/power/suspend_stats/success 2>/dev/null || echo 0)
    answer=$(curl -fsS --max-time 10 "$url/agent/v1/heartbeat" \
        -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
        -d "{\"status\": \"$status\", \"boot_id\": \"$boot_id\", \"resume_count\": $resumes}") || return 1
    told=$(printf %s "$answer" | sed -n 's/.*"power_status": *"\([A-Z]*\)".*/\1/p')
    interval=$(printf %s "$answer" | sed -n 's/.*"heartbeat_interval_seconds": *\([0-9]*\).*/\1/p')
}

while :; do
    if report; then
        if [ "$status $told" = "Stopping OFF" ]; then
            "$@" && exit 0
        elif [ "$told" = OFF ]; then
            status=Stopping
            continue # say so at once
        else
            status=ON
        fi
    fi
    sleep "${interval:-10}"
done
