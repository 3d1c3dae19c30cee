"""Somebody who writes as fast as the screens let them, and whom the browser's end finds anywhere: unlocking, typing, saving, sending."""

import json
import sqlite3
from collections import Counter

from tests.journeys.handset import PIN
from tests.journeys.school import School

# In the page itself, so that every engine is as fast as it can be. What the screen has called saved stands in `saved`.
BEGIN = """
    const [pin, mark, sendEvery, pause] = given;
    window.saved = [];
    const until = async (claim) => {
        for (;;) {
            const found = claim();
            if (found) return found;
            await new Promise((resolve) => setTimeout(resolve, 4));
        }
    };
    const title = () => document.getElementById('title')?.textContent;
    const called = (what, words) => [...document.querySelectorAll(what)].find((one) => one.textContent.trim() === words);
    const tap = async (what, words) => (await until(() => called(what, words))).click();
    const write = (field, words) => {
        field.value = words;
        field.dispatchEvent(new Event('input', { bubbles: true }));
    };
    const asked = (question) => until(() => document.getElementById(called('label', question)?.htmlFor));
    // Another app in front, and back again: what waits for its ten seconds of Undo goes at once.
    const lookAway = () => {
        for (const hidden of [true, false]) {
            Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
            document.dispatchEvent(new Event('visibilitychange'));
        }
    };
    const goOn = async () => {
        await until(() => ['Locked', 'Now'].includes(title()));
        if (title() === 'Locked') {
            write(document.getElementById('pin'), pin);
            document.querySelector('form').requestSubmit();
        }
        await until(() => title() === 'Now');
        for (let n = 0; ; n++) {
            window.rests = true;
            await new Promise((resolve) => setTimeout(resolve, pause));
            await until(() => !window.mayRest);
            window.rests = false;
            const words = `${mark}-${n}.`;
            await tap('a', 'Incident');
            await tap('button', 'I do not know who');
            write(await asked('Who else?'), words);
            await tap('label.chip', 'Fight');
            await tap('label.chip', 'Yard');
            await tap('button', 'Save');
            await until(() => !document.getElementById('form') && title() === 'Now');
            if (!document.querySelector('.toast')?.textContent.includes('Saved on this phone.')) throw new Error('It did not say saved');
            window.saved.push(words);
            if (n % sendEvery === sendEvery - 1) lookAway();
        }
    };
    goOn().catch((error) => { window.stopped = String(error); });
"""
SAVED = "if (window.stopped) throw new Error(window.stopped); return window.saved ?? []"
REST = "window.mayRest = true; return window.rests"
GO_ON = "window.mayRest = false"
SEND_EVERY = 5

# What waits on the disk, by id: that much is there to be read without a PIN.
WAITING = """
    const opened = (request) => new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
    const db = await opened(indexedDB.open('lanyard northgate amira'));
    const waiting = await opened(db.transaction('outbox').objectStore('outbox').index('unsent').getAll());
    db.close();
    return waiting.map(({ id }) => id);
"""
NOTHING_WAITS = f"const waiting = await (async () => {{ {WAITING} }})(); return waiting.length === 0"


# WebKit lets a page move its history a hundred times in ten seconds, and then no more. No thumb comes near.
PAUSE_MS = {"webkit": 250}


def given(mark: str, engine: str, send_every: int = SEND_EVERY) -> list[object]:
    return [PIN, mark, send_every, PAUSE_MS.get(engine, 0)]


def arrived(school: School) -> Counter[str]:
    """What the school has of what was written so, each with how often: as edits that are part of their record."""
    return Counter(words for values in edits_at(school).values() if (words := json.loads(values).get("others")))


def edits_at(school: School) -> dict[str, str]:
    """Their values as JSON, by id."""
    with sqlite3.connect(f"file:{school.database}?mode=ro", uri=True) as database:
        return dict(database.execute('select id, "values" from edit where seq is not null'))
