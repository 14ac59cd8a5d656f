"""The chat's front door: what Chainlit calls, and who answers. ``surfaces.chat.serve`` opens it."""

from __future__ import annotations

from typing import Any

import chainlit as cl
from chainlit.config import config

from surfaces.chat.room import Room


def open_door(room: Room) -> None:
    """Let Chainlit call the room. Its ``password_auth_callback`` and ``on_message`` decorators are not used:

    the one would hide why a log-in fails, the other would wrap every answer in a step of its own.
    """
    config.code.password_auth_callback = room.log_in
    config.code.on_message = room.hear
    cl.data_layer(room.data_layer)
    cl.on_chat_start(room.greet)
    cl.on_chat_resume(room.resume)
    cl.set_starters(room.starters)
    for name, callback in room.actions().items():
        _answer(name, callback)


def _answer(name: str, callback: Any) -> None:
    """Register an action; what it returns is what the card gets back."""
    cl.action_callback(name)(callback)
