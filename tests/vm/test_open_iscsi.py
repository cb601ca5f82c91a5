# SPDX-License-Identifier: Apache-2.0
"""The kernel's initiator under a file system: what lunscope counted is what the kernel counted."""

import collections
import contextlib
import json
import pathlib
import tempfile

from harness.case import main
from harness.compare import ROLES, check_names, check_nothing_lost, initiator_port, role_of
from harness.lunscope import Serve, Trace
from harness.process import run, wait_until
from harness.tgtd import Tgtd

from guest import GuestTest, load, module_has, unload
from lio import Lio
from open_iscsi import OpenIscsi, wait_for_reading_hooks

INITIATOR = "iqn.2024-01.org.lunscope.test:open-iscsi"
TARGET = "iqn.2024-01.org.lunscope.test:file-system"
RINGS = ["--ring-size", 16 << 20]
FIO = ["--name=verify", "--rw=randwrite", "--bsrange=4k-256k", "--size=4m", "--ioengine=libaio",
       "--iodepth=8", "--direct=1", "--verify=crc32c", "--do_verify=1", "--verify_fatal=1"]
COMMANDS = 100  # at least so many
NO_UDEV = ["--noudevsync", "--noudevrules"]

# Counters that `iscsiadm -m session -s` and lunscope, at the initiator, have alike.
SAME = {
    "rxdata_octets": ("received_bytes_total", {}),
    "scsicmd_pdus": ("pdus_sent_total", {"opcode": "scsi_command"}),
    "dataout_pdus": ("pdus_sent_total", {"opcode": "data_out"}),
    "tmfcmd_pdus": ("pdus_sent_total", {"opcode": "task_management_request"}),
    "datain_pdus": ("pdus_received_total", {"opcode": "data_in"}),
    "r2t_pdus": ("pdus_received_total", {"opcode": "r2t"}),
    "tmfrsp_pdus": ("pdus_received_total", {"opcode": "task_management_response"}),
    "scsirsp_pdus": ("commands_total", {}),
}
# Counters that iscsi_tcp leaves at 0, and counters of failures that do not happen here.
ZERO = {"noptx_pdus", "login_pdus", "text_pdus", "logout_pdus", "snack_pdus", "noprx_pdus",
        "textrsp_pdus", "logoutrsp_pdus", "async_pdus", "rjt_pdus", "digest_err", "timeout_err",
        "tx_sendpage_failures", "rx_discontiguous_hdr", "eh_abort_cnt"}

# Kind of server, settings of the session, parameters of iscsi_tcp.
ROWS = {
    "LIO": ("LIO", {}, {}),
    "tgtd": ("tgtd", {}, {}),
    "LIO, digests": ("LIO", {"HeaderDigest": "CRC32C", "DataDigest": "CRC32C"}, {}),
    "LIO, received in a work queue": ("LIO", {}, {"recv_from_iscsi_q": 1}),
}


@contextlib.contextmanager
def mounted(disk, prefix="lunscope-"):
    """A new file system on it, mounted at a folder whose name begins so."""
    run(["mkfs.ext4", "-q", disk], timeout=60)
    with tempfile.TemporaryDirectory(prefix=prefix) as folder:
        run(["mount", disk, folder])
        try:
            yield folder
        finally:
            run(["umount", folder], timeout=60)


def use_file_system(disk):
    """mkfs, mount, a fio job that reads back what it wrote, umount."""
    with mounted(disk) as folder:
        run(["fio", *FIO, f"--directory={folder}"], timeout=120)


def attribute(device, name):
    return pathlib.Path("/sys/class/block", device.name, name)


@contextlib.contextmanager
def multipath_map(disk, name):
    """The disk as the only path of a map, as multipathd makes one."""
    load("dm_multipath")
    load("dm_service_time")
    number, sectors = (attribute(disk, what).read_text().strip() for what in ("dev", "size"))
    run(["dmsetup", "create", name, "--uuid", f"mpath-{name}", *NO_UDEV, "--table",
         f"0 {sectors} multipath 0 0 1 1 service-time 0 1 1 {number} 1"], timeout=60)
    try:
        holder, = attribute(disk, "holders").iterdir()
        yield pathlib.Path("/dev", holder.name)
    finally:
        run(["dmsetup", "remove", *NO_UDEV, name], timeout=60)


def mount_points(device):
    """As findmnt lists them, in the form of lunscope."""
    number = attribute(device, "dev").read_text().strip()
    _, said, _, _ = run(["findmnt", "--json", "--output", "TARGET", "--source", number])
    return [mount["target"].replace("\\", r"\x5c") for mount in json.loads(said)["filesystems"]]


def identities(records):
    """Each command, so that its two ends can be compared."""
    return collections.Counter(
        (record["target"], initiator_port(record), record["itt"], record["cmdsn"], record["lun"],
         record["cdb"], record.get("transferred_bytes", 0), record["status"])
        for record in records)


class FileSystem(GuestTest):
    ROWS = ROWS

    def setUp(self):
        super().setUp()
        self.servers = {"LIO": self.use(Lio()), "tgtd": self.use(Tgtd())}
        ports = [server.port for server in self.servers.values()]
        load("iscsi_tcp")
        self.serve = self.use(Serve(*ports, options=RINGS))
        self.trace = self.use(Trace(*ports, options=RINGS))
        wait_for_reading_hooks(2)

    def test_file_system(self):
        targets = []
        for name, (server, settings, parameters) in self.ROWS.items():
            if all(module_has("iscsi_tcp", parameter) for parameter in parameters):
                with self.subTest(name), OpenIscsi(INITIATOR, **parameters) as initiator:
                    targets.append(self.servers[server].add_target(f"{TARGET}-{len(targets)}"))
                    lun = targets[-1].add_lun()
                    run(["iscsiadm", "-m", "discovery", "-t", "st", "-p",
                         self.servers[server].portal()], timeout=60)
                    run(["iscsiadm", "-m", "node", "-o", "delete"])
                    session = initiator.login(self.servers[server], targets[-1], **settings)
                    self.check_session(session, lun, targets[-1].name)
                unload("iscsi_tcp")
        metrics = self.serve.settled()
        check_nothing_lost(self, metrics)
        for sender, receiver in (ROLES, ROLES[::-1]):
            self.assertEqual(metrics.total("sent_bytes_total", role=sender),
                             metrics.total("received_bytes_total", role=receiver), sender)
        self.trace.stop()
        check_names(self, self.trace.records())
        self.check_events(self.trace.events(), targets)
        ends = [identities(role_of(self.trace.records(), role)) for role in ROLES]
        self.assertEqual((ends[0] - ends[1], ends[1] - ends[0]), ({}, {}), "the ends differ")

    def check_events(self, events, targets):
        """A discovery, a login, mkfs, fio and a logout: these events, and no others."""
        for target in targets:
            for role in ROLES:
                kinds = [event["event"] for event in events
                         if (event["target"], event["role"]) == (target.name, role)]
                self.assertEqual(kinds, ["logged_in", "logged_out", "connection_ended"],
                                 (target.name, role))
        # iscsiadm ends its discovery with an RST.
        found = collections.Counter((event["role"], event["event"]) for event in events
                                    if event["target"] == "discovery")
        self.assertEqual(found, {(role, kind): len(targets) for role in ROLES
                                 for kind in ("logged_in", "connection_ended")})
        self.assertEqual({event["target"] for event in events},
                         {"discovery", *(target.name for target in targets)})

    def check_session(self, session, lun, target):
        with session:
            disk = session.disk(lun)
            use_file_system(disk)
            counted, metrics = self.settled(session)
            self.check_inventory(pathlib.Path("/sys/block", pathlib.Path(disk).name), lun, metrics,
                                 target)
            shown = [record for record in self.trace.records() if record["target"] == target]
        self.check_same_counts(counted, metrics, target)
        for role in ROLES:
            self.assertEqual(len(role_of(shown, role)), counted["scsicmd_pdus"], role)
        after = self.serve.settled()
        for role in ROLES:
            self.assertEqual(after.total("logins_total", role=role, target=target), 1)
            self.assertEqual(after.total("logouts_total", role=role, target=target), 1)

    def check_inventory(self, disk, lun, metrics, target):
        """The LUN as the kernel has it in sysfs."""
        device = disk / "device"
        serial = (device / "vpd_pg80").read_bytes()[4:].decode().strip(" \0")
        wwid = (device / "wwid").read_text().strip()
        thin, = device.glob("scsi_disk/*/thin_provisioning")
        for role in ROLES:
            of_lun = {"role": role, "target": target, "lun": str(lun)}
            self.assertEqual(metrics.total("lun_info", serial=serial, wwid=wwid, **of_lun), 1,
                             (serial, wwid, metrics.select("lun_info", **of_lun)))
            for name, file in ("write_protected", disk / "ro"), ("thin_provisioned", thin):
                self.assertEqual(metrics.total(f"lun_{name}", **of_lun), int(file.read_text()),
                                 name)
                self.assertEqual(len(metrics.select(f"lun_{name}", **of_lun)), 1, name)

    def settled(self, session):
        """The counters of the kernel and of lunscope, read while neither changes."""
        def same():
            before, metrics = session.statistics(), self.serve.settled()
            return (before, metrics) if before == session.statistics() else None
        return wait_until(same, 60, "the session to be idle")

    def check_same_counts(self, counted, metrics, target):
        """The kernel leaves out of txdata_octets what it had sent when the socket was full (the
        way out of iscsi_sw_tcp_xmit() with EAGAIN): the truth is what the target received.
        """
        sent_octets = counted.pop("txdata_octets")
        self.assertEqual(set(counted), SAME.keys() | ZERO)
        self.assertGreater(counted["scsicmd_pdus"], COMMANDS)
        self.assertGreater(counted["r2t_pdus"], 0)
        ours = {name: int(metrics.total(metric, role="initiator", target=target, **labels))
                for name, (metric, labels) in SAME.items()}
        self.assertEqual(ours | dict.fromkeys(ZERO, 0), counted)
        self.assertLessEqual(sent_octets,
                             metrics.total("sent_bytes_total", role="initiator", target=target))


class LocalLuns(GuestTest):
    """lunscope describes this host's disks as sysfs, findmnt, dmsetup and LIO do."""

    def setUp(self):
        super().setUp()
        self.server = self.use(Lio())
        load("iscsi_tcp")
        self.serve = self.use(Serve(self.server.port))
        wait_for_reading_hooks(1)

    def found(self, role):
        """(LUN, device, multipath, mounts) of each series."""
        return [tuple(sample.labels[name] for name in ("lun", "device", "multipath", "mounts"))
                for sample in self.serve.metrics().select("lun_local_info", role=role,
                                                          target=TARGET)]

    def await_found(self, role, *expected):
        """lunscope asks again after 10 s."""
        wait_until(lambda: self.found(role) == list(expected), 60,
                   f"{expected} instead of {self.found(role)}")

    def luns_of_sessions(self):
        return {session["role"]: session["luns"] for session in self.serve.sessions()["sessions"]}

    def test_local_luns(self):
        target = self.server.add_target(TARGET)
        lun = target.add_lun()
        image, = self.server.folder.iterdir()
        of_lun = {"lun": str(lun)}
        with self.use(OpenIscsi(INITIATOR)).login(self.server, target) as session:
            disk = session.disk(lun)
            self.await_found("initiator", (str(lun), disk.name, "", ""))
            self.await_found("target", (str(lun), str(image), "", ""))
            with mounted(disk, prefix="a,b \\"):
                points = mount_points(disk)
                self.assertRegex(points[0], r"/a,b \\x5c")
                self.await_found("initiator", (str(lun), disk.name, "",
                                               ",".join(points).replace("a,b", r"a\x2cb")))
                self.assertEqual(self.luns_of_sessions(), {
                    "initiator": [of_lun | {"device": disk.name, "mounts": points}],
                    "target": [of_lun | {"device": str(image), "mounts": []}]})
                self.assertIn(f"\n    LUN {lun} is {disk.name}, mounted at {points[0]}\n",
                              self.serve.sessions_table())
            self.await_found("initiator", (str(lun), disk.name, "", ""))
            with multipath_map(disk, "lunscopea") as path, mounted(path):
                points = mount_points(path)
                self.await_found("initiator", (str(lun), disk.name, "lunscopea", points[0]))
                self.assertEqual(self.luns_of_sessions()["initiator"], [of_lun | {
                    "device": disk.name, "multipath": "lunscopea", "mounts": points}])
        for role in ROLES:
            self.await_found(role)


if __name__ == "__main__":
    main()
