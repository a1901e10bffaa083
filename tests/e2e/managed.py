"""One server of a manager, as a story sees it from outside."""

from datetime import datetime

from support import wait_until


class ManagedServer:
    """A server and, once a machine joined, its agent. `fields` are the server's as in the API."""

    def __init__(self, manager, name, mac, **fields):
        self.manager, self.name, self.mac = manager, name, mac
        self.id = manager.add_server(name, mac_addresses=[mac], **fields)["id"]
        self.agent = None

    def join(self):
        self.agent = self.manager.join(self.id, mac=self.mac, hostname=self.name)

    def change(self, **fields):
        answer = self.manager.api("PATCH", f"/servers/{self.id}", fields)
        assert answer.status == 200, answer

    def ask(self, target):
        """A power request, whatever becomes of it."""
        return self.manager.power(self.id, target)

    def power(self, target):
        """A power request that is accepted; returns the server as it then is."""
        answer = self.ask(target)
        assert answer.status == 202, answer
        assert answer["outcome"] == "accepted", answer
        return answer["server"]

    # --- what is shown of it ---

    def shown(self):
        return self.manager.server(self.id)

    def status(self):
        return self.shown()["actual_status"]

    def until(self, status, timeout=15):
        """Waits for a status; returns the server as it then is."""
        def reached():
            server = self.shown()
            return server if server["actual_status"] == status else None
        return wait_until(f"{self.name} is {status}", reached, timeout)

    def standby_end(self):
        """When its standby time ends."""
        return datetime.fromisoformat(self.shown()["standby"]["until"])

    def until_standby_has_passed(self):
        wait_until(f"the standby time of {self.name} has passed",
                   lambda: self.shown()["standby"] is None)

    def statuses(self):
        """Every status it has had, in order."""
        statuses = []
        for event in self.manager.events(server=self.id):
            if event["actual_status"] and event["actual_status"] not in statuses[-1:]:
                statuses.append(event["actual_status"])
        return statuses

    def events(self, kind):
        """What its events of one type say, oldest first; each with its sequence."""
        return [event["data"] | {"event": event["sequence"]}
                for event in self.manager.events(server=self.id, type=kind)]

    def notifications(self):
        """What the footer tells about it, by kind."""
        return {notification["kind"]: notification for notification in self.manager.notifications()
                if notification["server_ids"] == [self.id]}
