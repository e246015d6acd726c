"""A network namespace for each data node, joined by a bridge, so that true partitions can be made.

Needs root, ``ip`` and ``iptables``. What is cut drops packets: nobody is told, as when a switch fails.
"""

import os
import shutil
import subprocess


def run(words):
    subprocess.run(words.split(), check=True, capture_output=True, text=True)


def why_not():
    """Why namespaces cannot be made here; None if they can."""
    for program in ("ip", "iptables"):
        if shutil.which(program) is None:
            return f"the program {program} is not installed"
    done = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"not permitted here: {done.stderr.strip()}"


class Network:
    """A bridge with the addresses ``10.77.<net>.1`` and so on of this namespace, and namespaces beside it.

    A context manager; at its end all is removed.
    """

    def __init__(self, net, *, own):
        self.net = net
        self.bridge = f"hsdsbr{os.getpid() % 100000}"
        self.own = own
        self.names = {}

    def __enter__(self):
        run(f"ip link add {self.bridge} type bridge")
        for number in self.own:
            run(f"ip addr add {self.address(number)}/24 dev {self.bridge}")
        run(f"ip link set {self.bridge} up")
        return self

    def __exit__(self, *_):
        for name in self.names.values():
            run(f"ip netns del {name}")
        run(f"ip link del {self.bridge}")

    def address(self, number):
        return f"10.77.{self.net}.{number}"

    def add(self, address):
        """A namespace with that address."""
        number = address.rpartition(".")[2]
        name, outer, inner = (f"hsds{os.getpid() % 10000}{kind}{number}" for kind in "noi")
        run(f"ip netns add {name}")
        self.names[address] = name
        run(f"ip link add {outer} type veth peer name {inner}")
        run(f"ip link set {outer} master {self.bridge} up")
        run(f"ip link set {inner} netns {name}")
        run(f"ip -n {name} addr add {address}/24 dev {inner}")
        run(f"ip -n {name} link set {inner} up")
        run(f"ip -n {name} link set lo up")

    def prefix(self, address):
        """What to put before a command that is to run there."""
        return ["ip", "netns", "exec", self.names[address]]

    def cut(self, address, others):
        """Nothing passes between that namespace and these addresses from now on."""
        self._rules("-A", address, others)

    def mend(self, address, others):
        self._rules("-D", address, others)

    def _rules(self, action, address, others):
        for other in others:
            run(f"ip netns exec {self.names[address]} iptables {action} OUTPUT -d {other} -j DROP")
            run(f"ip netns exec {self.names[address]} iptables {action} INPUT -s {other} -j DROP")
