#!/bin/sh
# Compiles a freestanding program: build.sh OUTPUT [ARCH [SOURCE]]. ARCH is x86_64 or aarch64, the host's by default;
# SOURCE is main.c (the init, by default), keeper/main.c or reaper/main.c.
set -eu
output=$1
host=$(uname -m)
arch=${2:-$host}
source=${3:-main.c}
here=$(cd "$(dirname "$0")" && pwd)

# The host's own compiler, or the cross compiler that Debian names after its target.
if [ "$arch" = "$host" ]; then
    cc=${CC:-$(command -v gcc || command -v clang || command -v cc)}
else
    cc=$arch-linux-gnu-gcc
fi

# clang's default linker may be gold, which lacks --no-dynamic-linker.
linker=
case $("$cc" --version) in *clang*) linker=-fuse-ld=lld ;; esac

# One translation unit: the compiler sees everything and drops what is not used.
# PIE without relocations, so that nobody has to apply them: a test looks at the result.
"$cc" $linker -std=gnu17 -Os -Wall -Wextra -Werror \
    -ffreestanding -fno-builtin -nostdlib -static-pie -fPIE -fvisibility=hidden \
    -fno-stack-protector -fno-asynchronous-unwind-tables -fno-unwind-tables -fno-ident \
    -fno-jump-tables -fomit-frame-pointer -fno-common -ffunction-sections -fdata-sections \
    -I"$here" -I"$here/../Sources/CPlan/include" -I"$here/../Sources/CKeeper/include" -include "arch/$arch.h" \
    -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,norelro -Wl,--no-dynamic-linker \
    -Wl,-z,noseparate-code -Wl,-s -Wl,-e,_start \
    -o "$output" "$here/$source"
