# What the scripts share. Sourced, with the repository's root as the current directory.

# What building needs besides the Swift toolchain.
build_packages=(libseccomp-dev libcap-dev pkg-config gcc libc6-dev file)
# What the tests start: peers to compare with, and what root filesystems are made of.
test_packages=(runc crun tini busybox-static strace umoci skopeo debootstrap jq qemu-user-static zsh fish groff gcc-aarch64-linux-gnu
    libc6-dev-arm64-cross)
# Engines to run gantry under, and what their worlds (scripts/engines.d/world) are made with.
engine_packages=(docker.io containerd podman buildah conmon catatonit containernetworking-plugins runc umoci busybox-static
    iptables iproute2 procps util-linux)

say() {
    echo "==> $*" >&2
}

die() {
    echo "$0: $*" >&2
    exit 1
}

# Runs a command as root.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "needs root (and sudo is not there): $*"
    fi
}

# A minimal Debian in .build-rootfs/debian, made once; the tests that want it are skipped without it.
make_debian_root() {
    local root=.build-rootfs/debian log=.build-rootfs/debootstrap.log
    [ ! -e "$root/etc/debian_version" ] || return 0
    if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then
        say "no Debian root file system: making one needs root and debootstrap"
        return 0
    fi
    say "making a Debian root file system in $root"
    rm -rf "$root" "$root.new"
    mkdir -p .build-rootfs
    if debootstrap --variant=minbase bookworm "$root.new" >"$log" 2>&1; then
        mv "$root.new" "$root"
    else
        say "debootstrap failed: see $log"
    fi
}

need_swift() {
    command -v swift >/dev/null ||
        die "the Swift toolchain (6.3 or newer) is not there: see https://www.swift.org/install/linux/"
}

# Directory of the toolchain's shared libraries.
runtime_libraries() {
    local resources
    resources=$(swiftc -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
    echo "$resources/linux"
}

# Path of a static library of the toolchain's embedded Swift.
embedded_library() {
    local resources path
    resources=$(swiftc -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
    path=$resources/embedded/$(uname -m)-unknown-linux-gnu/$1
    [ -e "$path" ] || die "this Swift toolchain has no $path: version 6.3 or newer is needed"
    echo "$path"
}

# Installs those of the named Debian packages that are missing.
need_packages() {
    local package missing=()
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        say "this is no Debian: make sure that what these packages hold is there: $*"
        return
    fi
    for package; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] ||
            missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]}"
    as_root apt-get update -q </dev/null >&2 &&
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -q -y --no-install-recommends "${missing[@]}" </dev/null >&2 ||
        die "cannot install ${missing[*]}, without which this cannot be done here: see what apt-get says above"
}
