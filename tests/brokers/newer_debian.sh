#!/usr/bin/env bash
# The brokers of another Debian release beside the machine's own, without installing them:
#
#     tests/brokers/newer_debian.sh forky ~/forky
#     PATH=~/forky/brokers:$PATH RABBITMQ_SERVER=~/forky/brokers/rabbitmq-server make test-brokers
#
# Needs root and debootstrap. What it makes is removed with its directory.
set -euo pipefail
suite=${1:?usage: newer_debian.sh SUITE DIRECTORY}
directory=$(realpath -m "${2:?usage: newer_debian.sh SUITE DIRECTORY}")

# The machine's own source of packages.
mirror=$(awk '/^URIs:/ { print $2; exit } /^deb / { for (i = 2; i <= NF; i++) if ($i ~ /:\/\//) { print $i; exit } }' \
    /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -n 1)
# A release that this machine's debootstrap does not know yet is set up as sid is.
script=/usr/share/debootstrap/scripts/$suite
[ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
[ -x "$directory/usr/sbin/mosquitto" ] || debootstrap --variant=minbase \
    --include=mosquitto,nats-server,rabbitmq-server "$suite" "$directory" "$mirror" "$script"

# Each runs in a mount namespace of its own, in which it finds the tests' files under /tmp.
cp /etc/hosts "$directory/etc/hosts"
mkdir -p "$directory/brokers"
for program in /usr/sbin/mosquitto /usr/bin/mosquitto_passwd /usr/bin/nats-server /usr/bin/epmd \
    /usr/lib/rabbitmq/bin/rabbitmq-server; do
    [ -e "$directory$program" ] || program=${program/\/bin\//\/sbin\/}
    cat > "$directory/brokers/$(basename "$program")" <<EOF
#!/bin/sh
exec unshare --mount sh -c 'for place in proc dev sys tmp; do mount --rbind /\$place $directory/\$place; done
exec chroot $directory $program "\$@"' sh "\$@"
EOF
    chmod +x "$directory/brokers/$(basename "$program")"
done
