#!/usr/bin/env bash
# Puts what each package.json names into a cache folder of its own, NODE_RED_FOLDER if that is set and beside it;
# nothing if it is there already.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${NODE_RED_FOLDER:-${XDG_CACHE_HOME:-$HOME/.cache}/ts2mqtt/node-red}

command -v npm >/dev/null || { echo "Node-RED needs Node.js and npm, which are not installed." >&2; exit 1; }
mkdir -p "$(dirname "$cache")"
exec 9>"$cache.lock"
flock 9

put() {
    local wanted=$1 folder=$2 also=("${@:3}")
    cmp -s "$wanted" "$folder/installed.json" && return
    rm -rf "$folder" "$folder.new"
    mkdir "$folder.new"
    cp "$wanted" "$folder.new/package.json"
    # No package's own scripts are run: what they would build or download is not needed here.
    npm install --prefix "$folder.new" --ignore-scripts --omit=optional --no-package-lock \
        --no-audit --no-fund --no-update-notifier --loglevel=error --no-save "${also[@]}" >&2
    # The last step: a folder with this file is whole.
    cp "$wanted" "$folder.new/installed.json"
    mv "$folder.new" "$folder"
}

put "$here/package.json" "$cache"
# It needs Node.js 22. Where this machine has an older one, npm has that too.
node_22=()
if [ "$(node -p 'parseInt(process.versions.node)')" -lt 22 ]; then
    node_22=("node-linux-$(node -p process.arch)@22.23.3")
fi
put "$here/node-red-5/package.json" "$cache-5" "${node_22[@]}"
