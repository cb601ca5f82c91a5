# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# kernel.sh: Debian's kernels as files, without installing them. Source it after
# command.sh and packages.sh.

# cache_directory: where what is made once for all runs is kept.
cache_directory() {
  if [[ -n ${XDG_CACHE_HOME:-} ]]; then
    echo "$XDG_CACHE_HOME/lunscope"
  elif ((EUID == 0)); then
    echo /var/cache/lunscope
  else
    echo "$HOME/.cache/lunscope"
  fi
}

# find_kernel METAPACKAGE: sets KERNEL, the package that it stands for now, and KERNEL_VERSION.
find_kernel() {
  local depends
  refresh_package_lists "$1" >&2
  # Depends: linux-image-6.1.0-1-cloud-amd64 (= 6.1.4-1)
  depends=$(apt-cache show --no-all-versions "$1" | grep '^Depends:')
  [[ $depends =~ (linux-image-[^ ]+)\ \(=\ ([^\)]+)\) ]] ||
    die "cannot read what $1 depends on: $depends"
  KERNEL=${BASH_REMATCH[1]} KERNEL_VERSION=${BASH_REMATCH[2]}
}

# unpack_kernel DIRECTORY: unpacks KERNEL into it. REQUIRES: find_kernel was called.
unpack_kernel() {
  mkdir -p "$1"
  # Root's apt would drop its rights for the download and then could not write there.
  (cd "$1" && apt-get -qq -o APT::Sandbox::User=root download "$KERNEL=$KERNEL_VERSION") >&2 ||
    die "cannot download $KERNEL; check the network, run apt-get update, and try again"
  dpkg-deb -x "$1"/*.deb "$1"
  rm -f -- "$1"/*.deb
}

# locate_kernel DIRECTORY: sets VMLINUZ and MODULES (a directory) of the kernel unpacked there.
locate_kernel() {
  VMLINUZ=$(echo "$1"/boot/vmlinuz-*)
  # Debian 12 has /lib/modules, later ones /usr/lib/modules.
  MODULES=$(find "$1" -path '*/lib/modules/*' -prune -print -quit)
  [[ -f $VMLINUZ && -d $MODULES ]] || die "$KERNEL holds no kernel; report this with its version"
}
