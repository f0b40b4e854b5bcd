"""Posts and comments over HTTP: for staff and the shop's front, and under ``/v1/my`` for customers themselves."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Query, Request, Response

from server.content import service as content
from server.content.posts import MAX_SEARCH
from server.contract.base import Answer, Page
from server.contract.content import ChangePost, NewPost, NewPostComment, Post, PostComment, PostRow
from server.kit.access import Principal
from server.kit.clock import milliseconds
from server.kit.tx import Tx
from server.kit.web import PageQuery, answer, mutate, page_query, permit, refuses, router, services

routes: Final = router("/v1", "content")
_Reader = Annotated[Principal, permit("content.read")]
_Writer = Annotated[Principal, permit("content.write")]
_Customer = Annotated[Principal, permit("content.own")]
_Paging = Annotated[PageQuery, Depends(page_query)]
_ERASED: Final = refuses(author_deleted=409)


class Removed(Answer):
    """What was taken away."""

    removed: bool = True


@routes.get("/posts", response_model=Page[PostRow], summary="Posts, newest first")
def list_posts(
    request: Request,
    caller: _Reader,
    paging: _Paging,
    q: Annotated[str, Query(max_length=MAX_SEARCH, description="literal text in the title")] = "",
) -> Response:
    """One page. Errors: 400 ``invalid_cursor``; 422 ``invalid_request``."""
    return _page(request, caller, paging, content.ListQuery(q.strip()))


@routes.get("/my/posts", response_model=Page[PostRow], summary="The caller's own posts, newest first")
def list_my_posts(request: Request, caller: _Customer, paging: _Paging) -> Response:
    """One page. Errors: 400 ``invalid_cursor``; 422 ``invalid_request``."""
    return _page(request, caller, paging, content.ListQuery(mine=True))


@routes.post("/posts", response_model=Post, status_code=201, summary="Publish a post")
async def make_post(request: Request, new: NewPost, caller: _Writer) -> Response:
    """The author is named by e-mail; staff who name nobody are it themselves. Errors: 422 ``invalid_request``."""
    return await _publish(request, new, caller)


@routes.post("/my/posts", response_model=Post, status_code=201, summary="Publish a post of one's own")
async def make_my_post(request: Request, new: NewPost, caller: _Customer) -> Response:
    """Errors: 422 ``invalid_request``."""
    return await _publish(request, new, caller)


@routes.get("/posts/{post}", response_model=Post, summary="One post")
def read_post(request: Request, post: str, caller: _Reader) -> Response:
    """A post by its id or slug, with what the caller may do to it. Errors: 404 ``not_found``."""
    return answer(services(request).store.read(lambda tx: content.get(tx, post, caller)))


@routes.patch("/posts/{post}", response_model=Post, summary="Change a post", responses=_ERASED)
async def change_post(request: Request, post: str, new: ChangePost, caller: _Writer) -> Response:
    """What is left out stays. Errors: 404 ``not_found``; 409 ``author_deleted``; 422 ``invalid_request``."""
    return await _change(request, post, new, caller)


@routes.patch(
    "/my/posts/{post}", response_model=Post, summary="Change a post of one's own", responses=_ERASED
)
async def change_my_post(request: Request, post: str, new: ChangePost, caller: _Customer) -> Response:
    """Errors: 404 ``not_found``, also for somebody else's; 422 ``invalid_request``."""
    return await _change(request, post, new, caller)


@routes.delete("/posts/{post}", response_model=Removed, summary="Take a post away")
async def remove_post(request: Request, post: str, caller: _Writer) -> Response:
    """Its comments go with it. Errors: 404 ``not_found``."""
    return await _remove(request, post, caller)


@routes.delete("/my/posts/{post}", response_model=Removed, summary="Take a post of one's own away")
async def remove_my_post(request: Request, post: str, caller: _Customer) -> Response:
    """Its comments go with it. Errors: 404 ``not_found``, also for somebody else's."""
    return await _remove(request, post, caller)


@routes.get(
    "/posts/{post}/comments", response_model=Page[PostComment], summary="A post's comments, newest first"
)
def list_comments(request: Request, post: str, caller: _Reader, paging: _Paging) -> Response:
    """One page. Errors: 400 ``invalid_cursor``; 404 ``not_found``; 422 ``invalid_request``."""
    found, query = services(request), f"comments\0{post}"
    page = found.store.read(
        lambda tx: content.comments(tx, post, paging.request(found.cursors, query), caller)
    )
    older, newer = found.cursors.around(page, query, lambda row: (milliseconds(row.created_at), row.id))
    return answer(Page[PostComment](items=list(page.rows), next=older, prev=newer))


@routes.post(
    "/posts/{post}/comments", response_model=PostComment, status_code=201, summary="Write under a post"
)
async def make_comment(request: Request, post: str, new: NewPostComment, caller: _Writer) -> Response:
    """The author is named as at a post. Errors: 404 ``not_found``; 422 ``invalid_request``."""
    return await _comment(request, post, new, caller)


@routes.post(
    "/my/posts/{post}/comments",
    response_model=PostComment,
    status_code=201,
    summary="Write under anybody's post as oneself",
)
async def make_my_comment(request: Request, post: str, new: NewPostComment, caller: _Customer) -> Response:
    """Errors: 404 ``not_found``; 422 ``invalid_request``."""
    return await _comment(request, post, new, caller)


@routes.delete("/posts/{post}/comments/{comment}", response_model=Removed, summary="Take a comment away")
async def remove_comment(request: Request, post: str, comment: str, caller: _Writer) -> Response:
    """Errors: 404 ``not_found``."""
    return await _uncomment(request, post, comment, caller)


@routes.delete(
    "/my/posts/{post}/comments/{comment}", response_model=Removed, summary="Take a comment of one's own away"
)
async def remove_my_comment(request: Request, post: str, comment: str, caller: _Customer) -> Response:
    """Errors: 404 ``not_found``, also for somebody else's."""
    return await _uncomment(request, post, comment, caller)


def _page(request: Request, caller: Principal, paging: PageQuery, query: content.ListQuery) -> Response:
    found = services(request)
    page = found.store.read(
        lambda tx: content.listing(tx, query, paging.request(found.cursors, query.name), caller)
    )
    older, newer = found.cursors.around(page, query.name, content.place)
    return answer(Page[PostRow](items=list(page.rows), next=older, prev=newer))


async def _publish(request: Request, new: NewPost, caller: Principal) -> Response:
    def unit(tx: Tx) -> Post:
        return content.get(tx, content.create(tx, new, caller), caller)

    return await mutate(request, caller, unit, 201, remembered=_wordless)


async def _change(request: Request, post: str, new: ChangePost, caller: Principal) -> Response:
    def unit(tx: Tx) -> Post:
        return content.get(tx, content.change(tx, post, new, caller), caller)

    return await mutate(request, caller, unit, remembered=_wordless)


async def _remove(request: Request, post: str, caller: Principal) -> Response:
    def unit(tx: Tx) -> Removed:
        content.remove(tx, post, caller)
        return Removed()

    return await mutate(request, caller, unit)


async def _comment(request: Request, post: str, new: NewPostComment, caller: Principal) -> Response:
    return await mutate(
        request,
        caller,
        lambda tx: content.comment(tx, post, new, caller),
        201,
        remembered=lambda made: made.model_copy(update={"body": "", "author": None}),
    )


async def _uncomment(request: Request, post: str, comment: str, caller: Principal) -> Response:
    def unit(tx: Tx) -> Removed:
        content.uncomment(tx, comment, caller, under=post)
        return Removed()

    return await mutate(request, caller, unit)


def _wordless(made: Post) -> Post:
    """What is kept for a repeat: what people wrote, and who they are, stands in its own table alone."""
    return made.model_copy(update={"title": "", "slug": "", "body": "", "author": None})
