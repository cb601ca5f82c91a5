# SPDX-License-Identifier: Apache-2.0
"""The kernel's SCSI layers: commands without iSCSI, and those of iSCSI above the wire.

The test compares lunscope with the kernel's own counts of the same commands: its trace of the same
tracepoints (tracefs, another reader than BPF), each device's counters in sysfs, and LIO's counters.
"""

import collections
import contextlib
import pathlib
import re

from harness.case import main
from harness.lunscope import Serve, Trace
from harness.process import run, wait_until

from guest import CONFIGFS, GuestTest, load, mount_configfs, unload
from lio import Lio
from open_iscsi import OpenIscsi

TRACEFS = pathlib.Path("/sys/kernel/tracing")
SCSI_DEBUG = pathlib.Path("/sys/bus/pseudo/drivers/scsi_debug")
DEVICES = pathlib.Path("/sys/class/scsi_device")
BLOCKS = 200
# scsi_debug's opts (drivers/scsi/scsi_debug.c) and what a read of its bad sector ends with.
MEDIUM_ERROR, IGNORE = 2, 4
BAD_SECTOR = 0x1234
UNRECOVERED_READ_ERROR = {"key": 3, "asc": 0x11, "ascq": 0,
                          "text": "Medium Error: Unrecovered read error"}
NAMES = {0x00: "Test Unit Ready", 0x12: "Inquiry", 0x28: "Read(10)", 0x2A: "Write(10)",
         0x25: "Read capacity(10)", 0x35: "Synchronize cache(10)", 0x9E: "Read capacity(16)"}


class KernelTrace:
    """The tracepoints of the mid-layer, as the kernel itself prints them, from here on."""

    def __init__(self):
        self._folder = TRACEFS / "instances" / "lunscope-test"

    def __enter__(self):
        self._folder.mkdir()
        (self._folder / "buffer_size_kb").write_text("16384")
        (self._folder / "events" / "scsi" / "enable").write_text("1")
        return self

    def __exit__(self, *_):
        (self._folder / "events" / "scsi" / "enable").write_text("0")
        self._folder.rmdir()

    def events(self, name, host):
        """[(operation code, line)] of an event of one SCSI host, in order."""
        pattern = re.compile(rf"scsi_dispatch_cmd_{name}: host_no={host} .*\braw=([0-9a-f]{{2}})")
        lines = (self._folder / "trace").read_text().splitlines()
        return [(int(found[1], 16), line) for line in lines if (found := pattern.search(line))]


class Device:
    """A SCSI device of a host that was not there before."""

    def __init__(self, make):
        before = set(DEVICES.iterdir()) if DEVICES.exists() else set()
        make()
        self.name = wait_until(lambda: {path.name for path in DEVICES.iterdir()}
                               - {path.name for path in before}, 30, "a SCSI device").pop()
        self.host = int(self.name.split(":", 1)[0])
        self._folder = DEVICES / self.name / "device"
        disk = wait_until(lambda: list(self._folder.glob("block/sd*")), 30, "its disk")[0].name
        self.disk = pathlib.Path("/dev", disk)
        self.generic = pathlib.Path("/dev", next(self._folder.glob("scsi_generic/sg*")).name)
        wait_until(self.disk.is_block_device, 30, str(self.disk))

    def counters(self):
        """{name: number} of what the mid-layer itself counts."""
        return {path.name: int(path.read_text(), 16) for path in self._folder.glob("io*_cnt")}


def opcodes(records):
    return collections.Counter(int(record["cdb"][:2], 16) for record in records)


def dd(source, target, *words, count=BLOCKS, check=True):
    return run(["dd", f"if={source}", f"of={target}", "bs=4096", f"count={count}", *words],
               check=check, timeout=60)


def traffic(device):
    """Commands of several kinds, one at a time and some side by side."""
    for tool in ("sg_inq", "sg_turs", "sg_readcap"):
        run([tool, device.generic])
    dd("/dev/urandom", device.disk, "oflag=direct")
    dd(device.disk, "/dev/null", "iflag=direct")
    run(["sg_sync", device.generic])


def check_accounts(test, metrics, role):
    """Nothing is lost: seen = reported + unreported + in flight."""
    seen, *rest = (int(metrics.total(f"scsi_commands_{what}", role=role)) for what in
                   ("seen_total", "reported_total", "unreported_total", "in_flight"))
    test.assertGreater(seen, 0)
    test.assertEqual(seen, sum(rest), f"{role}: {rest}")
    test.assertEqual(metrics.total("scsi_unmatched_completions_total", role=role), 0)


class ScsiTest(GuestTest):

    def start(self, sources):
        """A trace and a serve of the sources, which have found what they attach to."""
        options = ["--source", sources]
        self.serve = self.use(Serve(options=options))
        self.trace = self.use(Trace(options=options))
        for process in (self.serve.process, self.trace.process):
            self.assertNotIn("not attached", process.stderr)
        probes = self.serve.metrics().select("probe_attached")
        self.assertEqual({probe.value for probe in probes}, {1}, probes)

    def records(self, count, **keys):
        """The trace's records of a source, as soon as there are so many."""
        def found():
            records = [record for record in self.trace.records()
                       if keys.items() <= record.items() and "timed_out" not in record]
            return records if len(records) >= count else None
        return wait_until(found, 30, f"{count} records of {keys}")


class ScsiDebug(ScsiTest):

    def setUp(self):
        super().setUp()
        for module in ("sd_mod", "sg"):
            load(module)
        self.device = Device(lambda: load("scsi_debug", dev_size_mb=64, ndelay=20000))
        self.addCleanup(unload, "scsi_debug")
        self.kernel = self.use(KernelTrace())
        self.start("scsi")

    def inject(self, opts, every_nth=0):
        (SCSI_DEBUG / "every_nth").write_text(str(every_nth))
        (SCSI_DEBUG / "opts").write_text(str(opts))

    def check_counts(self, before):
        """Commands by operation code, against the kernel's trace and the device's counters."""
        done = self.kernel.events("done", self.device.host)
        records = self.records(len(done), transport="scsi_debug")
        metrics = self.serve.counted()
        expected = collections.Counter(opcode for opcode, _ in done)
        self.assertEqual(opcodes(records), expected)
        self.assertEqual(metrics.total("scsi_commands_total", transport="scsi_debug"), len(done))
        after = self.device.counters()
        growth = {name: after[name] - before[name] for name in before}
        timeouts = len(self.kernel.events("timeout", self.device.host))
        self.assertEqual(growth["iorequest_cnt"], metrics.total("scsi_commands_seen_total"))
        self.assertIn(growth["iodone_cnt"], (len(done), len(done) + timeouts))  # by kernel
        self.assertEqual(growth["ioerr_cnt"],
                         sum(record["status"] != "Good" for record in records))
        if "iotmo_cnt" in growth:
            self.assertEqual(growth["iotmo_cnt"], timeouts)
        check_accounts(self, metrics, "initiator")
        return records, metrics

    def test_every_command_is_counted(self):
        before = self.device.counters()
        traffic(self.device)
        records, metrics = self.check_counts(before)
        for record in records:
            self.assertEqual(record["command"], NAMES[int(record["cdb"][:2], 16)])
            self.assertEqual((record["target"], record["device"], record["lun"]),
                             (self.device.name.rsplit(":", 1)[0], self.device.name, "0"))
            self.assertGreater(record["duration_us"], 0)
        self.assertEqual(metrics.total("scsi_written_bytes_total"), BLOCKS * 4096)
        info, = metrics.select("scsi_lun_info")
        self.assertEqual((info.labels["vendor"], info.labels["model"]), ("Linux", "scsi_debug"))

    def test_errors_have_their_status_and_sense(self):
        before = self.device.counters()
        self.inject(MEDIUM_ERROR)
        code, *_ = run(["sg_dd", f"if={self.device.generic}", "of=/dev/null", "bs=512",
                        f"skip={BAD_SECTOR}", "count=1"], check=False)
        self.assertNotEqual(code, 0)
        self.inject(0)
        dd(self.device.disk, "/dev/null", "iflag=direct")
        records, metrics = self.check_counts(before)
        failed = [record for record in records if record["status"] != "Good"]
        self.assertTrue(failed)
        for record in failed:
            self.assertEqual((record["status"], record["sense"], record["lba"]),
                             ("Check Condition", UNRECOVERED_READ_ERROR, BAD_SECTOR))
        self.assertEqual(metrics.total("scsi_command_errors_total", status="check_condition",
                                       sense_key="medium_error"), len(failed))

    def test_a_timeout_is_counted(self):
        before = self.device.counters()
        self.inject(IGNORE, every_nth=1)
        code, *_ = run(["sg_raw", "-t", "1", self.device.generic, *["00"] * 6], check=False,
                       timeout=60)
        self.assertNotEqual(code, 0)
        self.inject(0)
        dd(self.device.disk, "/dev/null", "iflag=direct")
        timeouts = self.kernel.events("timeout", self.device.host)
        self.assertEqual([opcode for opcode, _ in timeouts], [0x00])
        _, metrics = self.check_counts(before)
        self.assertEqual(metrics.total("scsi_command_timeouts_total"), 1)
        out, = [record for record in self.trace.records() if record.get("timed_out")]
        self.assertEqual(out["command"], "Test Unit Ready")
        self.assertNotIn("status", out)


class Loopback(contextlib.AbstractContextManager):
    """A RAM disk of LIO behind its loopback fabric: this host is initiator and target."""

    TARGET, INITIATOR = "naa.6001405000000001", "naa.6001405000000002"

    def __init__(self, lio):
        self._group = CONFIGFS / "target" / "loopback" / self.TARGET / "tpgt_1"
        self.backstore = lio.make_backstore(16 << 20, "ramdisk")

    def make(self):
        self._group.mkdir(parents=True)
        (self._group / "nexus").write_text(self.INITIATOR)
        (self._group / "lun" / "lun_0").mkdir()
        (self._group / "lun" / "lun_0" / "backstore").symlink_to(self.backstore)

    def commands(self):
        """How many LIO has counted."""
        return int((self.backstore / "statistics" / "scsi_lu" / "num_cmds").read_text())

    def __exit__(self, *_):
        lun = self._group / "lun" / "lun_0"
        (lun / "backstore").unlink()
        lun.rmdir()
        (self._group / "nexus").write_text("NULL")
        self._group.rmdir()
        self._group.parent.rmdir()
        self.backstore.rmdir()


class BothLayers(ScsiTest):

    def test_the_loopback_is_seen_from_both_ends(self):
        for module in ("sd_mod", "sg", "tcm_loop"):
            load(module)
        mount_configfs()
        loop = self.use(Loopback(self.use(Lio())))
        device = Device(loop.make)
        self.start("scsi,target")
        before, began = loop.commands(), device.counters()["iorequest_cnt"]
        traffic(device)
        count = device.counters()["iorequest_cnt"] - began
        above = self.records(count, source="scsi", transport="tcm_loopback")
        below = self.records(count, source="target", transport="loopback")
        self.assertEqual((len(above), len(below)), (count, count))
        self.assertEqual(loop.commands() - before, count)
        self.check_pairs(above, below)
        for record in below:
            self.assertEqual((record["target"], record["initiator"]),
                             (Loopback.TARGET, Loopback.INITIATOR))
        for role in ("initiator", "target"):
            check_accounts(self, self.serve.metrics(), role)

    def check_pairs(self, above, below):
        """The same commands in the same order, one at a time: none took LIO longer."""
        self.assertEqual([record["cdb"] for record in above], [record["cdb"] for record in below])
        for upper, lower in zip(above, below, strict=True):
            self.assertLessEqual(lower["duration_us"], upper["duration_us"], (upper, lower))


class AboveTheWire(ScsiTest):

    def test_the_two_times_of_a_command_and_their_difference(self):
        load("sg")
        initiator = self.use(OpenIscsi("iqn.2024-01.org.lunscope.test:host"))
        lio = self.use(Lio())
        target = lio.add_target("iqn.2024-01.org.lunscope.test:joined")
        target.add_lun()
        options = ["--source", "iscsi,scsi,target"]
        self.serve = self.use(Serve(lio.port, options=options))
        self.trace = self.use(Trace(lio.port, options=options))
        session = self.use(initiator.login(lio, target))
        disk = session.disk(1)
        dd("/dev/urandom", disk, "oflag=direct")
        dd(disk, "/dev/null", "iflag=direct")
        self.check_joined(target.name)
        self.check_backend()

    def check_backend(self):
        """The time that LIO's core took is a phase of the same command on the wire."""
        lio = self.records(2 * BLOCKS, source="target", transport="iscsi")
        wire = [record for record in self.trace.records()
                if "source" not in record and record["role"] == "target"]
        self.assertEqual(opcodes(lio), opcodes(wire))
        for record in wire:
            phases = record["phases_us"]
            self.assertIn("backend", phases, record)
            self.assertAlmostEqual(sum(phases.values()), record["duration_us"], delta=0.01)
        # LIO's core counts the wait for a write's data as its own; a read has none.
        read = [record for record in wire if record["command"] == "Read(10)"]
        self.assertGreaterEqual(len(read), BLOCKS)
        self.assertEqual(sorted(record["phases_us"]["backend"] for record in read),
                         sorted(record["duration_us"] for record in lio
                                if record["command"] == "Read(10)"))
        mean = {name: sum(record["phases_us"][name] for record in read) / len(read)
                for name in ("service", "backend")}
        print({name: round(value, 1) for name, value in mean.items()}, flush=True)

    def check_joined(self, target):
        layer = self.settled(2 * BLOCKS, source="scsi", transport="iscsi_tcp")
        wire = [record for record in self.trace.records()
                if "source" not in record and record["role"] == "initiator"]
        self.assertEqual(opcodes(layer), opcodes(wire))
        for record in layer:
            self.assertEqual(record["target"], target)
            self.assertLessEqual(record["wire_us"], record["duration_us"])
            self.assertAlmostEqual(record["wire_us"] + record["above_wire_us"],
                                   record["duration_us"], delta=0.002)
            # The parts of what the application waited for; each is rounded to a nanosecond.
            phases = record["phases_us"]
            self.assertLessEqual({"host_queue", "wait", "completion"}, phases.keys())
            self.assertAlmostEqual(sum(phases.values()), record["duration_us"], delta=0.01)
        self.assertEqual(sorted(record["wire_us"] for record in layer),
                         sorted(record["duration_us"] for record in wire))
        self.check_metrics(layer)

    def settled(self, count, **keys):
        """The records, at least so many, once as many came as the kernel half has reported."""
        def all_came():
            records = self.records(count, **keys)
            reported = self.serve.metrics().total("scsi_commands_reported_total", role="initiator")
            return records if len(records) == reported else None
        return wait_until(all_came, 60, "all commands in the trace")

    def check_metrics(self, layer):
        metrics = self.serve.counted()
        joined = metrics.total("scsi_command_above_wire_seconds_count", transport="iscsi_tcp")
        self.assertEqual(joined, metrics.total("scsi_commands_total", transport="iscsi_tcp"))
        self.assertEqual(metrics.total("scsi_unjoined_commands_total"), 0)
        self.assertEqual(metrics.total("commands_total", role="initiator"), joined)
        self.assertGreater(metrics.total("scsi_commands_total", transport="iscsi"), 0)
        self.assertAlmostEqual(
            metrics.total("scsi_wire_seconds_total")
            + metrics.total("scsi_command_above_wire_seconds_sum"),
            metrics.total("scsi_command_duration_seconds_sum", transport="iscsi_tcp"), places=3)
        for role in ("initiator", "target"):
            check_accounts(self, metrics, role)
        mean = {key: sum(record[key] for record in layer) / len(layer)
                for key in ("duration_us", "wire_us", "above_wire_us")}
        print({key: round(value, 1) for key, value in mean.items()}, flush=True)


if __name__ == "__main__":
    main()
