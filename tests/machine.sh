#!/bin/sh
# Sees that the machine has what only testing needs: three browsers, and PostgreSQL's own programs. Installs them where it may.
set -eu

has() { command -v "$1" >/dev/null; }
may_install() { [ "$(id -u)" = 0 ] && has apt-get; }
install() {
    may_install || return 1
    echo "Installing what testing needs: $*"
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}

# Nothing can be tested without these.
needed=
has chromium || has chromium-browser || has google-chrome || needed="$needed chromium"
has initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || needed="$needed postgresql"

# The main story and the kills are told in these engines, too; where one cannot be had, its tests are left out by name.
wanted=
[ -e /usr/bin/firefox-esr ] || wanted="$wanted firefox-esr"
[ -e /usr/bin/WebKitWebDriver ] || wanted="$wanted webkit2gtk-driver"
ls /usr/lib/*/girepository-1.0/WebKit2-4.1.typelib >/dev/null 2>&1 || wanted="$wanted gir1.2-webkit2-4.1"
[ -e /usr/lib/python3/dist-packages/gi ] || wanted="$wanted python3-gi"
[ -e /usr/bin/Xvfb ] || wanted="$wanted xvfb"
# A lock screen for browsers to show alerts on.
has dbus-daemon || wanted="$wanted dbus-daemon"
ls /usr/lib/*/libnotify.so.4 >/dev/null 2>&1 || wanted="$wanted libnotify4"

if [ -n "$wanted" ] || [ -n "$needed" ]; then
    ! may_install || apt-get update -qq || true
fi
# shellcheck disable=SC2086  # several words each
if [ -n "$needed" ] && ! install $needed; then
    echo "Testing needs$needed. Install with: sudo apt-get install --no-install-recommends$needed" >&2
    exit 1
fi
without=
for package in $wanted; do
    install "$package" || without="$without $package"
done
if [ -n "$without" ]; then
    echo "What only Firefox or WebKit can show, and alerts as they are shown, may be left out. It needs: sudo apt-get install --no-install-recommends$without" >&2
fi
