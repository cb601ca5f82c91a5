#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that mean harm, against the endpoint: it keeps to 64 MiB above its idle size, answers the
next scraper soon, and ends soon.

  attacks_test.py        the server is named by $LUNSCOPE_ENDPOINT_SERVER
"""

import contextlib
import gzip
import os
import re
import resource
import signal
import socket
import subprocess
import threading
import time
import unittest
import urllib.request

SERVER = os.environ["LUNSCOPE_ENDPOINT_SERVER"]
MEMORY_MIB = 64
SMALL, LARGE = 20_000, 14_000_000  # bytes of a page: some LUNs, and 100,000 series
ADDRESS_SPACE = 512 << 20
GET = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
# A client that holds others up does so for ever, or until its own deadline of 10 s. How long it takes
# on an idle machine is printed, and not asserted.
DEADLINE = 5.0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """The server's process, while it is entered. It has ADDRESS_SPACE, whatever comes."""

    def __init__(self, page_bytes):
        self.port = free_port()
        self.words = [SERVER, str(page_bytes), "", f"127.0.0.1:{self.port}"]
        self.process = None

    def __enter__(self):
        def set_limits():
            resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
        self.process = subprocess.Popen(self.words, stdout=subprocess.PIPE, preexec_fn=set_limits)
        assert self.process.stdout.readline() == b"ready\n"
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def connect(self, timeout=10):
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def resident_mib(self, field="VmRSS"):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(rf"{field}:\s+(\d+)", status.read())[1]) / 1024

    def scrape(self, **headers):
        """(status, headers, body, seconds) of one request."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/metrics", headers=headers)
        began = time.monotonic()
        with urllib.request.urlopen(request, timeout=30) as answer:
            body = answer.read()
            return answer.status, answer.headers, body, time.monotonic() - began

    def end(self):
        """Seconds that it takes to end, and its exit code."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        return time.monotonic() - began, code


def send_until_closed(connection, data, seconds=8):
    """Send the same over and over. Returns how many bytes went, and the first line of the answer."""
    sent, until = 0, time.monotonic() + seconds
    connection.settimeout(1)
    with contextlib.suppress(OSError):
        while time.monotonic() < until:
            sent += connection.send(data)
    answer = b""
    with contextlib.suppress(OSError):
        answer = connection.recv(65536)
    return sent, answer.split(b"\r\n")[0]


# ---- what a client sends: bytes in front, and bytes that go on and on ----

ENDLESS = {
    "request line": (b"GET /", b"a" * 65536),
    "header": (GET + b"X-A: ", b"a" * 65536),
    "headers": (GET, b"X-A: b\r\n" * 8192),
    "cookies": (GET, b"Cookie: a=b\r\n" * 4096),
    "header without an end, in a POST": (b"POST /metrics HTTP/1.1\r\nHost: localhost\r\n",
                                         b"X: y\r\n" * 8192),
    "body": (b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
             bytes(65536)),
    "body in chunks": (b"POST /metrics HTTP/1.1\r\nHost: localhost\r\n"
                       b"Transfer-Encoding: chunked\r\n\r\n", b"ffff\r\n" + bytes(65535) + b"\r\n"),
    "body of a GET": (GET + b"Content-Length: 99999999999\r\n\r\n", bytes(65536)),
    "gzip that unpacks to a GB": (
        b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\n"
        b"Content-Length: 99999999999\r\n\r\n", gzip.compress(bytes(64 << 20))),
    "requests, and no answer is read": (b"", (GET + b"\r\n") * 256),
    "bytes that are no HTTP": (b"", os.urandom(65536)),
    "TLS to a port without": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", bytes(65536)),
}

# ---- one request: the status line that must come ----

REQUESTS = {
    "page": (GET + b"\r\n", b"HTTP/1.1 200 OK"),
    "ranges": (GET + b"Range: bytes=" + b",".join([b"0-"] * 1000) + b"\r\n\r\n", b"HTTP/1.1 200 OK"),
    "a range": (GET + b"Range: bytes=0-9\r\n\r\n", b"HTTP/1.1 200 OK"),
    "HEAD": (b"HEAD" + GET[3:] + b"\r\n", b"HTTP/1.1 200 OK"),
    "HTTP/1.0": (b"GET /metrics HTTP/1.0\r\n\r\n", b"HTTP/1.1 200 OK"),
    "POST": (b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
             b"HTTP/1.1 405 Method Not Allowed"),
    "DELETE": (b"DELETE /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
               b"HTTP/1.1 405 Method Not Allowed"),
    "a longer path": (b"GET /metrics/ HTTP/1.1\r\nHost: localhost\r\n\r\n", b"HTTP/1.1 404 Not Found"),
    "a path that climbs": (b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
                           b"HTTP/1.1 404 Not Found"),
    "another host": (b"GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n",
                     b"HTTP/1.1 421 Misdirected Request"),
    "an address": (b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", b"HTTP/1.1 200 OK"),
    "the events": (b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n", b"HTTP/1.1 200 OK"),
    "HEAD of the events": (b"HEAD /events HTTP/1.1\r\nHost: localhost\r\n\r\n",
                           b"HTTP/1.1 200 OK"),
    "POST to the events": (b"POST /events HTTP/1.1\r\nHost: localhost\r\n\r\n",
                           b"HTTP/1.1 405 Method Not Allowed"),
    "a longer path than the events": (b"GET /events/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
                                      b"HTTP/1.1 404 Not Found"),
    "the events of another host": (b"GET /events HTTP/1.1\r\nHost: evil.example\r\n\r\n",
                                   b"HTTP/1.1 421 Misdirected Request"),
    "an IPv6 address": (b"GET /metrics HTTP/1.1\r\nHost: [::1]:1\r\n\r\n", b"HTTP/1.1 200 OK"),
    "no host": (b"GET /metrics HTTP/1.1\r\n\r\n", b"HTTP/1.1 400 Bad Request"),
    "an address with more behind it": (
        b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n",
        b"HTTP/1.1 421 Misdirected Request"),
}


class Attacks(unittest.TestCase):

    def setUp(self):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))
        self.opened = self.enterContext(contextlib.ExitStack())

    def serve(self, page_bytes=SMALL):
        server = self.enterContext(Server(page_bytes))
        server.scrape()  # whatever a first answer needs is there
        return server

    def open(self, server, count, sent=b""):
        connections = []
        for _ in range(count):
            connection = self.opened.enter_context(server.connect())
            with contextlib.suppress(OSError):
                connection.sendall(sent)
            connections.append(connection)
        return connections

    def check_scrape(self, server):
        status, _, body, seconds = server.scrape()
        self.assertEqual(status, 200)
        self.assertGreater(len(body), 1000)
        self.assertLess(seconds, DEADLINE)
        self.say(f"scrape {seconds:.3f} s")

    def check_end(self, server):
        seconds, code = server.end()
        self.assertEqual(code, 0)
        self.assertLess(seconds, DEADLINE)
        self.say(f"end {seconds:.3f} s")

    def check_memory(self, server, idle):
        more = server.resident_mib("VmHWM") - idle
        self.say(f"{more:.1f} MiB more")
        self.assertLess(more, MEMORY_MIB)

    def say(self, figure):
        print(f"{self.id().rpartition('.')[2]}: {figure}", flush=True)

    def test_endless_input(self):
        for name, (first, again) in ENDLESS.items():
            with self.subTest(name):
                server = self.serve()
                idle = server.resident_mib()
                with server.connect() as connection:
                    connection.sendall(first)
                    send_until_closed(connection, again, 2)
                    self.check_scrape(server)
                self.check_memory(server, idle)
                self.check_end(server)

    def test_requests(self):
        server = self.serve()
        for name, (request, status) in REQUESTS.items():
            with self.subTest(name), server.connect() as connection:
                connection.sendall(request)
                self.assertEqual(connection.recv(65536).split(b"\r\n")[0], status)

    def test_encodings(self):
        server = self.serve(LARGE)
        plain = server.scrape()[2]
        for accepted, coding in (("gzip", "gzip"), ("br, gzip;q=0.5", "gzip"), ("br", None),
                                 ("gzip;q=0", None), ("*", None), ("identity", None)):
            with self.subTest(accepted):
                _, headers, body, _ = server.scrape(**{"Accept-Encoding": accepted})
                self.assertEqual(headers["Content-Encoding"], coding)
                self.assertEqual(gzip.decompress(body) if coding else body, plain)

    def test_pipeline(self):
        """Every answer comes, in order, on one connection."""
        server = self.serve()
        with server.connect() as connection:
            connection.sendall((GET + b"\r\n") * 20 + GET + b"Connection: close\r\n\r\n")
            answers = b""
            while more := connection.recv(1 << 20):
                answers += more
        self.assertEqual(answers.count(b"HTTP/1.1 200 OK\r\n"), 21)

    def test_crowds(self):
        """1,000 who say nothing, 200 who drip bytes, 50 who ask and do not read."""
        server = self.serve()
        idle = server.resident_mib()
        self.open(server, 1000)
        dripping = self.open(server, 200, GET)
        stop = threading.Event()
        self.addCleanup(stop.set)

        def drip():
            while not stop.wait(0.1):
                for connection in dripping:
                    with contextlib.suppress(OSError):
                        connection.send(b"X")
        threading.Thread(target=drip, daemon=True).start()
        self.open(server, 50, GET + b"\r\n")
        for _ in range(5):
            self.check_scrape(server)
        self.check_memory(server, idle)
        self.check_end(server)

    def test_no_descriptor_is_left(self):
        """accept() fails for a while, and the endpoint is there again when it no longer does."""
        server = self.serve()
        pid = server.process.pid
        held = len(os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (held + 4, held + 4))
        for _ in range(2):
            waiting = self.open(server, 100)
            time.sleep(0.5)
            with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
                user, system = stat.read().rpartition(")")[2].split()[11:13]
            for connection in waiting:
                connection.close()
            self.check_scrape(server)
            self.say(f"CPU so far {(int(user) + int(system)) / os.sysconf('SC_CLK_TCK'):.2f} s")
        self.check_end(server)

    def test_large_pages_that_nobody_reads(self):
        server = self.serve(LARGE)
        idle = server.resident_mib()
        for _ in range(50):  # each gets a page of its own
            self.open(server, 1, GET + b"\r\n")
            time.sleep(0.05)
        self.check_memory(server, idle)
        status, _, body, seconds = server.scrape()
        self.assertEqual((status, len(body) >= LARGE), (200, True))
        self.assertLess(seconds, DEADLINE)
        self.say(f"scrape {seconds:.3f} s")
        self.check_memory(server, idle)
        self.check_end(server)

    def test_crowd_of_scrapers(self):
        """200 at once share renderings, and all are answered."""
        server = self.serve(LARGE)
        answers = []

        def scrape():
            answers.append(server.scrape(**{"Accept-Encoding": "gzip"})[0])
        scrapers = [threading.Thread(target=scrape) for _ in range(200)]
        for each in scrapers:
            each.start()
        for each in scrapers:
            each.join()
        self.assertEqual(answers, [200] * 200)

    def test_dripping_has_a_deadline(self):
        server = self.serve()
        with server.connect() as connection:
            connection.sendall(GET)
            began = time.monotonic()
            with contextlib.suppress(OSError):
                while time.monotonic() - began < 20:
                    connection.send(b"X")
                    time.sleep(0.1)
            self.assertLess(time.monotonic() - began, 15)


if __name__ == "__main__":
    unittest.main()
