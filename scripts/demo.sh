#!/usr/bin/env bash
# A tour of bd in a scratch repository, which checks what it shows: every count
# that is printed is compared, and the first one that is off ends the tour with
# an error. Needs bash, Git and coreutils, and a built bd.
#
#   scripts/demo.sh [BD]          BD defaults to bin/bd
#   BD_DEMO_LIST=FILE             import this snapshot
#   BD_DEMO_KEEP=1                keep the scratch repository
#
# Nothing outside the scratch directory is read or written, but for the list,
# and the daemon that was started is stopped again, however the tour ends.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
bd=${1:-$root/bin/bd}
bd=$(cd "$(dirname "$bd")" && pwd)/$(basename "$bd")
[[ -x $bd ]] || { echo "no bd at $bd: run make build" >&2; exit 1; }

list=${BD_DEMO_LIST:-$root/../shared/data/beads-real-2750.jsonl}
[[ -n ${BD_DEMO_LIST:-} || -r $list ]] || list=$root/testdata/sample.jsonl
[[ -r $list ]] || { echo "cannot read $list" >&2; exit 1; }
list=$(cd "$(dirname "$list")" && pwd)/$(basename "$list")

scratch=$(mktemp -d "${TMPDIR:-/tmp}/bd-demo-XXXXXX")
repo=$scratch/lighthouse
daemon_pid=
writers=()

# The user's own settings must not change the tour, nor the tour them.
export HOME=$scratch/home XDG_CONFIG_HOME=$scratch/home/.config XDG_RUNTIME_DIR=$scratch/run
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=$scratch/home/gitconfig
unset BEADS_DIR BEADS_DB BD_SESSION BEADS_ACTOR GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
export BD_ACTOR=newcomer
# The daemon usually waits for 5 s of quiet; nobody wants to watch that here.
export BEADS_DAEMON_DEBOUNCE_INTERVAL=300ms BEADS_DAEMON_MAX_SYNC_FREQUENCY=300ms
mkdir -p "$HOME" "$XDG_RUNTIME_DIR" "$repo"
chmod 700 "$XDG_RUNTIME_DIR"

# ---------------------------------------------------------------- telling it

bold= dim= green= red= blue= plain=
if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
	bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' blue=$'\e[34m' plain=$'\e[0m'
fi

chapter=0
chapter() {
	chapter=$((chapter + 1))
	printf '\n%s%d. %s%s\n' "$bold$blue" "$chapter" "$1" "$plain"
}
say() { printf '   %s\n' "$@"; }
# show prints a command as it would be typed, and runs it.
show() {
	printf '   %s$ %s%s\n' "$dim" "$*" "$plain"
	"$@" 2>&1 | sed 's/^/     /'
}
fail() {
	printf '\n%sdemo: %s%s\n' "$red" "$*" "$plain" >&2
	exit 1
}
# check WHAT GOT WANT
check() {
	[[ $2 == "$3" ]] || fail "$1: got $2, expected $3"
	printf '   %s✓%s %s: %s\n' "$green" "$plain" "$1" "$2"
}

bd() { "$bd" "$@"; }
lines() { wc -l <"$1" | tr -d ' '; }

# until_true SECONDS WHAT COMMAND… tries a condition until it holds.
until_true() {
	local deadline=$((SECONDS + $1)) what=$2
	shift 2
	until "$@"; do
		((SECONDS < deadline)) || fail "waited in vain: $what"
		sleep 0.05
	done
}

# refs_of_others is every ref that is not bd's, and where HEAD is.
refs_of_others() { git for-each-ref --format='%(refname) %(objectname)' | grep -v ' *refs/beads/' && git rev-parse HEAD; }
holder() { (cd "$1" && bd show "$contested" --json | sed -n 's/.*"assignee": *"\([^"]*\)".*/\1/p' | head -n 1); }
# side_by_side prints what two clones export of the issues that both touched.
side_by_side() {
	printf '   %s%-37s %-37s%s\n' "$bold" "$1" "$2" "$plain"
	paste -d '\t' <(facts "$scratch/$1.jsonl") <(facts "$scratch/$2.jsonl") |
		while IFS=$'\t' read -r left right; do printf '   %-37s %-37s\n' "$left" "$right"; done
}
facts() {
	printf '%s lines, checksum %s\n' "$(lines "$1")" "$(cksum <"$1" | cut -d ' ' -f 1)"
	grep -F "\"id\":\"$issue\"" "$1" | sed 's/.*"title":"\([^"]*\)".*"priority":\([0-9]\).*"labels":\(\[[^]]*\]\).*/P\2 \1\n   \3/'
}

cleanup() {
	local status=$?
	trap - EXIT INT TERM
	for pid in "${writers[@]}"; do
		kill "$pid" 2>/dev/null || true
	done
	wait 2>/dev/null || true
	if [[ -d $repo/.git ]]; then
		(cd "$repo" && "$bd" daemon stop >/dev/null 2>&1) || true
	fi
	# Only if the daemon that this script started did not listen.
	[[ -z $daemon_pid ]] || kill "$daemon_pid" 2>/dev/null || true
	if [[ -n ${BD_DEMO_KEEP:-} ]]; then
		echo "kept: $scratch"
	else
		rm -rf "$scratch"
	fi
	exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ------------------------------------------------- writing from outside bd

# operation_id COUNTER makes an operation id as the log format describes it: a
# ULID. The first 10 characters are milliseconds, the next 16 bits a counter (0
# or 1 here, which orders two ids of one millisecond), the last 64 bits random.
operation_id() {
	local counter=$1 alphabet=0123456789ABCDEFGHJKMNPQRSTVWXYZ now text= i
	if [[ -n ${EPOCHREALTIME:-} ]]; then
		now=$((10#${EPOCHREALTIME//[!0-9]/} / 1000))
	else
		now=$(($(date +%s) * 1000))
	fi
	for ((i = 45; i >= 0; i -= 5)); do
		text+=${alphabet:$(((now >> i) & 31)):1}
	done
	text+=000${alphabet:$((counter * 16 + RANDOM % 16)):1}
	for ((i = 0; i < 12; i++)); do
		text+=${alphabet:$((RANDOM % 32)):1}
	done
	printf '%s' "$text"
}
utc() { date -u +%Y-%m-%dT%H:%M:%S.000Z; }

# writer NAME COUNT creates COUNT issues and closes every second one. What bd
# acknowledged goes to files of its own.
writer() {
	local name=$1 count=$2 i id
	for ((i = 1; i <= count; i++)); do
		id=$("$bd" --actor "$name" create "$name's find number $i" -t bug -p 2 --silent)
		echo "$id" >>"$scratch/created-$name"
		if ((i % 2 == 0)); then
			"$bd" --actor "$name" close "$id" --reason "fixed by $name" >/dev/null
			echo "$id" >>"$scratch/closed-$name"
		fi
	done
}

# ------------------------------------------------------------------ the tour

printf '%sbd: a tour in a scratch repository%s\n' "$bold" "$plain"
say "$scratch"
cd "$repo"

chapter "A repository, and a workspace with a daemon"
git init --quiet --initial-branch=main
git config user.name Newcomer
git config user.email newcomer@example.com
echo "# Lighthouse" >README.md
git add README.md
git commit --quiet -m "Begin"
printf '   %s$ bd init --prefix lh --start-daemon%s\n' "$dim" "$plain"
bd init --prefix lh --start-daemon >"$scratch/init" 2>&1 || { cat "$scratch/init"; fail "bd init failed"; }
sed 's/^/     /' "$scratch/init"
daemon_pid=$(sed -n 's/.*Started daemon with PID \([0-9][0-9]*\).*/\1/p' "$scratch/init")
[[ -n $daemon_pid ]] || fail "bd init did not say which process the daemon is"
check "git status shows" "$(git status --porcelain | wc -l | tr -d ' ') changed files" "0 changed files"

chapter "Importing $(basename "$list")"
records=$(lines "$list")
deleted=$(grep -c '"status":"tombstone"' "$list" || true)
visible=$((records - deleted))
say "The file has $records records, of which $deleted are of deleted issues."
show bd import -i "$list"
check "issues" "$(bd count)" "$visible"
for status in open closed in_progress; do
	check "  $status" "$(bd count --status "$status")" "$(grep -c "\"status\":\"$status\"" "$list" || true)"
done
for type in bug epic; do
	check "  of type $type" "$(bd count --type "$type")" \
		"$(grep -v '"status":"tombstone"' "$list" | grep -c "\"issue_type\":\"$type\"" || true)"
done
before=$(lines .beads/issues.jsonl)
bd import -i "$list" >/dev/null
check "lines added to the log by importing again" "$(($(lines .beads/issues.jsonl) - before))" 0
say "What could be worked on now:"
show bd ready -n 3

chapter "Two agents at once, in the same directory"
closed=$(bd count --status closed)
writer ada 20 & writers+=($!)
writer grace 20 & writers+=($!)
wait "${writers[@]}"
writers=()
check "new issues" "$(($(bd count) - visible))" 40
check "newly closed" "$(($(bd count --status closed) - closed))" 20
visible=$(bd count)

chapter "Another program appends to the log; nobody runs bd"
first=$(operation_id 0)
issue=lh-outside001
printf '{"op":"%s","v":1,"do":"create","issue":"%s","at":"%s","by":"cron","set":{"issue_type":"task","priority":1,"title":"Oil the lamp"}}\n' \
	"$first" "$issue" "$(utc)" >>.beads/issues.jsonl
second=$(operation_id 1)
printf '{"op":"%s","v":1,"do":"comment","issue":"%s","at":"%s","by":"cron","comment":{"text":"The can is in the shed."}}\n' \
	"$second" "$issue" "$(utc)" >>.beads/issues.jsonl
say "Two lines were written with printf. The daemon sees them, applies them to the" \
	"database and copies them to the guard copy inside .git:"
until_true 30 "the daemon copies what was appended" grep -q "$second" .git/beads/issues.jsonl
check "lines in the guard copy" "$(grep -c -e "$first" -e "$second" .git/beads/issues.jsonl)" 2
show bd show "$issue"
visible=$((visible + 1))
check "issues" "$(bd count)" "$visible"

chapter "The daemon is killed while agents write"
writer barbara 30 & writers+=($!)
writer edsger 30 & writers+=($!)
until_true 30 "the writers are at work" test -s "$scratch/created-barbara" -a -s "$scratch/created-edsger"
say "kill -9 $daemon_pid"
kill -9 "$daemon_pid"
daemon_pid=
wait "${writers[@]}"
writers=()
visible=$((visible + 60))
check "issues" "$(bd count)" "$visible"
missing=0
for id in $(cat "$scratch"/created-*); do
	bd show "$id" --json >/dev/null 2>&1 || missing=$((missing + 1))
done
check "acknowledged issues that are missing" "$missing" 0
status=0
bd daemon status >/dev/null 2>&1 || status=$?
check "exit code of bd daemon status (3: stopped)" "$status" 3
printf '   %s$ bd daemon start%s\n' "$dim" "$plain"
bd daemon start >"$scratch/start" 2>&1 || { cat "$scratch/start"; fail "bd daemon start failed"; }
sed 's/^/     /' "$scratch/start"
daemon_pid=$(sed -n 's/^Started daemon with PID \([0-9][0-9]*\).*/\1/p' "$scratch/start")
show bd daemon status

chapter "Losing things on purpose"
bd export -o "$scratch/before.jsonl" >/dev/null
say "The database is only derived: away with it."
rm -f .beads/beads.db*
check "issues" "$(bd count)" "$visible"
say "Now the log is emptied, and the database removed once more."
: >.beads/issues.jsonl
rm -f .beads/beads.db*
check "issues" "$(bd count 2>"$scratch/notice")" "$visible"
sed 's/^/     /' "$scratch/notice"
say "And now everything that Git does not track goes."
show bd daemon stop
daemon_pid=
git clean -fdxq
[[ ! -e .beads ]] || fail ".beads survived git clean"
check "issues" "$(bd count 2>"$scratch/notice")" "$visible"
sed 's/^/     /' "$scratch/notice"
bd export -o "$scratch/after.jsonl" >/dev/null
check "checksum of the export, as before" "$(cksum <"$scratch/after.jsonl")" "$(cksum <"$scratch/before.jsonl")"

chapter "Another clone, and both work while apart"
git init --quiet --bare --initial-branch=main "$scratch/hub.git"
git remote add origin "$scratch/hub.git"
git push --quiet origin main
say "Nothing leaves the machine before someone says so:"
show bd sync --publish origin
show git clone --quiet "$scratch/hub.git" "$scratch/keeper"
cd "$scratch/keeper"
show bd init
check "issues in the clone" "$(bd count)" "$visible"
refs=$(refs_of_others)
say "Now both change the same issue, and both try to claim another, offline:"
cd "$repo"
show bd --actor ada update "$issue" --priority 0 --append-notes "The can is empty." --add-label urgent
contested=$(bd --actor ada create "Wind the clock" --silent)
bd sync --quiet
(cd "$scratch/keeper" && bd sync --quiet)
bd --actor ada update "$contested" --claim >/dev/null
cd "$scratch/keeper"
show bd --actor grace update "$issue" --title "Oil the lamp twice" --append-notes "Bought a new can." --add-label shop
bd --actor grace update "$contested" --claim >/dev/null
bd --actor grace create "Polish the lens" --deps "$issue" --silent >/dev/null
say "Then they exchange what they did, the clone last, so it hears that it lost the claim:"
cd "$repo" && show bd sync
cd "$scratch/keeper" && show bd sync
cd "$repo" && bd sync --quiet
for place in "$repo" "$scratch/keeper"; do
	(cd "$place" && bd export -o "$scratch/$(basename "$place").jsonl" >/dev/null)
done
side_by_side "lighthouse" "keeper"
check "checksums of the exports" "$(cksum <"$scratch/keeper.jsonl")" "$(cksum <"$scratch/lighthouse.jsonl")"
check "the note of each side in both" "$(grep -c 'The can is empty.*Bought a new can' "$scratch"/{keeper,lighthouse}.jsonl | grep -c ':1$')" 2
check "who holds the contested issue, here" "$(holder "$repo")" ada
check "and there" "$(holder "$scratch/keeper")" ada
cd "$scratch/keeper"
check "branches, tags and HEAD of the clone are" "$([[ $(refs_of_others) == "$refs" ]] && echo untouched)" untouched
check "git status there shows" "$(git status --porcelain | wc -l | tr -d ' ') changed files" "0 changed files"
cd "$repo"

chapter "Proof"
show bd doctor
check "git status shows" "$(git status --porcelain | wc -l | tr -d ' ') changed files" "0 changed files"

printf '\n%s%sAll counts were right.%s Nothing is left running.\n' "$green" "$bold" "$plain"
