# SPDX-License-Identifier: Apache-2.0
"""Words before a command line that take something away from the program behind them."""

import shlex


def in_own_mounts(script):
    """A command line that changes mounts below /sys which only it sees, then runs what follows it.

    /sys is made private by hand: unshare would do it from the root on, and in a chroot the root is
    no mount point.
    """
    return ["unshare", "--mount", "--propagation", "unchanged", "sh", "-c",
            f'mount --make-rprivate /sys && {script} && exec "$@"', "sh"]


def in_place_of(path, file):
    """Another file in the place of one below /sys."""
    return in_own_mounts(f"mount --bind {shlex.quote(str(file))} {shlex.quote(str(path))}")


NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
NOBODY_WITH_RIGHTS = [*NOBODY, "--inh-caps", "+bpf,+perfmon", "--ambient-caps", "+bpf,+perfmon"]
NO_BTF = in_own_mounts("mount -t tmpfs none /sys/kernel/btf")
OTHER_NETWORK = ["unshare", "--net"]


def without(*capabilities):
    return ["setpriv", "--bounding-set", ",".join(f"-{name}" for name in capabilities)]
