#!/bin/bash
# What `./dev demo` shows once the tree is built: BUILD is the build folder.
set -euo pipefail
cd "$(dirname "$0")/.."
work=build/demo
rm -rf "$work" && mkdir -p "$work"
export PATCHBAY_STATE_DIR=$PWD/$work/state PATCHBAY_SECRET_SID=demo-sid PATCHBAY_SECRET_KEY=demo-key
export PATH=$BUILD:$PATH

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' off=$'\e[0m'; else bold='' dim='' off=''; fi
say() { printf '\n%s# %s%s\n' "$bold" "$*" "$off"; }
show() {
  printf '%s$ patchbay %s%s\n' "$dim" "$*" "$off"
  patchbay "$@" || printf '%s(exit %d)%s\n' "$dim" "$?" "$off"
}

say '1. Penguins: a CSV file through three plugins into SQLite'
show plan examples/penguins.yaml
show run examples/penguins.yaml
say 'Five rows as they reach the database'
show preview examples/penguins.yaml --rows 5

say '2. Surveys: a server of patient surveys, read by sequence'
python3 tests/services/qreviews/server.py --port 0 --port-file "$work/port" --records 1200 &
server=$!
trap 'kill $server 2>/dev/null' EXIT
for _ in $(seq 400); do [ -s "$work/port" ] && break; read -rt 0.05 <> <(:) || :; done
url=http://127.0.0.1:$(cat "$work/port")
control() { curl -sf -o /dev/null "$url/_control/$1" -d "$2"; }

say 'The first run reads everything'
show run examples/surveys.yaml --set source="$url"
say 'Seven answers came in since: the second run reads those only'
control records '{"append": 7}'
show run examples/surveys.yaml --set source="$url"
say 'One of three new answers is broken: it costs one row, and is kept with its reason, never in a log'
control records '{"append": 3}'
sequence=$(curl -sf "$url/_control/records" -d '{}' | tr -dc 0-9)
control config "{\"wrong\": {\"path\": \"score\", \"value\": \"very high\", \"sequence\": $sequence}}"
show run examples/surveys.yaml --set source="$url"
show rejects list surveys
say 'A misspelt option is refused before anything runs'
show run examples/surveys_misspelt.yaml
say 'What happened, and what the next run starts from'
show runs list --pipeline surveys
show state show surveys
printf '\nThe data is in %s: surveys.db and penguins.db.\n' "$work"
