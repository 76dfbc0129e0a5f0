#!/usr/bin/env bash
# Puts what package.json names into a cache folder, NODE_RED_FOLDER if that is set; nothing if it is there already.
set -euo pipefail
wanted=$(cd "$(dirname "$0")" && pwd)/package.json
folder=${NODE_RED_FOLDER:-${XDG_CACHE_HOME:-$HOME/.cache}/ts2mqtt/node-red}

command -v npm >/dev/null || { echo "Node-RED needs Node.js and npm, which are not installed." >&2; exit 1; }
mkdir -p "$(dirname "$folder")"
exec 9>"$folder.lock"
flock 9
cmp -s "$wanted" "$folder/installed.json" && exit

rm -rf "$folder" "$folder.new"
mkdir "$folder.new"
cp "$wanted" "$folder.new/package.json"
# No package's own scripts are run: what they would build or download is not needed here.
npm install --prefix "$folder.new" --ignore-scripts --omit=optional --no-package-lock \
    --no-audit --no-fund --no-update-notifier --loglevel=error >&2
# The last step: a folder with this file is whole.
cp "$wanted" "$folder.new/installed.json"
mv "$folder.new" "$folder"
