#!/bin/busybox sh
# The arm64 machine's first process. The kernel panics when it ends, and says with which status: 0 only if all went well.
set -eu
/bin/busybox --install -s /bin
export PATH=/bin NO_COLOR=1
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
ip link set lo up
mkdir -p /etc
echo '127.0.0.1 localhost' >/etc/hosts

cd /package
echo "$(node --version), $(uname -srm)"
node out/test/arm64/package.js
# What takes a second on a real machine takes some twenty here.
storm="node out/test/storm/storm.js --forks ${FORKS:?} --hung-after 600"
echo 'The storm as an ordinary process:'
$storm
echo 'The storm as PID 1:'
exec $storm
