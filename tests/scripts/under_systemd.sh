#!/bin/bash
# Starts the units of an installed sysmon under a real systemd, and says how each step ended. Run it as root:
#
#   tests/scripts/under_systemd.sh /opt/sysmon/bin/sysmon
#
# systemd is the first process of namespaces of its own (mounts, processes, names): /etc, /var and /run are copies that
# go with it, /proc/sys is read-only, and of the machine's units only empty targets are there. Nothing else is touched.
set -eu
program=${1:?name the sysmon that was installed for all, such as /opt/sysmon/bin/sysmon}
folder=$(mktemp -d)
cat > "$folder/first" <<'FIRST'
set -eu
program=$1 folder=$2
mount -t tmpfs tmpfs "$folder/mnt"
cd "$folder/mnt"
mkdir etc etc.work var var.work units
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$PWD/etc,workdir=$PWD/etc.work" /etc
mount -t overlay overlay -o "lowerdir=/var,upperdir=$PWD/var,workdir=$PWD/var.work" /var
mount -t tmpfs tmpfs /run
mount --bind /proc/sys /proc/sys
mount -o remount,ro,bind /proc/sys
for target in basic sysinit shutdown local-fs timers multi-user; do
    printf '[Unit]\nDescription=%s\nDefaultDependencies=no\n' "$target" > "units/$target.target"
done
cp /lib/systemd/system/*.slice units/ 2>/dev/null || true
mount --bind units /lib/systemd/system
rm -rf /etc/systemd/system
mkdir /etc/systemd/system
"$program" service install
systemd-sysusers /etc/sysusers.d/sysmon.conf
export container=lxc
exec /lib/systemd/systemd --system --unit=basic.target
FIRST

mkdir "$folder/mnt"
unshare --mount --propagation private --pid --fork --uts --ipc --mount-proc --kill-child \
    bash "$folder/first" "$program" "$folder" > "$folder/log" 2>&1 &
outer=$!
failed=0 first=
cleanup() { # the first process of a namespace takes all others of it along
    [ -z "$first" ] || kill -KILL "$first"
    wait "$outer" || true
    rm -rf "$folder"
}
trap cleanup EXIT
for _ in $(seq 100); do
    first=$(pgrep --parent "$outer" || true)
    [ -n "$first" ] && nsenter -t "$first" -m -p systemctl is-active basic.target > /dev/null 2>&1 && break
    sleep 0.1
done
inside() { nsenter -t "$first" -m -p -u -i "$@"; }
step() {
    if inside "${@:2}" > "$folder/said" 2>&1; then echo "ok      $1"; else
        echo "FAILED  $1"
        sed 's/^/        /' "$folder/said"
        failed=1
    fi
}
step "the service starts, with its first sample stored" systemctl start sysmon.service
step "the data belongs to its user" test "$(inside stat -c %U:%a /var/lib/sysmon)" = sysmon:750
step "sysmon status finds it well" "$program" status
step "what other users' processes read is known" bash -c \
    'for _ in $(seq 30); do grep -h "\"username\":\"root\"" /var/lib/sysmon/*/process/*.jsonl | grep -q "read_bytes_per_second\":[0-9]" && exit; sleep 1; done; exit 1'
step "it is reloaded" systemctl reload sysmon.service
step "maintenance runs" systemctl start sysmon-maintain.service
step "the export runs" systemctl start sysmon-export.service
step "and leaves files" bash -c 'ls /var/lib/sysmon-export/*.csv'
step "the service stops" systemctl stop sysmon.service
step "and ended in order" test "$(inside systemctl show -p Result --value sysmon.service)" = success
step "the units are taken away again" "$program" service uninstall
exit "$failed"
