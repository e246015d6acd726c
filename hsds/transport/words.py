"""What nodes tell one another beside operations: words of data nodes, and views, as JSON over HTTP."""

from __future__ import annotations

from typing import Any, Final

from hsds.cluster.agent import Peers
from hsds.cluster.membership import Word
from hsds.cluster.view import Member, View
from hsds.errors import InvalidInput, NotReachable
from hsds.transport.remote import Connections

WORD: Final = "/word"
VIEW: Final = "/view"
INFO: Final = "/info"
PING: Final = "/ping"

Json = dict[str, Any]


def word_to_json(word: Word) -> Json:
    """A word as sent."""
    return {
        "uid": word.uid,
        "view": None if word.view is None else word.view.to_json(),
        "released": word.released,
    }


def word_from_json(json: Any) -> Word:
    """A word as received. Raises ``InvalidInput``."""
    try:
        view = None if json["view"] is None else View.from_json(json["view"])
        return Word(str(json["uid"]), view, int(json["released"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"not a word of a data node: {error!r}") from error


class HttpPeers(Peers):
    """Peers over the connections of a node. Service nodes learn views by ``newer_view``."""

    def __init__(self, connections: Connections, *, timeout: float = 2.0) -> None:
        self._connections = connections
        self._timeout = timeout

    async def exchange(self, member: Member, word: Word) -> Word:
        node = self._connections.node(member.address, member.port)
        json = await node.ask_json("POST", WORD, body=word_to_json(word), within=self._timeout)
        try:
            answer = word_from_json(json)
        except InvalidInput as error:
            raise NotReachable(f"the data node {node.name} does not answer as one: {error}") from error
        if answer.uid != member.uid:
            raise NotReachable(f"at {node.name} there is another data node now")
        return answer


async def newer_view(
    connections: Connections, member: Member, *, after: int, wait: float, within: float
) -> View | None:
    """The view that a data node knows, if it is newer than ``after`` or becomes so in ``wait`` seconds.

    The data node answers at once when it learns of one: this is how views are pushed to service nodes, of
    which data nodes keep no list. Raises ``NotReachable``.
    """
    node = connections.node(member.address, member.port)
    json = await node.ask_json("GET", f"{VIEW}?after={after}&wait={wait:g}", within=wait + within)
    try:
        return None if json is None else View.from_json(json)
    except InvalidInput as error:
        raise NotReachable(f"the data node {node.name} does not answer as one: {error}") from error


async def ping(connections: Connections, member: Member, me: Json, *, within: float) -> Json:
    """Tell a data node who asks, and hear what it says of itself. Raises ``NotReachable``."""
    node = connections.node(member.address, member.port)
    json = await node.ask_json("POST", PING, body=me, within=within)
    if not isinstance(json, dict):
        raise NotReachable(f"the data node {node.name} does not answer as one")
    return json
