"""Who may come in, as a service's settings say: its users and their sessions, the token, the certificate."""

import logging
import socket

from pipeline.access.logout_topic import LogoutTopic
from pipeline.access.logouts import Logouts
from pipeline.access.roles import Role
from pipeline.access.session import Sessions
from pipeline.access.settings import AccessSettings
from pipeline.access.users import Users
from pipeline.access.write_token import WriteAccess, new_token
from pipeline.http.tls import Certificate
from pipeline.kafka import clients
from pipeline.kafka.topics import COMPACTED, Topic
from pipeline.service.service import Service

log = logging.getLogger(__name__)


def certificate(settings: AccessSettings) -> Certificate | None:
    """Return the certificate, if there is one; raise `SettingsError` if it cannot be used."""
    if settings.tlscert is None or settings.tlskey is None:
        return None
    return Certificate(settings.tlscert, settings.tlskey)


def sessions(settings: AccessSettings) -> Sessions | None:
    """Return the users' sessions, if there are users; raise `SettingsError` if their file is invalid."""
    if settings.users is None:
        return None
    users = Users(settings.users)
    return Sessions(users, settings.sessionlength, Logouts(users))


def writes(settings: AccessSettings, role: Role, what: str) -> WriteAccess:
    """Decide who has the role for changes without a users file, and print how; `what` are the things changed.

    With a users file, the users' roles decide.
    """
    if settings.users is not None:
        return WriteAccess(role=role)
    if settings.openwrites:
        log.warning("everyone who can reach the page may change %s (OPENWRITES)", what)
        return WriteAccess(everyone=True, role=role)
    given = settings.writetoken.get_secret_value()
    token = given or new_token()
    scheme = "http" if settings.tlscert is None else "https"
    address = f"{scheme}://{socket.gethostname()}:{settings.browser_port}{settings.rootpath}/"
    # Not with the log, which would mask the token.
    shown = "WRITETOKEN" if given else token
    print(f"to change {what} from another machine: {address}?token={shown}", flush=True)
    return WriteAccess(token, role=role)


def follow_logouts(
    settings: AccessSettings, service: Service, logouts: Logouts, *, group: str, fetch_wait: float
) -> None:
    """Read what other servers with these users have noted, and note what is logged out here.

    `group` is the name of a group that is not formed; the broker may hold back an empty answer for
    `fetch_wait` s.
    """
    bootstrap, extra = settings.kafkaport, settings.kafkaconfig
    source = clients.consumer(
        bootstrap,
        group,
        fetch_wait,
        {
            **extra,
            "allow.auto.create.topics": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
        },
    )
    producer = clients.producer(bootstrap, "none", {**extra, "acks": "all"})
    topic = Topic(settings.topicnamelogouts, COMPACTED, lambda: clients.admin(bootstrap, extra))
    logout_topic = LogoutTopic(source, producer, topic, logouts)
    service.repeat("logouts", logout_topic.step)
    service.require(logout_topic.unready)
    service.on_stop(logout_topic.close)
