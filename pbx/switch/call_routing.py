"""A call on its way: each stop asks where to go on, and the answer is written down; what its caller may set."""

from __future__ import annotations

from dataclasses import replace

from pbx.callflow import routing
from pbx.callflow.question import Asked, AttendantRoute, ConferenceRoute, QueueRoute, Route, UserRoute
from pbx.domain.destinations import Destination, ToUser
from pbx.domain.own_settings import OwnSettings
from pbx.events import CallerProved
from pbx.records import last_caller
from pbx.switch.call_state import CallState


class RoutingSide(CallState):
    def route_user(self, extension: str) -> UserRoute:
        switch = self._switch
        found = routing.resolve_user(self.directory, extension, self.asked, switch.presence(self), switch.hour)
        self.routed(f"user:{extension}", found.record.to_json())
        return found

    def route_attendant(self, extension: str, menu: str) -> AttendantRoute | None:
        found = routing.resolve_attendant(self.directory, extension, menu, self._switch.hour)
        if found is not None:
            self.routed(f"attendant:{extension}/{found.menu.name}", found.record.to_json())
        return found

    def route_queue(self, extension: str) -> QueueRoute | None:
        found = routing.resolve_queue(self.directory, extension, self._switch.presence(self))
        if found is not None:
            self.routed(f"queue:{extension}", found.record.to_json())
        return found

    def route_conference(self, extension: str) -> ConferenceRoute | None:
        found = routing.resolve_conference(self.directory, extension, self.asked)
        if found is not None:
            self.routed(f"conference:{extension}", found.record.to_json())
        return found

    def own_settings(self) -> OwnSettings:
        return self._switch.settings_of_users.of(self.asked.caller_extension)

    def prove(self, extension: str) -> None:
        user = self.directory.users_by_extension[extension]
        asked = self.asked
        self.asked = replace(
            asked, caller_number=extension, caller_extension=extension, caller_name=user.name, proved=True
        )
        self.shown = routing.caller_id_for(self.directory, self.asked, ToUser(extension=extension))
        self.publish(CallerProved(self.id, asked.caller_device, extension))

    def take_desk(self, extension: str) -> None:
        self._switch.settings_of_users.take_desk(self.asked.caller_device, extension)

    def set_own(self, settings: OwnSettings) -> None:
        self._switch.settings_of_users.keep(settings)

    def undisturbed(self) -> None:
        self._switch.settings_of_users.undisturbed[self.id] = self.asked.caller_extension

    def last_caller(self) -> str | None:
        return last_caller(self._switch.history.records(), self.asked.caller_extension, self.id)

    def look_up(self, dialled: str) -> Destination:
        return self._route(dialled).destination

    def look_up_for(self, device: str, dialled: str) -> Destination | None:
        if self.directory.domain.platform.phone_redirects == "ignored":
            return None
        owner = self.directory.devices_by_id[device].extension
        asked = Asked(dialled, owner, device, owner)
        route = routing.route(self.directory, asked, self._switch.presence(self), self._switch.hour)
        self.routed(route.destination.label, route.record.to_json())
        return route.destination

    def dial(self, dialled: str) -> Destination:
        route = self._route(dialled)
        self.routed(route.destination.label, route.record.to_json())
        return route.destination

    def dial_off_net(self, dialled: str) -> Destination:
        destination, record = routing.route_off_net(
            self.directory, replace(self.asked, dialled=dialled), self._switch.hour
        )
        self.routed(destination.label, record.to_json())
        return destination

    def _route(self, dialled: str) -> Route:
        asked = replace(self.asked, dialled=dialled)
        return routing.route(self.directory, asked, self._switch.presence(self), self._switch.hour)
