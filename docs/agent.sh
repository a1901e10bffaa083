#!/bin/sh
# A CPM agent in shell and curl, for Linux machines the real agent does not run on.
#
#   CPM_AGENT_TOKEN=… agent.sh http://MANAGER:PORT [POWER_COMMAND…]
#
# It reports, and runs POWER_COMMAND (default: systemctl poweroff) once it was told OFF twice:
# before and after it said Stopping. No answer, for whatever reason, means "stay up". It cannot
# check the signature of an order, so its server needs "allow_unsigned": true. It sees that the
# machine was suspended, but not that it was hibernated: it is not made for that.
set -u
: "${1:?the URL of the manager}" "${CPM_AGENT_TOKEN:?the token that the join answered}"
manager=$1
shift
[ $# -gt 0 ] || set -- systemctl poweroff

resumes() { cat /sys/power/suspend_stats/success 2>/dev/null || echo 0; }
field() { printf %s "$answer" | sed -n "s/.*\"$1\": *\"*\([A-Za-z0-9]*\).*/\1/p"; }

# Says $status; leaves in $told what it was told: ON, OFF, or nothing if no answer came that counts.
report() {
    told=''
    number=$(cut -d ' ' -f 1 /proc/uptime | tr -d .) # rises from report to report,
    [ "$number" -gt "$sent" ] || number=$((sent + 1)) # also of two within 10 ms
    sent=$number
    answer=$(curl -sS --fail --max-time 10 "$manager/agent/v1/heartbeat" \
        -H @- -H 'Content-Type: application/json' -d "{
            \"status\": \"$status\", \"blocked_by\": \"$held\", \"agent_version\": \"shell\",
            \"boot_id\": \"$boot_id\", \"resume_count\": $resume_count,
            \"report\": $number}") <<EOF || return
Authorization: Bearer $CPM_AGENT_TOKEN
EOF
    interval=$(field heartbeat_interval_seconds)
    if [ "$(resumes)" = "$resume_count" ]; then # the answer is not from before a resume
        told=$(field power_status)
    fi
}

boot_id=$(cat /proc/sys/kernel/random/boot_id)
resume_count='' interval=10 sent=0
while :; do
    if [ "$(resumes)" != "$resume_count" ]; then # started or resumed: nothing is held from before
        resume_count=$(resumes) status=ON held='' acted=''
    fi
    report
    case "$status$acted $told" in
    'ON OFF')
        status=Stopping
        continue # says so at once
        ;;
    'Stopping OFF')
        if "$@"; then acted=' and acted' held=''; else held='its power command failed'; fi
        ;;
    'Stopping ON') status=ON held='' ;;
    esac
    sleep "${interval:-10}"
done
