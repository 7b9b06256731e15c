"""Conference rooms (domain-features 1.8)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, model_validator

from pbx.domain.base import Extension, Model, Secret

PIN_LENGTHS = range(3, 11)


class Conference(Model):
    extension: Extension
    name: str
    owner: Extension | Literal[""] = ""
    """Whose room it is: a leader without PIN from every own phone. Empty for a dedicated room, which is everybody's."""
    leader_pin: Secret = SecretStr("")
    participant_pin: Secret = SecretStr("")
    """Empty: who dials the room is in, without one."""
    quorum: int = Field(default=1, ge=1)
    """Participants the conference waits for before it begins; it goes on while anybody is there."""
    require_leader: bool = False
    """It waits for a leader, too."""
    ends_with_leader: bool = False
    """When the last leader leaves, everybody does."""
    max_participants: int = Field(default=0, ge=0)
    """0 for no limit."""
    announce_arrival: bool = True
    announce_departure: bool = True
    """By a beep, two for who leaves; by the recorded name where that is asked for."""
    ask_name: bool = False
    """Who comes says its name first, and is announced by it."""
    music: str = ""
    """While it waits; else that of the site, else of the domain."""
    site: str = ""

    @property
    def has_pins(self) -> bool:
        """Callers are asked for one; where only leaders have one, whoever enters nothing is a participant."""
        return bool(self.leader_pin.get_secret_value() or self.participant_pin.get_secret_value())

    def role_of(self, pin: str) -> Literal["leader", "participant", ""]:
        """Return what a PIN makes of a caller, nothing for a wrong one."""
        if pin and pin == self.leader_pin.get_secret_value():
            return "leader"
        return "participant" if pin == self.participant_pin.get_secret_value() else ""

    @model_validator(mode="after")
    def _is_possible(self) -> Conference:
        leader, participant = self.leader_pin.get_secret_value(), self.participant_pin.get_secret_value()
        for pin, whose in ((leader, "leader_pin"), (participant, "participant_pin")):
            if pin and not (pin.isascii() and pin.isdigit() and len(pin) in PIN_LENGTHS):
                least, most = PIN_LENGTHS[0], PIN_LENGTHS[-1]
                raise ValueError(f"{whose} has {least} to {most} digits, as a telephone can dial them")
        if leader and leader == participant:
            raise ValueError("leader_pin and participant_pin are the same: give leaders one of their own")
        if (self.require_leader or self.ends_with_leader) and not (leader or self.owner):
            raise ValueError("nobody can be the leader it waits for: give a leader_pin or an owner")
        if self.max_participants and self.quorum > self.max_participants:
            raise ValueError(f"a quorum of {self.quorum} never comes together: max_participants is lower")
        return self
