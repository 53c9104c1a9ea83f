#!/bin/sh
# Writes a Swift file that holds the compiled freestanding programs: embed.sh OUTPUT.swift.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1

# embed NAME SOURCE: the constants NAMEImageLiteral and NAMEImageSize.
# A StaticString literal compiles at once where an array literal of this size takes many seconds. Its bytes must be
# UTF-8: each byte stands as the code point of its value.
embed() {
    image=$(dirname "$out")/gantry-$1
    sh "$here/build.sh" "$image" "$(uname -m)" "$2"
    echo "/// $3: an ELF image, each byte as the code point U+0000...U+00FF of its value."
    printf 'let %sImageLiteral: StaticString = "' "$1"
    od -An -v -tx1 "$image" | tr -d '\n' | sed 's/ \(..\)/\\u{\1}/g'
    echo '"'
    echo '/// Its size in bytes.'
    echo "let $1ImageSize = $(wc -c <"$image")"
}

{
    embed init main.c 'The init'
    embed keeper keeper/main.c 'The keeper'
    embed reaper reaper/main.c 'The reaper'
} >"$out"
