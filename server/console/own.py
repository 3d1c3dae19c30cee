"""One's own sign-in: passkeys, codes from an authenticator app, and the codes to fall back on."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.response import Redirect
from msgspec import Struct

from server.access import factors, passkeys, sessions, totp
from server.access.asking_again import be_sure
from server.access.rights import signed_in
from server.console.pages import frame_for, page
from server.console.pairing import square
from server.oncall import closing_words
from server.refusals import NotFound, Refusal, SignIn
from server.store.database import Tx, reading, writing
from server.store.me import Me


class Own(Struct):
    passkeys: list[passkeys.Passkey]
    ways: list[str]
    recovery: int  # how many are left
    words_set_at: int | None  # one's closing words
    due_at: int | None  # by when their role must have one; none: it need not


@get("/console/own", guards=[signed_in])
async def own(request: Request[Any, Any, Any]) -> Response[Any]:
    return await shown(request)


@post("/console/own", guards=[signed_in])
async def change_own(request: Request[Any, Any, Any]) -> Response[Any]:
    """`do`: codes, confirm, recovery, remove_codes, remove (a passkey, `id`), words or no_words. All but confirm with `password`."""
    me, form = request.state.me, await request.form()
    do, id = str(form.get("do", "")), str(form.get("id", ""))
    if do == "confirm":
        return await confirmed(request, str(form.get("code", ""))[:40])
    try:
        await be_sure(request, str(form.get("password", "")))
    except Refusal as refusal:
        wrong = "That is not your password" if refusal.retry_after is None else refusal.said
        answer = await shown(request, refusal.status, wrong={do: wrong})
        answer.headers.update(refusal.headers)
        return answer
    match do:
        case "codes":
            return await asked(request, await writing(factors.new_generator, me))
        case "recovery":
            return await told(request, await writing(anew, me))
        case "words":
            return await kept_words(request, str(form.get("safe", "")), str(form.get("alarm", "")))
        case "no_words":
            await writing(closing_words.keep, me, "", "")
            return Redirect("/console/own?done=no-words", status_code=303)
        case "remove_codes":
            await writing(factors.remove_generator, me)
        case "remove":
            if not await writing(passkeys.remove, me, id):
                raise NotFound
        case _:
            raise NotFound
    return Redirect("/console/own?done=removed", status_code=303)


async def kept_words(request: Request[Any, Any, Any], safe: str, alarm: str) -> Response[Any]:
    if problem := closing_words.problem_with(safe, alarm):
        return await shown(request, 400, wrong={"both": problem})
    await writing(closing_words.keep, request.state.me, safe, alarm)
    return Redirect("/console/own?done=words", status_code=303)


async def shown(request: Request[Any, Any, Any], status: int = 200, wrong: dict[str, str] | None = None) -> Response[Any]:
    me = request.state.me
    found = await reading(own_of, me)
    if request.state.opens != "all" and found.ways:
        raise SignIn  # it is set up: now they show it
    only = request.state.opens == "own"
    return page(await frame_for(me), request, "own.html", status, own=found, wrong=wrong or {}, only=only)


async def asked(request: Request[Any, Any, Any], secret: str) -> Response[str]:
    me = request.state.me
    frame = await frame_for(me)
    row = await reading(lambda tx: tx.row("select username from staff where id = $1", me.staff))
    assert row is not None
    drawn = square(totp.address(secret, frame.school, row["username"]), "The square for the authenticator app")
    spaced = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return page(frame, request, "codes.html", square=drawn, secret=spaced, wrong="")


async def confirmed(request: Request[Any, Any, Any], code: str) -> Response[Any]:
    """The secret is not shown again: whoever types here has not given the password."""
    me = request.state.me
    codes = await writing(factors.confirm_generator, me, request.state.opens, code)
    if codes is not None:
        return await told(request, codes)
    if await reading(factors.waiting_secret, me) is None:
        return Redirect("/console/own", status_code=303)
    wrong = "That is not the code the app shows now"
    return page(await frame_for(me), request, "codes.html", 400, square=None, secret="", wrong=wrong)


async def told(request: Request[Any, Any, Any], codes: list[str]) -> Response[str]:
    """Once. Whoever came in only to set this up comes in again, and shows it."""
    again = request.state.opens == "own"
    answer = page(await frame_for(request.state.me), request, "recovery.html", codes=codes, again=again)
    if again:
        await writing(sessions.end, request.state.token)
    return answer


async def own_of(tx: Tx, me: Me) -> Own:
    left = await tx.row("select count(*) from recovery where school = $1 and staff = $2 and used_at is null", me.school, me.staff)
    return Own(
        await passkeys.passkeys_of(tx, me),
        await factors.ways_of(tx, me.school, me.staff),
        int(left[0]) if left else 0,
        await closing_words.set_at(tx, me.school, me.staff),
        await factors.due_at(tx, me.school, me.role),
    )


async def anew(tx: Tx, me: Me) -> list[str]:
    if "code" not in await factors.ways_of(tx, me.school, me.staff):
        raise NotFound
    return await factors.new_recovery(tx, me)


routes = [own, change_own]
