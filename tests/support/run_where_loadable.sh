#!/usr/bin/env bash
# Runs a test program of the CUDA build. Exit code 77: skipped, since this machine lacks libraries that it needs.
set -euo pipefail
missing=$(ldd "$1" | awk '/not found/ { print $1 }' | sort -u | paste -sd ' ')
if [ -n "$missing" ]; then
  echo "skipped: a test of the CUDA build needs NVIDIA's driver and CUDA libraries; this machine lacks $missing"
  exit 77
fi
exec "$@"
