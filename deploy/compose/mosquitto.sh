#!/bin/sh
# Starts Mosquitto for compose.yaml: one user, whose name and password stand in the environment; what is retained lies on a volume.
set -eu
umask 077
cd /run/mosquitto

# Not from a file of "user:password": a password would end at its first colon there.
mosquitto_passwd -b -c passwords "$MQTT_USERNAME" "$MQTT_PASSWORD"

# For the health check: mosquitto_sub reads its options from here.
mkdir -p .config
printf -- '-h 127.0.0.1\n-p %s\n-u %s\n-P %s\n' "${MQTT_LISTEN_PORT:-1883}" \
    "$MQTT_USERNAME" "$MQTT_PASSWORD" > .config/mosquitto_sub

cat > mosquitto.conf <<EOF
listener ${MQTT_LISTEN_PORT:-1883} ${MQTT_LISTEN:-0.0.0.0}
allow_anonymous false
password_file /run/mosquitto/passwords
persistence true
persistence_location /mosquitto/data/
# By default what is retained is written every half hour.
autosave_interval 60
# With hundreds of rigs the default of 1000 drops messages for slow subscribers.
max_queued_messages 0
log_dest stdout
EOF
exec mosquitto -c mosquitto.conf
