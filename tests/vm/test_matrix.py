# SPDX-License-Identifier: Apache-2.0
"""The matrix on a guest's kernel, with its own initiator and its own target."""

import contextlib

from harness import kernels_page, matrix
from harness.case import main
from harness.process import run, wait_until

from guest import GuestTest
from lio import Lio
from open_iscsi import OpenIscsi, wait_for_reading_hooks

DD = ["dd", "bs=64k", "count=4"]


@contextlib.contextmanager
def serve_with_lio():
    with Lio() as lio:
        target = lio.add_target(matrix.NAME + "lio")
        lun = target.add_lun()
        yield matrix.Served(lio, target, lun, lambda: target.statistics(lun).commands,
                            lambda record: record["lun"] == str(lun))


def login(initiator, served):
    wait_for_reading_hooks(2)
    return initiator.login(served.server, served.target)


@contextlib.contextmanager
def open_iscsi(served, name):
    with OpenIscsi(name) as initiator, login(initiator, served) as session:
        disk = session.disk(served.lun)
        run([*DD, "if=/dev/zero", f"of={disk}", "oflag=direct"])
        run([*DD, f"if={disk}", "of=/dev/null", "iflag=direct"])

        def idle():
            before = session.statistics()
            return before if before == session.statistics() else None
        yield wait_until(idle, 60, "the session to be idle")["scsicmd_pdus"]


class Matrix(GuestTest, matrix.Matrix):
    KERNEL = kernels_page.guest_kernel()
    INITIATORS = matrix.Matrix.INITIATORS | {"open-iscsi": open_iscsi}
    TARGETS = matrix.Matrix.TARGETS | {"LIO": serve_with_lio}


if __name__ == "__main__":
    main()
