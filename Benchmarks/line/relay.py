#!/usr/bin/env python3
"""A long line between two TUN devices: delay, loss, reordering and a cut, from a seed; every packet is written down.

usage: relay.py PLAN RECORD SEED DELAY_MS LOSS_PERCENT REORDER_PERCENT WATCHED_DEVICE
       relay.py --probe

The rate is the kernel's business (`tc tbf` on the sending devices). This is what netem would do beyond it, which not every
kernel has, with three differences that matter here: the seed makes a run's losses the same again, the cut comes at its
moment, and each packet is known. Packets that the near side hands over are also seen on WATCHED_DEVICE, before the
shaper holds any back, with the kernel's own time: what the sender does by itself.

A record is a line: seconds, where (offered, near, far), IP bytes, port of the sender, sequence number, bytes of data, flags,
length of the plain TLS handshake record that the data begins with (0 without one), fate. `near` and `far` are what came out
of the shaper of that side.
"""
import fcntl, heapq, json, os, random, select, socket, struct, sys, time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
SO_TIMESTAMPNS, ETH_P_IP = 35, 0x0800
HANDSHAKE = 22  # TLS's type of a record that is not yet encrypted
HELD_MS = 300  # by so much a packet falls behind those after it


def tun(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


def tap(device):
    """Sees what comes in on a device, without its link header."""
    watch = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
    watch.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    watch.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    watch.bind((device, ETH_P_IP))
    watch.setblocking(False)
    return watch


def described(packet):
    """Length, port, sequence number, bytes of data, flags and length of the handshake record of a TCP packet over IPv4; of
    others the length."""
    if len(packet) < 40 or packet[0] >> 4 != 4 or packet[9] != 6:
        return f"{len(packet)} 0 0 0 other 0"
    head = (packet[0] & 15) * 4
    port, _, sequence = struct.unpack_from("!HHI", packet, head)
    begin = head + (packet[head + 12] >> 4) * 4
    data = struct.unpack_from("!H", packet, 2)[0] - begin
    handshake = 5 + struct.unpack_from("!H", packet, begin + 3)[0] if data >= 5 and packet[begin] == HANDSHAKE else 0
    bits = packet[head + 13]
    flags = "".join(letter for bit, letter in ((2, "S"), (1, "F"), (4, "R"), (16, "A")) if bits & bit)
    return f"{len(packet)} {port} {sequence} {data} {flags or '-'} {handshake}"


class Line:
    def __init__(self, plan, record, seed, delay, loss, reorder):
        self.plan, self.cut = plan, None
        self.record = record
        self.delay, self.loss, self.reorder = delay / 1000, loss / 100, reorder / 100
        self.chances = {side: random.Random(f"{seed} {side}") for side in ("near", "far")}
        self.under_way = []
        self.count = 0

    def is_cut(self, now):
        """The plan comes when the nodes are up, which already takes packets."""
        if self.cut is None and os.path.exists(self.plan):
            with open(self.plan) as file:
                plan = json.load(file)
            self.cut = [plan["start"] + moment for moment in plan["cut"]]
        return self.cut is not None and self.cut[0] <= now < self.cut[1]

    def take(self, packet, side, to):
        """Decides a packet's fate. Both chances are drawn for each, so that a loss does not shift those that follow."""
        now, chance = time.monotonic(), self.chances[side]
        is_lost, is_held = chance.random() < self.loss, chance.random() < self.reorder
        fate = "cut" if self.is_cut(now) else "lost" if is_lost else "held" if is_held else "-"
        self.record.write(f"{now:.6f} {side} {described(packet)} {fate}\n")
        if fate in ("cut", "lost"):
            return
        self.count += 1
        due = now + self.delay + (HELD_MS / 1000 if is_held else 0)
        heapq.heappush(self.under_way, (due, self.count, to, packet))

    def deliver(self):
        """Lets go what has come through; what is on the line when it is cut is gone.

        Returns how long nothing more is due."""
        while self.under_way and self.under_way[0][0] <= time.monotonic():
            _, _, to, packet = heapq.heappop(self.under_way)
            if not self.is_cut(time.monotonic()):
                try:
                    os.write(to, packet)
                except OSError:
                    pass  # the other side is being taken down
        return max(0, self.under_way[0][0] - time.monotonic()) if self.under_way else 1


def packets(device):
    while True:
        try:
            yield os.read(device, 65536)
        except BlockingIOError:
            return


def offered(watch, ahead):
    """What the sender handed over, with the kernel's time as a monotonic one."""
    while True:
        try:
            packet, ancillary, _, address = watch.recvmsg(65536, 64)
        except BlockingIOError:
            return
        if address[2] == socket.PACKET_OUTGOING:
            continue
        seconds, nanoseconds = struct.unpack("qq", ancillary[0][2][:16])
        yield seconds + nanoseconds / 1e9 - ahead, packet


def main():
    if sys.argv[1:] == ["--probe"]:
        return os.close(tun("probe"))
    plan, record_path, seed, delay, loss, reorder, watched = sys.argv[1:]
    near, far, watch = tun("near"), tun("far"), tap(watched)
    ahead = time.time() - time.monotonic()
    with open(record_path, "w", buffering=1) as record:
        line = Line(plan, record, seed, float(delay), float(loss), float(reorder))
        while True:
            pause = line.deliver()
            ready = select.select([near, far, watch], [], [], pause)[0]
            if watch in ready:
                for moment, packet in offered(watch, ahead):
                    record.write(f"{moment:.6f} offered {described(packet)} -\n")
            for device, side, to in ((near, "near", far), (far, "far", near)):
                if device in ready:
                    for packet in packets(device):
                        line.take(packet, side, to)


main()
