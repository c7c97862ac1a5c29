"""`pspc web`: serves the page, or has it served, and says where; one gateway an address."""

from __future__ import annotations

import http.client
import os
import socket
import sys
import threading
import traceback
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pspc.errors import SetupError
from pspc.web import gate, listening
from pspc.web.detaching import detach
from pspc.web.gateway import Settings
from pspc.web.passwords import password_of
from pspc.web.schema import NewKey
from pspc.web.serving import serve
from pspc.web.token_file import permanent_token

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pspc.console import Console

_USUAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})
_ANY_HOSTS = frozenset({"0.0.0.0", "::", "[::]"})  # noqa: S104 - to know them
_SECONDS = 10.0


class Options(NamedTuple):
    """What the command line says."""

    port: int
    host: str | None
    password_file: str | None
    opens_browser: bool
    is_background: bool
    is_detached: bool
    """Whether this is the process that stays in the background."""
    allows_private_urls: bool


def open_page(options: Options, environ: Mapping[str, str], console: Console) -> int:
    """Serve the page until the end, or say where it is served already.

    Returns:
        The exit status.

    Raises:
        PspcError: It cannot be served.
        KeyboardInterrupt: It was, until Ctrl-C.
    """
    token, host = permanent_token(environ), _host(options)
    try:
        sockets = listening.listen(host, options.port)
    except listening.PortTakenError as error:
        if not listening.is_announced(environ, host, options.port):
            raise SetupError(
                f"port {options.port} is taken by another program; choose another one with --port"
            ) from error
        key = _key_of_another(host, options.port, token)
        _tell(_address(host, options.port, key), options, console)
        return 0
    # Whatever is wrong with the password is better told at the terminal.
    settings = _settings(options, sockets[0], token, environ)
    if options.is_background:
        for each in sockets:
            each.close()
        _tell(detach(_words(options), environ), options, console)
    else:
        _serve(options, sockets, settings, console)
    return 0


def _serve(
    options: Options, sockets: Sequence[socket.socket], settings: Settings, console: Console
) -> None:
    host, port = _host(options), settings.policy.port

    def on_start(key: str) -> None:
        _tell(_address(host, port, key), options, console)
        if settings.password:
            console.note(
                "everybody who reaches this address and knows the password sees the pictures, and "
                "can move them to the trash; nothing is encrypted: an ssh tunnel is safer"
            )

    def report(error: Exception) -> None:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{os.path.basename(frame.filename)}:{frame.lineno}"
        console.note(
            f"this should not happen, please report it: {type(error).__name__}: {error} ({where})"
        )

    with listening.announced(settings.environ, host, port) as withdraw:
        serve(settings, sockets, on_start, report, on_end=withdraw)


def _settings(
    options: Options, listener: socket.socket, token: str, environ: Mapping[str, str]
) -> Settings:
    host = _host(options)
    password = "" if options.password_file is None else password_of(options.password_file)
    return Settings(
        environ=environ,
        policy=_policy(host, listener.getsockname(), has_login=bool(password)),
        token=token,
        password=password,
        is_at_desktop=listening.is_loopback(host),
        allows_private_urls=options.allows_private_urls,
        ends_alone=options.is_detached,
    )


def _host(options: Options) -> str:
    if options.host is None or options.host.lower() in _USUAL_HOSTS:
        return listening.LOOPBACK
    return options.host.strip("[]")


def _policy(host: str, listener: tuple[str, int], *, has_login: bool) -> gate.Policy:
    """Return under which names a gateway at an address is to be found."""
    address, port = listener[:2]
    if host == listening.LOOPBACK:
        return gate.loopback_policy(port)
    if host in _ANY_HOSTS:
        names = frozenset({"localhost", socket.gethostname().lower()})
        return gate.Policy(names, port, any_address=True, has_login=has_login)
    names = frozenset({_bracketed(host.lower()), _bracketed(address)})
    return gate.Policy(names, port, has_login=has_login)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _address(host: str, port: int, key: str) -> str:
    shown = listening.LOOPBACK if host in _ANY_HOSTS else _bracketed(host)
    return f"http://{shown}:{port}/?key={key}"


def _key_of_another(host: str, port: int, token: str) -> str:
    """Have a gateway that runs already make a key."""
    where = listening.LOOPBACK if host in _ANY_HOSTS else host
    connection = http.client.HTTPConnection(where, port, timeout=_SECONDS)
    headers = {"X-PSP-Token": token, "Content-Type": "application/json"}
    try:
        connection.request("POST", "/api/v1/keys", b"{}", headers)
        answer = connection.getresponse().read()
        return msgspec.json.decode(answer, type=NewKey).key
    except (OSError, http.client.HTTPException, msgspec.MsgspecError) as error:
        raise SetupError(
            f"pspc web runs at port {port} already, and does not answer; end it and try again"
        ) from error
    finally:
        connection.close()


def _tell(address: str, options: Options, console: Console) -> None:
    """Print the address, and open it where a person sits at a screen."""
    console.line(address)
    console.flush()
    has_screen = sys.platform == "darwin" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    if options.opens_browser and console.is_terminal and has_screen:
        import webbrowser  # noqa: PLC0415 - of no use in a script

        # It waits for some browsers.
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def _words(options: Options) -> list[str]:
    """Return the command line of the process that stays."""
    words = ["web", "--detached", "--no-browser", "--no-start", "--port", str(options.port)]
    if options.host is not None:
        words += ["--host", options.host]
    if options.password_file is not None:
        words += ["--password-file", os.path.abspath(options.password_file)]
    if options.allows_private_urls:
        words.append("--allow-private-urls")
    return words
