"""Between the members and their relay: lets frames through until told not to.

A frame is u32 length and that many bytes (docs/protocol.md, Session), so what
a client sends can be counted without understanding it: the handshake is frame
1, the first request frame 2.
"""
import socket
import struct
import threading


def read_exactly(source, n):
    data = b""
    while len(data) < n:
        more = source.recv(n - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data


def close(*sockets):
    for s in sockets:
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        s.close()


class Proxy:
    """Listens at .url; cut_after(n) breaks the next connection off when the
    relay has got n frames, before it can answer the last one's sender.
    hold_before(n) lets the next connection send frame n only after release();
    .held is set once it is there. strike_after(n, f) calls f when the relay has
    got n frames of the next connection. .frames counts what clients sent,
    .connections how often one came, .sent the bytes of what they
    sent."""

    def __init__(self, relay_port):
        self.relay_port, self.limit, self.strike = relay_port, None, None
        self.sent = 0
        self.hold, self.held, self.released = None, threading.Event(), threading.Event()
        self.frames = self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, frames):
        """None: never."""
        self.limit = frames

    def hold_before(self, frame):
        self.held.clear()
        self.released.clear()
        self.hold = frame

    def strike_after(self, frames, call):
        self.strike = (frames, call)

    def release(self):
        self.released.set()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        self.connections += 1
        try:
            relay = socket.create_connection(("127.0.0.1", self.relay_port))
        except OSError:
            return close(client)
        for end in (client, relay):  # an answer does not wait for the next
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        allowed, lost = threading.Event(), threading.Event()
        allowed.set()
        back = threading.Thread(target=self._back, args=(relay, client, allowed, lost),
                                daemon=True)
        back.start()
        try:
            self._forward(client, relay, allowed, lost)
        except OSError:
            pass
        close(client, relay)

    def _forward(self, client, relay, allowed, lost):
        limit, frames = self.limit, 0
        hold, self.hold = self.hold, None
        strike, self.strike = self.strike or (None, None), None
        while limit is None or frames < limit:
            head = read_exactly(client, 4)
            body = read_exactly(client, struct.unpack(">I", head)[0])
            frames += 1
            self.frames += 1
            self.sent += 4 + len(body)
            if frames == hold:
                self.held.set()
                self.released.wait(60)
            if frames == limit:
                allowed.clear()  # the answer is lost on its way
            relay.sendall(head + body)
            if frames == strike[0]:
                strike[1]()
        # The relay gets time to do what it was asked.
        relay.settimeout(0.5)
        lost.wait(0.5)

    def _back(self, relay, client, allowed, lost):
        try:
            while data := relay.recv(65536):
                if allowed.is_set():
                    client.sendall(data)
                else:
                    lost.set()
        except OSError:
            pass
        close(client)
