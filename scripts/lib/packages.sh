# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# packages.sh: which Debian packages the commands need, and how these are installed. The lists have
# no other home. Source it after command.sh.

# ---- Lists -------------------------------------------------------------------------------------

# shellcheck disable=SC2034
BUILD_PACKAGES=(
  cmake ninja-build g++ clang bpftool pkg-config linux-libc-dev python3 git
  libbpf-dev libbpfcc-dev libelf-dev zlib1g-dev libcap-dev libseccomp-dev libpcap-dev
  prometheus-cpp-dev libcli11-dev libfmt-dev libsgutils2-dev libcpp-httplib-dev libmicrohttpd-dev libcurl4-openssl-dev
  libgnutls28-dev libcrypt-dev libyaml-cpp-dev libarchive-dev nlohmann-json3-dev libgtest-dev libgmock-dev libbenchmark-dev
)
# Programs that `scripts/guest image` and `scripts/guest boot` run.
# shellcheck disable=SC2034
GUEST_PACKAGES=(busybox-static mtools syslinux qemu-system-x86 qemu-block-extra)
# shellcheck disable=SC2034
DEMO_PACKAGES=("${GUEST_PACKAGES[@]}" tgt curl)
# shellcheck disable=SC2034
TEST_PACKAGES=(
  "${DEMO_PACKAGES[@]}" qemu-utils ipxe-qemu tshark libiscsi-bin istgt nftables prometheus
  prometheus-alertmanager jq fio
  clang-format clang-tidy libclang-rt-dev llvm iproute2 libcap2-bin procps util-linux strace
  gnuplot-nox openssl systemd python3-pysnmp4-mibs
)
# Needed by scripts/pictures, besides TEST_PACKAGES, and Node.js with npm.
# shellcheck disable=SC2034
PICTURE_PACKAGES=(librsvg2-bin pngquant)
# Needed by tests/vm/run and the tests in its guests, besides the lists above.
# shellcheck disable=SC2034
VM_PACKAGES=(
  busybox-static qemu-system-x86 kmod xz-utils
  open-iscsi fio e2fsprogs dmsetup mt-st mtx sg3-utils systemd
)
# Packages of the lists above which bring a system service of the same name.
readonly SERVICE_PACKAGES=(tgt istgt open-iscsi prometheus prometheus-alertmanager)

# ---- Installing --------------------------------------------------------------------------------

readonly POLICY=/usr/sbin/policy-rc.d
readonly SAVED_POLICY=/usr/sbin/policy-rc.d.lunscope-saved

is_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null) == ?i* ]]
}

has_candidate() {
  [[ -n $(apt-cache show --no-all-versions "$1" 2>/dev/null) ]]
}

# refresh_package_lists PACKAGE...: apt-get update, only if some package is unknown without it.
refresh_package_lists() {
  local package
  for package in "$@"; do
    has_candidate "$package" && continue
    ((EUID == 0)) || die "apt does not know $package; run: sudo apt-get update"
    update_package_lists
    return
  done
}

update_package_lists() {
  note "apt-get update"
  apt-get update -qq || die "apt-get update failed (above); check the network and apt's sources"
}

is_our_policy() { grep -qs 'Put here by lunscope' "$POLICY"; }

# Installing a package must not start its service: the demo runs its own, on loopback.
forbid_service_starts() {
  at_exit restore_service_starts
  if [[ -e $POLICY ]] && ! is_our_policy; then
    mv -f "$POLICY" "$SAVED_POLICY"
  fi
  printf '#!/bin/sh\n# Put here by lunscope while it installs packages.\nexit 101\n' >"$POLICY"
  chmod 755 "$POLICY"
}

restore_service_starts() {
  if [[ -e $SAVED_POLICY ]]; then
    mv -f "$SAVED_POLICY" "$POLICY"
  elif is_our_policy; then
    rm -f "$POLICY"
  fi
}

# disable_services PACKAGE...: keeps the services of just-installed packages off after a reboot.
disable_services() {
  local package service
  for package in "$@"; do
    for service in "${SERVICE_PACKAGES[@]}"; do
      [[ $package == "$service" ]] || continue
      update-rc.d "$service" disable >/dev/null 2>&1 || continue
      note "left the system service $service off (to use it: systemctl enable --now $service)"
    done
  done
}

apt_install() {
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" </dev/null >"$APT_LOG" 2>&1
}

install_failed() {
  tail -n 15 "$APT_LOG" >&2
  die "apt-get install failed (its messages are above); run: sudo apt-get install $*"
}

# install_packages PACKAGE...: installs what is missing, and says what. Without root it ends the
# command when something is missing.
install_packages() {
  local package missing=()
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  ((EUID == 0)) || die "missing packages; run: sudo apt-get install ${missing[*]}"
  note "installing (with what they depend on): ${missing[*]}"
  APT_LOG=$(mktemp "${TMPDIR:-/tmp}/lunscope-apt.XXXXXX")
  at_exit rm -f -- "$APT_LOG"
  refresh_package_lists "${missing[@]}"
  forbid_service_starts
  # Old package lists name versions which the mirror has removed: update once, then try again.
  if ! apt_install "${missing[@]}"; then
    update_package_lists
    apt_install "${missing[@]}" || install_failed "${missing[@]}"
  fi
  restore_service_starts
  disable_services "${missing[@]}"
}
