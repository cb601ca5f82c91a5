# SPDX-License-Identifier: Apache-2.0
"""A session of libiscsi that stays, as those of its tools do not, and how many commands it sent."""

import ctypes
import os
import socket

from harness.process import wait_until

_LIBRARY = "libiscsi.so.7"
_NORMAL_SESSION = 2  # enum iscsi_session_type of iscsi/iscsi.h
_ANSWER_SECONDS = 60
GOOD = 0


class Libiscsi:
    """One session with one target, logged in while it is entered. isid: the random part of its
    ISID; None: libiscsi chooses one.
    """

    def __init__(self, name, portal, target, isid=None):
        self._library = ctypes.CDLL(_LIBRARY)
        for function in ("iscsi_create_context", "iscsi_get_error"):
            getattr(self._library, function).restype = ctypes.c_void_p
        self.target = target
        self._name, self._portal = name.encode(), portal.encode()
        self._isid = isid
        self._context = None
        self.commands = 0

    def __enter__(self):
        self._context = ctypes.c_void_p(self._library.iscsi_create_context(self._name))
        try:
            self._call("set_targetname", self.target.encode())
            self._call("set_session_type", _NORMAL_SESSION)
            if self._isid is not None:
                self._call("set_isid_random", self._isid, 0)
            # It would wait for a target that is gone, for ever.
            self._call("set_timeout", _ANSWER_SECONDS)
            self._library.iscsi_set_noautoreconnect(self._context, 1)
            self._call("connect_sync", self._portal)
            self._call("login_sync")
        except BaseException:
            self._library.iscsi_destroy_context(self._context)
            raise
        return self

    def __exit__(self, *_):
        # Unchecked: istgt now and then closes the connection and has not answered the logout.
        self._library.iscsi_logout_sync(self._context)
        self._library.iscsi_destroy_context(self._context)

    def disconnect(self):
        """Close the connection without a logout."""
        descriptor = os.dup(self._library.iscsi_get_fd(self._context))
        with socket.socket(fileno=descriptor) as connection:
            connection.shutdown(socket.SHUT_RDWR)

    def command(self, name, *arguments):
        """Run iscsi_NAME_sync() with what follows its context; returns the status."""
        function = getattr(self._library, f"iscsi_{name}_sync")
        function.restype = ctypes.POINTER(ctypes.c_int)  # a task, which begins with its status
        task = function(self._context, *arguments)
        if not task:
            raise RuntimeError(f"{name}: {self._error()}")
        self.commands += 1
        status = task[0]
        self._library.scsi_free_scsi_task(task)
        return status

    def wait_until_ready(self, lun):
        """Take the unit attentions that tell of the login."""
        wait_until(lambda: self.command("testunitready", lun) == GOOD, 60, f"LUN {lun}")

    def _call(self, name, *arguments):
        if getattr(self._library, f"iscsi_{name}")(self._context, *arguments) != 0:
            raise RuntimeError(f"{name}: {self._error()}")

    def _error(self):
        return ctypes.string_at(self._library.iscsi_get_error(self._context)).decode()
