# shellcheck shell=bash disable=SC2154
# What `x` says. Progress goes to standard error, so that output can be piped.

say() { printf '%s\n' "$*" >&2; }
step() { printf '\n== %s\n' "$*" >&2; }
fail() { printf 'x: %s\n' "$*" >&2; exit 1; }

# Shows a command as a person would type it, then runs it.
show() { printf '\n$ %s\n' "$*"; "$@"; }
