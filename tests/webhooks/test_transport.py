"""One try over a real socket: verified, bounded in time and size, and following nothing."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from webapp.webhooks import Came, Network, Request

PUBLIC = "93.184.216.34"
HOST = "hooks.example"
Talk = Callable[[ssl.SSLSocket], None]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for the host, signed by itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("keys") / "both.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(
        made.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


class Receiver:
    """A TLS server on the loopback that talks once as it is told."""

    def __init__(self, keys: Path, talk: Talk) -> None:
        self.keys, self.talk = keys, talk
        self.asked, self.named = b"", ""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.keys)
        context.sni_callback = self._note_name
        try:
            plain, _address = self._listening.accept()
            with context.wrap_socket(plain, server_side=True) as connection:
                connection.settimeout(5)
                while b"\r\n\r\n" not in self.asked:
                    self.asked += connection.recv(65536)
                self.talk(connection)
        except OSError:
            return

    def _note_name(self, _socket: object, name: str | None, _context: object) -> None:
        self.named = name or ""

    def close(self) -> None:
        """Stop listening and wait for the talk to end."""
        self._listening.close()
        self._thread.join(10)


@contextmanager
def receiver(keys: Path, talk: Talk) -> Iterator[Receiver]:
    """Run a receiver."""
    running = Receiver(keys, talk)
    try:
        yield running
    finally:
        running.close()


def says(text: bytes) -> Talk:
    """Return a talk that says one thing."""
    return lambda connection: connection.sendall(text)


def posted(
    keys: Path, talk: Talk, *, host: str = HOST, seconds: float = 5.0
) -> tuple[Came, Receiver]:
    """Post once to a receiver that talks so, through the product's own transport."""
    with receiver(keys, talk) as running:
        network = Network(
            resolve=lambda _host, _port: [PUBLIC],
            connect=lambda _address, wait: socket.create_connection(
                ("127.0.0.1", running.port), timeout=wait
            ),
            tls=ssl.create_default_context(cafile=str(keys)),
            total_seconds=seconds,
        )
        headers = {"Content-Type": "application/json"}
        came = network.post(Request(f"https://{host}/in?a=b", headers, b'{"id":1}'))
    return came, running


def test_it_speaks_tls_for_the_name_to_the_address_that_was_checked(keys: Path) -> None:
    came, running = posted(keys, says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    assert (came.status, came.body, came.address, came.error) == (200, "ok", PUBLIC, None)
    head = running.asked.decode()
    assert head.startswith(f"POST /in?a=b HTTP/1.1\r\nHost: {HOST}\r\n")
    assert "Content-Length: 8" in head
    assert running.named == HOST


def test_a_certificate_of_another_name_is_refused(keys: Path) -> None:
    came, running = posted(keys, says(b""), host="other.example")
    assert came.status is None
    assert str(came.error).startswith("TLS failed")
    assert running.asked == b"", "nothing was told to a stranger"


def test_a_certificate_that_nobody_vouches_for_is_refused(keys: Path) -> None:
    with receiver(keys, says(b"")) as running:
        network = Network(
            resolve=lambda _host, _port: [PUBLIC],
            connect=lambda _address, wait: socket.create_connection(
                ("127.0.0.1", running.port), timeout=wait
            ),
        )
        came = network.post(Request(f"https://{HOST}/", {}, b"secret"))
    assert str(came.error).startswith("TLS failed")
    assert running.asked == b""


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(keys: Path, status: int) -> None:
    answer = f"HTTP/1.1 {status} Over there\r\nLocation: https://169.254.169.254/\r\n\r\n"
    came, _running = posted(keys, says(answer.encode()))
    assert came.status == status
    assert came.error == f"webhook delivery failed: status {status}"


def test_a_receiver_that_never_answers_is_given_up_in_time(keys: Path) -> None:
    over = threading.Event()
    came, _running = posted(keys, lambda _connection: over.set() or None, seconds=0.5)  # type: ignore[func-returns-value]
    assert came.status is None
    assert came.error in {"no answer in time", "connection failed: RemoteDisconnected"}


def test_a_receiver_that_drips_is_given_up_in_time(keys: Path) -> None:
    stop = threading.Event()

    def drip(connection: ssl.SSLSocket) -> None:
        while not stop.wait(0.05):
            try:
                connection.sendall(b"H")
            except OSError:
                return

    came, _running = posted(keys, drip, seconds=0.5)
    stop.set()
    assert (came.status, came.error) == (None, "no answer in time")
    assert came.seconds < 5


def test_a_body_that_never_ends_is_read_up_to_64_kb_and_16_are_kept(keys: Path) -> None:
    sent = [0]

    def flood(connection: ssl.SSLSocket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while sent[0] < 64 * 1024 * 1024:
                connection.sendall(b"x" * 65536)
                sent[0] += 65536
        except OSError:
            return

    came, _running = posted(keys, flood)
    assert (came.status, came.error, len(came.body), came.is_cut) == (200, None, 16 * 1024, True)
    assert sent[0] < 32 * 1024 * 1024, "the connection was closed on it"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 " + b"x" * 100_000,
    ],
)
def test_what_is_no_answer_is_a_failure_and_never_raises(keys: Path, answer: bytes) -> None:
    came, _running = posted(keys, says(answer))
    assert came.status is None
    assert str(came.error).startswith("connection failed")


def test_a_body_that_breaks_off_does_not_unsay_the_status(keys: Path) -> None:
    broken = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    came, _running = posted(keys, says(broken))
    assert (came.status, came.error) == (200, None)


def test_what_comes_back_can_be_kept(keys: Path) -> None:
    odd = b"HTTP/1.1 200 OK\r\nX-Odd: \xff\xfe\r\nContent-Length: 4\r\n\r\n\x00\xff\xfeA"
    came, _running = posted(keys, says(odd))
    assert "\x00" not in came.body
    assert came.body.endswith("A")
