#!/bin/sh
# Our formats against their second implementation, in JavaScript (tests/vectors):
# it makes the committed vectors again byte by byte, and opens what C makes. The
# other direction needs no node: tests/unit/vectors_*_test.c.
set -u

build=$(cd "${BUILD:-build}" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
shared=${CONSIL_SHARED:-$root/../shared}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$root/tests/vectors" || exit 1

if ! command -v node >/dev/null; then
	echo 'skip second implementation - no node'
	exit 0
fi
if [ ! -d node_modules/libsodium-wrappers-sumo ]; then
	echo 'skip second implementation - no npm package: (cd tests/vectors && npm install)'
	exit 0
fi

failed=0
result()
{
	if [ "$1" = 0 ]; then
		echo "ok $2"
	else
		echo "not ok $2 - $3"
		failed=1
	fi
}

why=$(node generate.mjs "$tmp" 2>&1)
result $? 'vectors are made' "$why"
for file in "$tmp"/*.json; do
	name=$(basename "$file")
	cmp -s "$file" "$name"
	result $? "$name is what generate.mjs makes" 'differs from the committed file'
done

for bytes in 0 3 1100000; do
	why=$("$build/tests/e2e/make_bundle" "$tmp/bundle-$bytes" "$bytes" 2>&1)
	result $? "C makes a bundle of $bytes bytes" "$why"
done
node check.mjs --shared "$shared" from_c.json "$tmp"/bundle-* || failed=1
exit "$failed"
