#!/usr/bin/env bash
# A SLURM of one node on this machine, for tests: `cluster.sh up FOLDER` and `cluster.sh down FOLDER`, as root.
# Everything lies in FOLDER but a link in /etc/slurm, where the executor plugin's jobs look. No accounting.
set -euo pipefail
what=$1 folder=$2
conf=/etc/slurm/slurm.conf
PATH=$PATH:/usr/sbin

up() {
  local host ports
  host=$(hostname -s)
  mkdir -p "$folder"/{run,state,spool}
  chmod 755 "$folder" "$folder/run"
  head -c 1024 /dev/urandom > "$folder/munge.key"
  chmod 600 "$folder/munge.key"
  munged --force --key-file="$folder/munge.key" --socket="$folder/run/munge.sock" --pid-file="$folder/run/munged.pid" \
    --log-file="$folder/munged.log" --seed-file="$folder/munge.seed"
  read -r -a ports < <(python3 -c '
import socket
open_ones = [socket.socket() for _ in range(2)]
for one in open_ones:
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in open_ones))')
  cat > "$folder/slurm.conf" <<CONF
ClusterName=tests
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=${ports[0]}
SlurmdPort=${ports[1]}
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket=$folder/run/munge.sock
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmdPidFile=$folder/run/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=sched_interval=2
ReturnToService=2
MpiDefault=none
KillWait=30
AccountingStorageType=accounting_storage/none
MinJobAge=3600
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(getconf _NPROCESSORS_ONLN) RealMemory=$(awk '/MemTotal/{print int($2 / 1024 * 0.9)}' /proc/meminfo)
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
  mkdir -p "${conf%/*}"
  ln -s "$folder/slurm.conf" "$conf"
  slurmctld -f "$conf"
  slurmd -f "$conf"
  for _ in $(seq 60); do
    timeout 5 sinfo -h -o %T 2> /dev/null | grep -q idle && exit 0
    sleep 0.5
  done
  tail -n 5 "$folder"/*.log
  exit 1
}

down() {
  export SLURM_CONF=$folder/slurm.conf
  timeout 10 scancel -u "$(id -un)" || true
  for _ in $(seq 60); do  # a daemon stays while a job of its does
    timeout 5 squeue -h 2> /dev/null | grep -q . || break
    sleep 0.5
  done
  for name in slurmd slurmctld munged; do
    pid=$(cat "$folder/run/$name.pid" 2> /dev/null) || continue
    [ "$(cat "/proc/$pid/comm" 2> /dev/null)" != "$name" ] || kill "$pid"
  done
  [ "$(readlink "$conf")" != "$folder/slurm.conf" ] || rm "$conf"
}

"$what"
