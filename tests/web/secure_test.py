#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The endpoint behind TLS, client certificates and passwords, as curl and Prometheus see it.

  secure_test.py        the server is named by $LUNSCOPE_ENDPOINT_SERVER
"""

import base64
import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request
from pathlib import Path

SERVER = os.environ["LUNSCOPE_ENDPOINT_SERVER"]
PAGE_BYTES = 20_000
PASSWORD = "corr3ct:horse"
DEADLINE = 120.0  # far above what anything here takes


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def bcrypt(password, cost=5):
    crypt = ctypes.CDLL("libcrypt.so.1").crypt
    crypt.restype = ctypes.c_char_p
    salt = base64.b64encode(os.urandom(24)).decode().replace("+", ".")[:21] + "u"
    return crypt(password.encode(), f"$2y${cost:02}${salt}".encode()).decode()


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def curl(server):
    """The beginning of a command line. A resolver may ask a name server for addresses of localhost."""
    return ["curl", "--silent", "--max-time", "20", "--resolve", f"localhost:{server.port}:127.0.0.1"]


class Authority:
    """A CA in a folder, and certificates by it."""

    def __init__(self, folder, name="ca"):
        self.folder, self.name = Path(folder), name
        openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                "-out", f"{name}.pem", "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign")

    def sign(self, name, sans, purpose):
        openssl(self.folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={sans}\nextendedKeyUsage={purpose}\n"
                              "keyUsage=digitalSignature\n", encoding="ascii")
        openssl(self.folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{self.name}.pem", "-CAkey",
                f"{self.name}.key", "-CAcreateserial", "-days", "2", "-extfile", extensions.name,
                "-out", f"{name}.pem")


class Server:
    """The server's process with a web configuration, while it is entered."""

    def __init__(self, folder, config, *more_addresses):
        self.folder, self.port = Path(folder), free_port()
        self.file = self.folder / "web.yml"
        self.file.write_text(config, encoding="utf-8")
        self.words = [SERVER, str(PAGE_BYTES), str(self.file), f"127.0.0.1:{self.port}",
                      *more_addresses]
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(self.words, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()

    def reload(self, config):
        """The server's answer to a new configuration."""
        self.file.write_text(config, encoding="utf-8")
        self.process.send_signal(signal.SIGHUP)
        return self.process.stdout.readline().strip()


TLS = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n"
VERIFY = TLS + "  client_ca_file: ca.pem\n  client_auth_type: RequireAndVerifyClientCert\n"


class Secure(unittest.TestCase):

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.authority = Authority(self.folder)
        self.authority.sign("server", "DNS:localhost,IP:127.0.0.1", "serverAuth")

    def serve(self, config, *more_addresses):
        return self.enterContext(Server(self.folder, config, *more_addresses))

    def curl(self, server, *words, scheme="https", page="/metrics"):
        """(exit code, status, bytes, protocol) of one request."""
        done = subprocess.run(
            [*curl(server), "--output", "body", "--write-out", "%{http_code} %{size_download}", *words,
             f"{scheme}://localhost:{server.port}{page}"],
            cwd=self.folder, capture_output=True, text=True, check=False, timeout=DEADLINE)
        status, size = done.stdout.split()
        return done.returncode, int(status), int(size)

    def check_answered(self, server, *words, **url):
        code, status, size = self.curl(server, *words, **url)
        self.assertEqual((code, status), (0, 200))
        self.assertGreaterEqual(size, PAGE_BYTES)

    def check_status(self, expected, server, *words, **url):
        self.assertEqual(self.curl(server, *words, **url)[:2], (0, expected), words)

    def check_cut(self, server, *words, **url):
        """The handshake fails, and no byte of a page comes."""
        code, status, size = self.curl(server, *words, **url)
        self.assertNotEqual(code, 0, words)
        self.assertEqual((status, size), (0, 0), words)

    def test_versions(self):
        ca = ("--cacert", "ca.pem")
        for config, works, fails in (("", ("--tlsv1.3", "--tls-max", "1.3"), ("--tls-max", "1.1")),
                                     ("", ("--tlsv1.2", "--tls-max", "1.2"), ("--tls-max", "1.0")),
                                     ("  min_version: TLS13\n", ("--tlsv1.3",), ("--tls-max", "1.2")),
                                     ("  max_version: TLS12\n", ("--tls-max", "1.2"), ("--tlsv1.3",)),
                                     ("  curve_preferences: [CurveP384]\n", ("--curves", "P-384"),
                                      ("--curves", "X25519"))):
            with self.subTest(config, works=works):
                server = self.serve(TLS + config)
                self.check_answered(server, *ca, *works)
                self.check_cut(server, *ca, *fails)
                self.check_cut(server)  # curl does not know this CA
                self.assertEqual(self.curl(server, scheme="http")[1], 0)

    def test_client_certificates(self):
        self.authority.sign("good", "DNS:prometheus.example,IP:192.0.2.9", "clientAuth")
        self.authority.sign("not-for-clients", "DNS:prometheus.example", "serverAuth")
        Authority(self.folder, "other").sign("foreign", "DNS:prometheus.example", "clientAuth")

        def shown(name):
            return "--cacert", "ca.pem", "--cert", f"{name}.pem", "--key", f"{name}.key"
        nothing = ("--cacert", "ca.pem")
        for versions in (("--tlsv1.3",), ("--tls-max", "1.2")):
            server = self.serve(VERIFY)
            self.check_answered(server, *versions, *shown("good"))
            for wrong in (nothing, shown("foreign"), shown("not-for-clients")):
                with self.subTest(wrong, versions=versions):
                    self.check_cut(server, *versions, *wrong)
        server = self.serve(VERIFY.replace("RequireAndVerify", "VerifyIfGiven")
                            .replace("VerifyIfGivenClientCert", "VerifyClientCertIfGiven"))
        self.check_answered(server, *nothing)
        self.check_answered(server, *shown("good"))
        self.check_cut(server, *shown("foreign"))
        server = self.serve(TLS + "  client_auth_type: RequireAnyClientCert\n")
        self.check_answered(server, *shown("foreign"))
        self.check_cut(server, *nothing)
        for names, status in ("prometheus.example", 200), ("192.0.2.9", 200), ("other.example", 403):
            with self.subTest(names):
                server = self.serve(VERIFY + f"  client_allowed_sans: [{names}]\n")
                self.check_status(status, server, *shown("good"))

    def test_passwords(self):
        users = f"basic_auth_users:\n  alice: {bcrypt(PASSWORD)}\n"
        for scheme, config in (("http", users), ("https", TLS + users)):
            server = self.serve(config)
            ca = ("--cacert", "ca.pem")
            for page in "/metrics", "/events", "/", "/-/healthy", "/nothing":
                for words, status in (((), 401), (("--user", "alice:wrong"), 401),
                                      (("--user", "bob:" + PASSWORD), 401),
                                      (("--user", "alice:"), 401),
                                      (("--header", "Authorization: Basic !!!"), 401),
                                      (("--header", "Authorization: Bearer " + PASSWORD), 401),
                                      (("--user", "alice:" + PASSWORD),
                                       404 if page == "/nothing" else 200)):
                    with self.subTest(words, scheme=scheme, page=page):
                        self.check_status(status, server, *ca, *words, scheme=scheme, page=page)

    def test_headers_and_rate_limit(self):
        server = self.serve("http_server_config:\n  headers:\n    X-Frame-Options: deny\n"
                            "rate_limit:\n  interval: 1h\n  burst: 3\n")
        answers = []
        for _ in range(5):
            request = urllib.request.Request(f"http://127.0.0.1:{server.port}/metrics")
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:
                    answers.append((answer.status, answer.headers["X-Frame-Options"]))
            except urllib.error.HTTPError as refused:
                answers.append((refused.code, refused.headers["X-Frame-Options"]))
        self.assertEqual(answers, [(200, "deny")] * 3 + [(429, "deny")] * 2)

    def test_headers_are_in_every_answer(self):
        server = self.serve("http_server_config:\n  headers:\n    X-Frame-Options: deny\n"
                            f"basic_auth_users:\n  alice: {bcrypt(PASSWORD)}\n")
        password = ("--user", "alice:" + PASSWORD)
        for status, page, words in ((200, "/metrics", password), (200, "/", password),
                                    (200, "/-/healthy", password), (404, "/nothing", password),
                                    (200, "/events", password), (401, "/events", ()),
                                    (401, "/metrics", ()),
                                    (405, "/metrics", (*password, "--request", "DELETE")),
                                    (413, "/metrics", (*password, "--request", "GET",
                                                       "--data", "a=b")),
                                    (421, "/metrics", (*password, "--header", "Host: elsewhere"))):
            with self.subTest(status=status, page=page):
                said = subprocess.run(
                    ["curl", "--silent", "--max-time", str(DEADLINE), "--dump-header", "-", *words,
                     "--output", "/dev/null", f"http://127.0.0.1:{server.port}{page}"],
                    capture_output=True, text=True, check=True, timeout=2 * DEADLINE).stdout
                self.assertIn(f" {status} ", said.splitlines()[0])
                self.assertIn("X-Frame-Options: deny", said)

    def test_unix_socket(self):
        """Neither TLS nor a password, but the mode of its file; it goes at the end, and a stale one does
        not prevent the start."""
        path = self.folder / "web.sock"
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as stale:
            stale.bind(str(path))
        users = f"basic_auth_users:\n  alice: {bcrypt(PASSWORD)}\n"
        with Server(self.folder, TLS + users, f"unix:{path}") as server:
            self.check_answered(server, "--unix-socket", str(path), scheme="http")
            self.check_status(401, server, "--cacert", "ca.pem")
            status = path.stat()
            self.assertEqual((stat.S_ISSOCK(status.st_mode), stat.S_IMODE(status.st_mode)), (True, 0o660))
            second = subprocess.run([SERVER, "1", "", f"unix:{path}"], capture_output=True, text=True,
                                    check=False, timeout=DEADLINE)
            self.assertEqual(second.returncode, 1)
            self.assertIn("Address already in use", second.stderr)
            self.check_answered(server, "--unix-socket", str(path), scheme="http")
        self.assertFalse(path.exists())

    def test_unix_socket_is_not_made_of_another_file(self):
        path = self.folder / "file"
        path.write_text("of somebody", encoding="ascii")
        done = subprocess.run([SERVER, "1", "", f"unix:{path}"], capture_output=True, text=True,
                              check=False, timeout=DEADLINE)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(path.read_text(encoding="ascii"), "of somebody")

    def test_wrong_files(self):
        self.authority.sign("another", "DNS:localhost", "serverAuth")
        (self.folder / "text.pem").write_text("no certificate", encoding="ascii")
        for config, reason in (
                ("tls_server_config:\n  cert_file: server.pem\n  key_file: another.key\n",
                 "web.yml:3: the key does not fit the certificate"),
                ("tls_server_config:\n  cert_file: text.pem\n  key_file: server.key\n",
                 "web.yml:2: the certificate is not readable as PEM"),
                ("tls_server_config:\n  cert_file: server.pem\n  key_file: server.pem\n",
                 "web.yml:3: the key is not readable as PEM"),
                (VERIFY.replace("ca.pem", "text.pem"), "web.yml:4: the client CA is not readable"),
                (VERIFY.replace("ca.pem", "absent.pem"), "web.yml:4: cannot read "),
                ("tls: {}\n", "web.yml:1: the key tls is not known here")):
            with self.subTest(config):
                file = self.folder / "web.yml"
                file.write_text(config, encoding="ascii")
                done = subprocess.run([SERVER, "1", str(file), f"127.0.0.1:{free_port()}"],
                                      capture_output=True, text=True, check=False, timeout=DEADLINE)
                self.assertEqual(done.returncode, 2)
                self.assertIn(reason, done.stderr)

    def test_reload_under_load(self):
        """Every scrape is answered while certificates and passwords change; a wrong file changes nothing."""
        users = f"basic_auth_users:\n  alice: {bcrypt(PASSWORD)}\n"
        server = self.serve(TLS + users)
        words = ("--cacert", "ca.pem", "--user", "alice:" + PASSWORD)
        answers, stop = [], threading.Event()

        def scrape(name):
            while not stop.is_set():
                answers.append(subprocess.run(
                    [*curl(server), "--output", "/dev/null", "--write-out", "%{http_code}", *words,
                     f"https://localhost:{server.port}/{name}"],
                    cwd=self.folder, capture_output=True, text=True, check=False).stdout)
        scrapers = [threading.Thread(target=scrape, args=("metrics",)) for _ in range(4)]
        for each in scrapers:
            each.start()
        shown = set()
        for i in range(10):
            self.authority.sign("server", "DNS:localhost", "serverAuth")
            self.assertEqual(server.reload(TLS + users + f"# {i}\n"), "reloaded")
            shown.add(self.serial_of(server))
            self.assertIn("web.yml:1: ", server.reload("nothing: {}\n"))
            self.assertIn("with a restart only", server.reload(users))
        self.assertEqual(server.reload(TLS + f"basic_auth_users:\n  bob: {bcrypt('new')}\n"), "reloaded")
        stop.set()
        for each in scrapers:
            each.join()
        self.assertEqual(len(shown), 10)
        self.assertGreater(answers.count("200"), 20)
        # From the last change on, alice is nobody.
        self.assertEqual(answers.count("200") + answers.count("401"), len(answers), answers)
        self.check_status(401, server, *words)
        self.check_status(200, server, "--cacert", "ca.pem", "--user", "bob:new")

    def serial_of(self, server):
        shown = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}"], input=b"",
                               capture_output=True, check=False).stdout
        return subprocess.run(["openssl", "x509", "-noout", "-serial"], input=shown, capture_output=True,
                              check=True).stdout

    def test_guesses_do_not_hold_up_a_scraper(self):
        """Each guess takes a thread 0.1 s. A scraper that is known has its page before the guesses are
        through."""
        server = self.serve(f"basic_auth_users:\n  alice: {bcrypt(PASSWORD, 12)}\n")
        self.ask(server, PASSWORD).recv(1 << 20)
        guesses = [self.ask(server, str(i)) for i in range(200)]
        began = time.monotonic()
        for _ in range(3):
            self.assertIn(b"200 OK", self.ask(server, PASSWORD).recv(1 << 20))
        print(f"3 scrapes beside 200 guesses: {time.monotonic() - began:.3f} s", flush=True)
        waiting, _, _ = select.select(guesses, [], [], 0)
        self.assertLess(len(waiting), len(guesses), "guesses still wait")

    def ask(self, server, password):
        """The connection on which alice asks for the page."""
        connection = self.enterContext(socket.create_connection(("127.0.0.1", server.port), DEADLINE))
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic "
                           + base64.b64encode(f"alice:{password}".encode()) + b"\r\n\r\n")
        return connection

    def test_half_handshakes(self):
        """Clients that begin a handshake and stop, or send what is no TLS, hold up nobody."""
        server = self.serve(TLS)
        with contextlib.ExitStack() as clients:
            for sent in (b"", b"\x16\x03\x01\x02", b"GET /metrics HTTP/1.1\r\n", os.urandom(4096)):
                for _ in range(200):
                    connection = clients.enter_context(
                        socket.create_connection(("127.0.0.1", server.port), 10))
                    with contextlib.suppress(OSError):
                        connection.sendall(sent)
            began = time.monotonic()
            self.check_answered(server, "--cacert", "ca.pem")
            print(f"scrape beside 800 half handshakes: {time.monotonic() - began:.3f} s", flush=True)

    def test_prometheus_scrapes(self):
        """A real Prometheus, with TLS, a client certificate and a password."""
        self.authority.sign("client", "DNS:prometheus.example", "clientAuth")
        users = f"basic_auth_users:\n  alice: {bcrypt(PASSWORD)}\n"
        server = self.serve(VERIFY + "  min_version: TLS13\n" + users)
        port = free_port()
        (self.folder / "prometheus.yml").write_text(json.dumps({"scrape_configs": [{
            "job_name": "lunscope", "scheme": "https", "scrape_interval": "1s",
            "tls_config": {"ca_file": "ca.pem", "cert_file": "client.pem", "key_file": "client.key"},
            "basic_auth": {"username": "alice", "password": PASSWORD},
            "static_configs": [{"targets": [f"localhost:{server.port}"]}]}]}), encoding="ascii")
        process = subprocess.Popen(
            [shutil.which("prometheus"), "--config.file=prometheus.yml", "--storage.tsdb.path=tsdb",
             f"--web.listen-address=127.0.0.1:{port}"], cwd=self.folder, stderr=subprocess.DEVNULL)
        try:
            until = time.monotonic() + DEADLINE
            health = []
            while health != ["up"] and time.monotonic() < until:
                time.sleep(0.5)
                with contextlib.suppress(OSError), urllib.request.urlopen(
                        f"http://127.0.0.1:{port}/api/v1/targets", timeout=5) as answer:
                    health = [each["health"] for each in json.load(answer)["data"]["activeTargets"]]
            self.assertEqual(health, ["up"])
        finally:
            process.terminate()
            process.wait(20)


if __name__ == "__main__":
    unittest.main()
