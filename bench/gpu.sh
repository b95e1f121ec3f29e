#!/usr/bin/env bash
# All benchmarks that a GPU has goals for, in under eight minutes: bash bench/gpu.sh [FOLDER]
# Each leaves its table in FOLDER (default bench_gpu), with the device's name; fails if any misses its goal.
set -u
cd "$(dirname "$0")/.."
out=${1:-bench_gpu}
failed=0
mkdir -p "$out"

measure() { # name of the table, script, its options
    timeout 80 python "bench/$2.py" "${@:3}" --device cuda 2>&1 | tee "$out/$1.txt"
    [ "${PIPESTATUS[0]}" = 0 ] || failed=1
}

measure attention attention
measure propagate propagate
measure crf crf
for backbone in mobilenet_v2 resnet50 resnet38; do
    measure "cam_$backbone" cam --backbone "$backbone" --batch 20
done
exit $failed
