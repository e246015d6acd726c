"""Reading links: GET of all and of one, and the POST forms that name titles or several groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from aiohttp import web

from hsds.errors import InvalidInput
from hsds.hdf5.ids import collection_of
from hsds.hdf5.link import present_link
from hsds.servicenode.call import Call, Domain
from hsds.servicenode.crawl import crawl_groups, hard_target
from hsds.servicenode.inputs import text_list
from hsds.servicenode.paging import Paging
from hsds.servicenode.paths import find_link
from hsds.servicenode.present import member_relations
from hsds.servicenode.replies import json_reply
from hsds.servicenode.several import Names, list_several
from hsds.transport.ops import GetLinks

Json = dict[str, Any]
Links = Sequence[tuple[str, Json]]


async def get_links(call: Call) -> web.StreamResponse:
    """GET /groups/{id}/links; with ``follow_links`` those of every group below, by group id."""
    domain = await call.file("read")
    group = call.member(domain, call.path["id"], "groups")
    page = Paging.of(call)
    hrefs = call.hrefs(member_relations(group, "links"))
    if call.flag("follow_links"):
        found = await _follow(call, domain, [group], page)
        return json_reply({"links": _by_group(found), "hrefs": hrefs})
    links = await _all_links(call, domain, group, page)
    return json_reply({"links": _items(call, domain, group, links), "hrefs": hrefs})


async def post_links(call: Call) -> web.StreamResponse:
    """POST /groups/{id}/links: links of some titles, of several groups, or of each group its own titles."""
    domain = await call.file("read")
    group = call.member(domain, call.path["id"], "groups")
    wanted = _wanted(call, domain, group, await call.body_object())
    page = Paging.of(call)
    follow = call.flag("follow_links")
    if any(titles is not None for titles in wanted.values()) and (
        follow or page.limit or page.creation_order
    ):
        raise InvalidInput("follow_links, Limit and CreateOrder do not go together with titles")
    hrefs = call.hrefs(member_relations(group, "links"))
    if follow:
        found = await _follow(call, domain, list(wanted), page)
    else:
        found = await _list_groups(call, domain, wanted, page)
        if len(wanted) == 1:
            ((only, links),) = found.items()
            return json_reply({"links": _items(call, domain, only, links), "hrefs": hrefs})
    return json_reply({"links": _by_group(found), "hrefs": hrefs})


async def get_link(call: Call) -> web.StreamResponse:
    """GET /groups/{id}/links/{title}."""
    domain = await call.file("read")
    group, title = call.member(domain, call.path["id"], "groups"), call.path["title"]
    link = await find_link(call, domain, group, title)
    shown = present_link(title, link)
    created = shown.pop("created", None)
    relations = member_relations(group, _link_path(title))
    target = hard_target(domain, link)
    if target is not None:
        shown["collection"] = collection_of(target)
        relations.append(("target", f"/{collection_of(target)}/{target}"))
    hrefs = call.hrefs(relations)
    return json_reply({"link": shown, "created": created, "lastModified": created, "hrefs": hrefs})


def _wanted(call: Call, domain: Domain, group: str, body: Json) -> dict[str, Names]:
    """Group id -> titles, or None for all links of that group."""
    titles = text_list(body["titles"], "titles") if "titles" in body else None
    match body.get("grp_ids"):
        case None if titles is None:
            raise InvalidInput("the body must have titles or grp_ids")
        case None:
            return {group: titles}
        case list(ids) if ids:
            return {call.member(domain, id_, "groups"): titles for id_ in ids}
        case dict(ids) if ids:
            return {
                call.member(domain, id_, "groups"): None
                if own is None
                else text_list(own, f"titles of {id_}")
                for id_, own in ids.items()
            }
        case _:
            raise InvalidInput("grp_ids must be a list of group ids, or an object with their titles")


async def _all_links(call: Call, domain: Domain, group: str, page: Paging) -> Links:
    return (
        await call.ask(
            GetLinks(
                domain.bucket,
                group,
                pattern=page.pattern,
                marker=page.marker,
                limit=page.limit,
                creation_order=page.creation_order,
            )
        )
    ).links


async def _follow(call: Call, domain: Domain, starts: Sequence[str], page: Paging) -> dict[str, Links]:
    """Links of all groups that hard links lead to; also through groups of which no link matches."""
    groups: dict[str, None] = {}
    for start in starts:
        if start not in groups:
            groups |= dict.fromkeys([visit.id async for visit in crawl_groups(call, domain, start)])
    return await _list_groups(call, domain, dict.fromkeys(groups), page)


async def _list_groups(
    call: Call, domain: Domain, wanted: Mapping[str, Names], page: Paging
) -> dict[str, Links]:
    """Links of several groups, no more than ``page.limit`` in all."""
    return await list_several(
        call,
        wanted,
        page,
        op=lambda group, titles: GetLinks(
            domain.bucket,
            group,
            titles=titles,
            pattern=page.pattern,
            limit=page.limit,
            creation_order=page.creation_order,
        ),
        items=lambda answer: answer.links,
    )


def _by_group(found: Mapping[str, Links]) -> Json:
    return {group: [present_link(title, link) for title, link in links] for group, links in found.items()}


def _items(call: Call, domain: Domain, group: str, links: Links) -> list[Json]:
    return [_item(call, domain, group, title, link) for title, link in links]


def _item(call: Call, domain: Domain, group: str, title: str, link: Json) -> Json:
    shown = present_link(title, link)
    target = hard_target(domain, link)
    if target is not None:
        shown["collection"] = collection_of(target)
        shown["target"] = call.href(f"/{shown['collection']}/{target}")
    shown["href"] = call.href(f"/groups/{group}/{_link_path(title)}")
    return shown


def _link_path(title: str) -> str:
    return f"links/{quote(title, safe='')}"


ROUTES = [
    ("GET", "/groups/{id}/links", get_links),
    ("POST", "/groups/{id}/links", post_links),
    ("GET", "/groups/{id}/links/{title}", get_link),
]
