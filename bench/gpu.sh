#!/usr/bin/env bash
# All benchmarks that a GPU has goals for, in under eight minutes: bash bench/gpu.sh [FOLDER] [--device cpu]
# Each leaves its table in FOLDER (default bench_gpu), with the device's name, and road.txt the time of VOC 2012's box road that follows from
# them; fails if any misses its goal. --device cpu runs all of them on tiny sizes, which shows that they run and nothing else.
set -u
cd "$(dirname "$0")/.."
out=bench_gpu device=cuda
while [ $# -gt 0 ]; do
    case $1 in
        --device) device=$2; shift ;;
        *) out=$1 ;;
    esac
    shift
done
tiny=() patience=1
[ "$device" = cpu ] && tiny=(--tiny) patience=10
failed=0
mkdir -p "$out"
rm -f "$out/seconds.jsonl"

measure() { # seconds that it may take, name of the table, script, its options
    timeout $(($1 * patience)) python "bench/$3.py" "${@:4}" --device "$device" --seconds "$out/seconds.jsonl" 2>&1 | tee "$out/$2.txt"
    [ "${PIPESTATUS[0]}" = 0 ] || { echo "$2 missed its goal, or did not finish" | tee -a "$out/$2.txt"; failed=1; }
}

measure 60 attention attention --batch 8 "${tiny[@]}"
measure 90 propagate propagate_gpu "${tiny[@]}"
measure 60 crf crf "${tiny[@]}"
for backbone in mobilenet_v2 resnet50 resnet38; do
    [ "$device" = cpu ] && backbone=tiny
    measure 60 "cam_$backbone" cam --backbone "$backbone" --batch 20 "${tiny[@]}"
    [ "$device" = cpu ] && break
done
measure 60 road road "${tiny[@]}"
exit $failed
