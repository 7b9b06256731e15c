"""Ending somebody else's program."""

from __future__ import annotations

import asyncio

import pytest

from lab.softphones import program


@pytest.mark.realtime
async def test_a_program_that_does_not_go_when_it_is_asked_is_made_to():
    stubborn = await asyncio.create_subprocess_exec(
        "sh", "-c", "trap '' TERM; echo ready; exec cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert stubborn.stdout is not None
    assert await stubborn.stdout.readline() == b"ready\n"
    await program.end(stubborn, within_s=0.2)
    assert stubborn.returncode == -9
