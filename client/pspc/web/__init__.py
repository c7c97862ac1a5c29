"""The page's gateway: HTTP on loopback ↔ the daemon, of which it is a client like any other.

    browser ──▶ protocol ──▶ guard ──▶ routes ──▶ a handler ──▶ workers ──▶ pspc.connection
                (uvicorn)      │          │
                     gate, access,     endpoints, openapi
                        sessions

`guard` stands before everything: `gate` judges a request's head, `access` and `peers` who asks, and
nothing of a body is read before they agree. `routes` is the table of what can be asked, from which
`openapi` is made as well. Handlers are small: `library`, `searches`, `pictures`, `duplicates`,
`acts`, `distinctions`, `daemon_life`, `shell`, `login`, and `events` for the stream.

The one package with Starlette and uvicorn, which its verb alone imports, and when it runs.
"""
