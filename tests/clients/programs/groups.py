"""Groups and links: nesting, iteration, order, deletion, soft and external links."""

from __future__ import annotations

import h5pyd
from checks import OLD, Box, check, equal, main, not_offered_by_new, raises

ODD = ["with blank", "ünïcode ✓", "br{ac}es", "quote'\"", "a&b=c", "semi;colon:comma,", "back\\slash"]
if not OLD:  # which puts titles into URLs as they are
    ODD += ["per%20cent", "hash#mark", "what?"]


@check
def nested_groups(box: Box) -> None:
    with box.open("w") as f:
        f.create_group("a/b/c")
        f["a"].create_group("d").create_group("e")
        f.require_group("a/b")
        f.require_group("x/y")
        raises(ValueError, lambda: f.create_group("a/b"))
    with box.open("r") as f:
        equal(sorted(f), ["a", "x"])
        equal(sorted(f["a"]), ["b", "d"])
        equal(f["a/b/c"].name, "/a/b/c")
        equal(f["/a/d/e"].parent.name, "/a/d")
        assert "a/b/c" in f
        assert "a/b/q" not in f
        assert f.get("nothing") is None
        raises(KeyError, lambda: f["a/nothing"])
        equal(f["a/b"].id.id, f["a"]["b"].id.id)


@check
def odd_names(box: Box) -> None:
    with box.open("w") as f:
        for name in ODD:
            f.create_group(name).attrs["name"] = name
            f[name].create_dataset(name, data=name)
    with box.open("r") as f:
        equal(sorted(f), sorted(ODD))
        for name in ODD:
            equal(f[name].attrs["name"], name)
            value = f[name][name][()]
            equal(value.decode() if isinstance(value, bytes) else value, name)


@check
def order_by_name_and_by_creation(box: Box) -> None:
    names = ["zebra", "apple", "mango", "b10", "b9"]
    with box.open("w") as f:
        plain = f.create_group("plain")
        tracked = f.create_group("tracked", track_order=True)
        for name in names:
            plain.create_group(name)
            tracked.create_group(name)
    with box.open("r") as f:
        equal(list(f["plain"]), sorted(names))
        equal(list(f["tracked"]), names)
        equal(list(reversed(f["tracked"])), names[::-1])
        equal([name for name, _ in f["tracked"].items()], names)


@check
def track_order_of_the_root(box: Box) -> None:
    names = ["c", "a", "b"]
    with box.open("w", track_order=True) as f:
        for name in names:
            f.create_group(name)
    with box.open("r") as f:
        equal(list(f), names)


@check
def deleting_links(box: Box) -> None:
    with box.open("w") as f:
        for name in ("keep", "gone", "gone2"):
            f.create_group(name)
        f.create_dataset("keep/d", data=[1])
        f.flush()  # what was opened with the file, the new client never deletes
        del f["gone"]
        del f["keep"]["d"]
        assert "gone" not in f
    with box.open("a") as f:
        equal(sorted(f), ["gone2", "keep"])
        equal(len(f["keep"]), 0)
        f.create_group("gone")  # the title is free again
        if not OLD:  # which believes the server's 200 for a link that is gone
            raises(KeyError, lambda: f.__delitem__("never"))
    with box.open("r") as f:
        equal(sorted(f), ["gone", "gone2", "keep"])


@check
def hard_links_name_one_object(box: Box) -> None:
    with box.open("w") as f:
        f.create_dataset("g/d", data=[1, 2, 3])
        f["alias"] = f["g/d"]
        f["again"] = f["g"]
    with box.open("a") as f:
        equal(f["alias"].id.id, f["g/d"].id.id)
        equal(f["again/d"][:].tolist(), [1, 2, 3])
        f["alias"][0] = 9
        del f["g"]
    with box.open("r") as f:
        equal(f["alias"][:].tolist(), [9, 2, 3])
        equal(f["again/d"][:].tolist(), [9, 2, 3])


@check
def cycles(box: Box) -> None:
    with box.open("w") as f:
        b = f.create_group("a/b")
        b["up"] = f["a"]
        f["a/root"] = f["/"]
    with box.open("r") as f:
        equal(f["a/b/up/b/up"].id.id, f["a"].id.id)
        equal(f["a/root/a"].id.id, f["a"].id.id)


@check
def soft_links(box: Box) -> None:
    with box.open("w") as f:
        f.create_dataset("g/d", data=[4, 5])
        f["soft"] = h5pyd.SoftLink("/g/d")
        f["dangling"] = h5pyd.SoftLink("/not/there")
    with box.open("r") as f:
        equal(f["soft"][:].tolist(), [4, 5])
        link = f.get("soft", getlink=True)
        assert isinstance(link, h5pyd.SoftLink)
        equal(link.path, "/g/d")
        assert f.get("dangling", getlink=True).path == "/not/there"
        equal(f.get("soft", getlink=True, getclass=True), h5pyd.SoftLink)
        equal(f.get("g", getlink=True, getclass=True), h5pyd.HardLink)
        raises(Exception, lambda: f["dangling"])


@check
def external_links(box: Box) -> None:
    with box.open("w", "target.h5") as f:
        f.create_dataset("g/d", data=[6, 7])
    with box.open("w") as f:
        f["absolute"] = h5pyd.ExternalLink(box.path("target.h5"), "/g/d")
        f["missing"] = h5pyd.ExternalLink(box.path("none.h5"), "/g")
    with box.open("a") as f:
        f.create_group("later")  # the group is written again with links that it had
    with box.open("r") as f:
        link = f.get("absolute", getlink=True)
        equal((link.filename, link.path), (box.path("target.h5"), "/g/d"))
        equal(f["absolute"][:].tolist(), [6, 7])
        raises(Exception, lambda: f["missing"])
        assert "later" in f


@check
def visiting(box: Box) -> None:
    with box.open("w") as f:
        f.create_group("a/b")
        f.create_dataset("a/d", data=1)
        f["a/b/again"] = f["a/d"]
        f["soft"] = h5pyd.SoftLink("/a")
    with box.open("r") as f:
        seen: list[str] = []
        f.visit(lambda name: seen.append(name))  # noqa: PLW0108 - the clients look at its code
        equal(len(seen), 3)
        equal({name for name in seen if "d" not in name and "again" not in name}, {"a", "a/b"})
        kinds: dict[str, str] = {}
        f.visititems(lambda name, item: kinds.update({name: type(item).__name__}))
        equal(kinds["a"], "Group")
        assert "Dataset" in kinds.values()
        equal(f.visit(lambda name: name if name == "a/b" else None), "a/b")


@check
def a_thousand_links(box: Box) -> None:
    with box.open("w") as f:
        g = f.create_group("g")
        for n in range(1000 if not OLD else 120):
            g.create_group(f"sub{n:04}")
    with box.open("r") as f:
        expected = 1000 if not OLD else 120
        equal(len(f["g"]), expected)
        equal(list(f["g"])[-1], f"sub{expected - 1:04}")


@check
def values_items_and_class(box: Box) -> None:
    with box.open("w") as f:
        f.create_group("g")
        f.create_dataset("d", data=1.5)
    with box.open("r") as f:
        equal(sorted(f.keys()), ["d", "g"])
        equal({type(value).__name__ for value in f.values()}, {"Dataset", "Group"})
        equal(f.get("g", getclass=True).__name__, "Group")
        equal(f.get("d", getclass=True).__name__, "Dataset")


@check
def many_links_in_one_request(box: Box) -> None:
    not_offered_by_new("it sends every link of a flush in one request anyway")
    with box.open("w") as f:
        g = f.create_group("g")
        targets = {name: f.create_group(name) for name in "abc"}
        g.id  # noqa: B018 - made now
        for name, target in targets.items():
            g[name] = target
    with box.open("r") as f:
        links = f["g"].get(None, getlink=True)
        equal(sorted(links), ["a", "b", "c"])
        equal(sorted(f["g"].get(None, getlink=True, limit=2)), ["a", "b"])
        equal(sorted(f["g"].get(None, getlink=True, pattern="b*")), ["b"])


if __name__ == "__main__":
    main()
