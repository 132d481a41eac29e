# Sourced by ops/up, ops/test and ops/models. Sets $python to a Python that can run this project, else exits with one
# sentence. Plain POSIX sh: nothing of the project is installed when this runs.

can_run() { # Python 3.11 or newer that can make virtual environments; false for a shim without a Python, too
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    # If $PYTHON is set, only that one is tried. The named versions are those that the locks are tested on.
    for python in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14 python}; do
        can_run "$python" && return
    done
    found=$("${PYTHON:-python3}" -c 'import sys; print("Python %d.%d.%d" % sys.version_info[:3])' 2>/dev/null) || found="none"
    case $found in
        "Python 3.1"[1-9]*) lack="$found has no venv module; on Debian and Ubuntu the package python3-venv brings it." ;;
        none) lack="none was found. On Debian and Ubuntu: apt install python3 python3-venv; on macOS: brew install python." ;;
        *) lack="this is $found. Install a newer one beside it, or name one: PYTHON=/path/to/python3.12 $0" ;;
    esac
    echo "${0##*/}: Python 3.11 or newer is needed: $lack" >&2
    exit 5
}

find_python
