# SPDX-License-Identifier: Apache-2.0
"""The matrix on this machine's kernel: what needs none of its modules."""

from harness import kernels_page, matrix
from harness.case import main


class Matrix(matrix.Matrix):
    KERNEL = kernels_page.HOST


if __name__ == "__main__":
    main()
