#!/bin/sh
# Run uv, the project's package manager: the machine's own, or one installed into .cache/ by pip.
set -eu

VERSION=0.13.9
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
own="$root/.cache/uv-$VERSION"

export UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1

if command -v uv >/dev/null 2>&1 && uv --version >/dev/null 2>&1; then
    exec uv "$@"
fi

if [ ! -x "$own/bin/uv" ]; then
    python=$(command -v python3.13 || command -v python3.12 || command -v python3.11 || command -v python3) || {
        echo "Python 3.11 or newer is needed: apt-get install python3 python3-venv" >&2
        exit 1
    }
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        echo "Python 3.11 or newer is needed, and $python is older." >&2
        exit 1
    fi
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        if [ "$(id -u)" != 0 ]; then
            echo "This Python cannot make virtual environments. Run: sudo apt-get install $package" >&2
            exit 1
        fi
        echo "Installing $package" >&2
        apt-get -q update >&2
        DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "$package" >&2
    fi
    echo "Installing uv $VERSION into .cache/" >&2
    mkdir -p "$root/.cache"
    partial="$own.$$.partial"
    trap 'rm -rf "$partial"' EXIT
    "$python" -m venv "$partial"
    "$partial/bin/python" -m pip -q --disable-pip-version-check install "uv==$VERSION" >&2
    rm -rf "$own"
    mv "$partial" "$own"
    trap - EXIT
fi
exec "$own/bin/uv" "$@"
