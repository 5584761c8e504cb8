#!/bin/bash
# `make demo`: a whole Consil network on this machine. Every command is printed
# as a user would type it, then run. Environment: BUILD (programs), KEEP=1
# (leave the network up), DEMO_CASE=dir (send these files).
set -euo pipefail

if [ -n "${DEMO_CASE:-}" ] && [ -z "$(find "$DEMO_CASE/" -type f 2>/dev/null | head -n 1)" ]; then
	echo "demo: DEMO_CASE=$DEMO_CASE is no folder with files" >&2
	exit 2
fi
BUILD=${BUILD:-$PWD/build}
KEEP=${KEEP:-}
DEMO_CASE=${DEMO_CASE:+$(cd "$DEMO_CASE" && pwd)}
examples=$(cd "$(dirname "$0")/../docs/examples" && pwd)
PATH=$BUILD:$PATH

work=$(mktemp -d "${TMPDIR:-/tmp}/consil-demo.XXXXXX")
relay_pid=
cd "$work"

say() { printf '\n\033[1m# %s\033[0m\n' "$*"; }

# Print a command line, quoted where a shell needs it, then run it.
run() {
	printf '$'
	local word
	for word in "$@"; do
		case $word in
		*[!A-Za-z0-9_@%+=:,./-]* | '') printf " '%s'" "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
	printf '\n'
	"$@"
}

as() { # as WHO command…: the same in WHO's home
	local home=$1
	shift
	run env CONSIL_HOME="$home" "$@"
}

stop_relay() {
	[ -z "$relay_pid" ] || { kill "$relay_pid" 2>/dev/null || true; wait "$relay_pid" 2>/dev/null || true; }
	relay_pid=
}

finish() {
	status=$?
	if [ $status -eq 0 ] && [ -n "$KEEP" ]; then exit 0; fi
	stop_relay
	if [ $status -ne 0 ]; then
		printf '\ndemo: failed (exit %d); everything is still in %s, the relay said:\n' $status "$work" >&2
		tail -n 20 relay.log >&2 2>/dev/null || true
	else
		rm -rf "$work"
	fi
	exit $status
}
trap finish EXIT

free_port() {
	local port
	for port in $(shuf -i 20000-60000 -n 50); do
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
	done
	echo "demo: no free port on 127.0.0.1" >&2
	return 1
}

wait_for() { # wait_for SECONDS WHAT command…: until it succeeds
	local deadline=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		if [ $SECONDS -ge $deadline ]; then
			echo "demo: $what" >&2
			return 1
		fi
		sleep 0.1
	done
}

# A CT series of three tiny slices, made from a text dump by dcmtk.
make_study() {
	local root=1.2.826.0.1.3680043.10.99999 i
	mkdir study
	for i in 1 2 3; do
		cat >slice.dump <<-DUMP
			(0008,0016) UI =CTImageStorage
			(0008,0018) UI [$root.3.$i]
			(0008,0020) DA [20260914]
			(0008,0050) SH [ACC-2026-0914]
			(0008,0060) CS [CT]
			(0008,1030) LO [CT chest with contrast]
			(0008,103e) LO [axial 5 mm]
			(0010,0010) PN [Marker^Patientname]
			(0010,0020) LO [MRN-MARKER-4711]
			(0010,0030) DA [19611103]
			(0010,0040) CS [F]
			(0020,000d) UI [$root.1]
			(0020,000e) UI [$root.2]
			(0020,0011) IS [1]
			(0020,0013) IS [$i]
			(0028,0002) US 1
			(0028,0004) CS [MONOCHROME2]
			(0028,0010) US 4
			(0028,0011) US 4
			(0028,0100) US 8
			(0028,0101) US 8
			(0028,0102) US 7
			(0028,0103) US 0
			(7fe0,0010) OB 00\\10\\20\\30\\40\\50\\60\\70\\80\\90\\a0\\b0\\c0\\d0\\e0\\f0
		DUMP
		dump2dcm -q slice.dump "study/slice$i.dcm"
	done
	rm slice.dump
}

make_case() {
	cat >note.md <<-'NOTE'
		# 64 y, adenocarcinoma of the right upper lobe

		cT2a cN1 cM0, ECOG 1, PD-L1 60 %, EGFR and ALK negative (NOTE-MARKER-0815).
		FEV1 71 %. She would accept surgery. Our board was split.
	NOTE
	printf 'Pathology report, PATHOLOGY-MARKER-2342\nCK7+, TTF-1+, p40-\n' >pathology.txt
	make_study
}

# A vetting record as an admin would have filled it in after reviewing the
# practice, and the evidence it names.
make_record() { # make_record HANDLE NAME
	mkdir -p evidence
	printf 'minutes of the board\n' >evidence/minutes.txt
	sed -e "s/@HANDLE@/$1/; s/@NAME@/$2/; s/@TODAY@/$(date +%F)/; s/@UNTIL@/$(date -d '+2 years' +%F)/" \
		"$examples/vetting.json" >"$1.json"
}

# Every file that was sent lies in the folder, whatever it is called there.
same_bytes() { # same_bytes FOLDER
	local sent saved
	sent=$(find "${sent_files[@]}" -type f -print0 | xargs -0 sha256sum | cut -c1-64 | sort)
	saved=$(find "$1" -type f -print0 | xargs -0 sha256sum | cut -c1-64 | sort)
	[ "$sent" = "$saved" ] || { echo "demo: $1 differs from what was sent" >&2; return 1; }
	echo "(what is in $1 is what was sent, byte for byte)"
}

# What the relay keeps must hold none of what the case says.
scan_store() {
	local marker hits=0
	for marker in "${markers[@]}"; do
		if grep -rlaF -- "$marker" net/store relay.log; then
			echo "found in the relay's store: $marker"
			hits=1
		fi
	done
	[ $hits -eq 0 ] && echo "none of ${#markers[@]} markers found in $(du -sh net/store | cut -f1) of store and in the relay's log"
}

# ------------------------------------------------------------------ the network

port=$(free_port)
say "The admin makes a network and starts its relay (in $work)"
run consil-admin init net --name "Demo Care Network" --listen "tcp://127.0.0.1:$port"
printf '$ consil-relay --config net/relay.conf &\n'
# nothing of ours stays open in it: with KEEP=1 it outlives us
consil-relay --config net/relay.conf </dev/null >relay.log 2>&1 &
relay_pid=$!
wait_for 10 "the relay did not start" grep -q 'listening on' relay.log
grep 'listening on' relay.log

say "Two practices were vetted: their records (from \`consil-admin org template\`) admit them"
make_record mnoncology "Minnesota Oncology"
make_record clinic "The Clinic"
run consil-admin --network net org vet mnoncology.json --evidence .
run consil-admin --network net org vet clinic.json --evidence .

say "A physician and two specialists are invited"
run consil-admin --network net invite j.doe@mnoncology --name "J. Doe" --role physician -o doe.invite
run consil-admin --network net invite a.lung@clinic --name "A. Lung" --role specialist -o lung.invite
run consil-admin --network net invite b.rad@clinic --name "B. Rad" --role specialist -o rad.invite

say "Each joins on a device of their own (here: a folder; unattended instead of a passphrase)"
as doe consil join doe.invite --unattended
as lung consil join lung.invite --unattended
as rad consil join rad.invite --unattended

# --------------------------------------------------------------------- the case

if [ -n "$DEMO_CASE" ]; then
	say "The case is $DEMO_CASE"
	printf 'See the attached files.\n' >note.md
	sent_files=("$DEMO_CASE")
	attachments=()
	markers=("See the attached files" "Resect first")
	while IFS= read -r -d '' file; do
		markers+=("${file##*/}")
		case $file in
		*.dcm) attachments+=(--imaging "$file") ;;
		*) attachments+=(--attach "$file") ;;
		esac
	done < <(find "$DEMO_CASE" -type f -print0 | sort -z)
else
	say "A case: a note, a pathology report and a CT series that dcmtk makes from text"
	make_case
	ls note.md pathology.txt study/*
	sent_files=(pathology.txt study)
	attachments=(--attach pathology.txt --imaging study)
	markers=("NOTE-MARKER-0815" "PATHOLOGY-MARKER-2342" "Marker^Patientname" "MRN-MARKER-4711"
		"Resect first" "REPLY-MARKER-6174" "pathology.txt" "CT chest with contrast")
fi

say "The physician sends it to both specialists"
as doe consil contacts clinic
as doe consil send --to a.lung@clinic --to b.rad@clinic --subject "Second opinion, lung" \
	--question "Resect first, or neoadjuvant chemo-immunotherapy?" --note note.md "${attachments[@]}" | tee send.out
id=$(tail -n 1 send.out)

say "Each specialist lists, reads and answers"
as lung consil inbox
as lung consil read "$id" --save lung-files
as rad consil inbox
as rad consil read "$id" --save rad-files
same_bytes lung-files
same_bytes rad-files
printf 'Neoadjuvant first: N1, PD-L1 60 %%. Re-stage after 3 cycles. REPLY-MARKER-6174\n' >reply.md
as lung consil reply "$id" --note reply.md
as lung consil ack "$id"

say "Receipts of what they read leave at random moments, so that the relay does not learn when; a demo does not wait"
as lung consil sync --now
as rad consil sync --now

say "The physician sees what is proved, and the answer"
as doe consil inbox
reply=$(CONSIL_HOME=doe consil inbox --json | sed -n 's/.*"id": *"\([0-9a-f]*\)".*/\1/p' | tail -n 1)
as doe consil read "$reply"
as doe consil sent "$id"

say "The relay's store and log against everything the case said"
scan_store

if [ -n "$KEEP" ]; then
	say "The network is up. Go on like this:"
	cat <<-EOF
		  cd $work
		  export PATH=$BUILD:\$PATH
		  CONSIL_HOME=doe consil sent            # also lung, rad: each is one member's device
		  CONSIL_HOME=lung consil watch
		  consil-admin --network net members
		  kill $relay_pid                          # stops the relay; then: rm -r $work
	EOF
	disown "$relay_pid"
else
	say "Done. The relay is stopped and $work removed (make demo KEEP=1 leaves it running)."
fi
