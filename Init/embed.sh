#!/bin/sh
# Writes a Swift file that holds the compiled init: embed.sh OUTPUT.swift.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
image=$(dirname "$1")/gantry-init
sh "$here/build.sh" "$image"

# A StaticString literal compiles at once where an array literal of this size takes many seconds. Its bytes must be
# UTF-8: each byte stands as the code point of its value.
{
    echo '/// The freestanding init: an ELF image, each byte as the code point U+0000...U+00FF of its value.'
    printf 'let initImageLiteral: StaticString = "'
    od -An -v -tx1 "$image" | tr -d '\n' | sed 's/ \(..\)/\\u{\1}/g'
    echo '"'
    echo '/// Its size in bytes.'
    echo "let initImageSize = $(wc -c <"$image")"
} >"$1"
