#!/bin/sh
# One table copied by several machines: copy-machines.sh TASK MACHINE...
# Each has the product, the task's file and credentials. Run again, it goes on with what is left,
# on these machines or on as many others. Ends with 0 when all parts are copied.
set -eu
task=$1
shift
parts=$# part=0 running=''
for machine; do
    ssh "$machine" "kcl-processor copy $task --part $part/$parts" &
    running="$running $!"
    part=$((part + 1))
done
failed=0
for process in $running; do
    wait "$process" || failed=1
done
exit $failed
