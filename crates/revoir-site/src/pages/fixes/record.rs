//! What each fix was run with, and the SHA-1 of the file. Written by `cargo xtask fixes --write`.

pub(super) const RUNS: &[(&str, &str, &str)] = &[
    (
        "keepalive/ws.mjs",
        "ws 8.23.0, Node.js 20.20.2",
        "c4b2749b6c87f8aa1d39cd3cb71b610a1dc0b030",
    ),
    (
        "keepalive/server.py",
        "websockets 17.4, Python 3.11.7",
        "87b1a2cf3ecddbb71a90e5c7f9284cf2ece22341",
    ),
    (
        "keepalive/main.go",
        "gorilla/websocket 1.5.0, Go 1.19.8",
        "c37f9299c2e4cce6d2d407298c2e9456bca59623",
    ),
    (
        "keepalive/nginx.conf",
        "nginx 1.22.1",
        "3e38fa277a8622bbcb8eb6c488d94fc0bb3fae05",
    ),
    (
        "keepalive/haproxy.cfg",
        "HAProxy 2.6.12",
        "6f7b7ce7ea07cc27cdac8ab9cea11eff33b7ccfd",
    ),
    (
        "restart/browser.js",
        "Chromium 156.0.8078.108",
        "1852fd73c36b1383b17fac9143683adbe4d495bd",
    ),
    (
        "restart/ws.mjs",
        "ws 8.23.0, Node.js 20.20.2",
        "9324e6b3ba296a396f7b29571c9733c868e67d92",
    ),
    (
        "restart/server.py",
        "websockets 17.4, Python 3.11.7",
        "6ec3bdb715da42a784277905790513cbafb9328e",
    ),
    (
        "restart/main.go",
        "gorilla/websocket 1.5.0, Go 1.19.8",
        "a7bc23b3b19a58497dd3a5a614a62365d08a8910",
    ),
    (
        "size/ws.mjs",
        "ws 8.23.0, Node.js 20.20.2",
        "57c2896a54cb214a998ab844abfe198de1cc4573",
    ),
    (
        "size/server.py",
        "websockets 17.4, Python 3.11.7",
        "080cbd2943a0d6957845d0f450110393f8ec023d",
    ),
    (
        "size/main.go",
        "gorilla/websocket 1.5.0, Go 1.19.8",
        "b628ee8269984864fc801b01ddeadab6cbda4709",
    ),
    (
        "code/browser.js",
        "Chromium 156.0.8078.108",
        "a1edecd5ce43523f731a237f62652c7d8f357d40",
    ),
    (
        "code/ws.mjs",
        "ws 8.23.0, Node.js 20.20.2",
        "7f614f7a605c4f31155c3a4f17d10564a265fbd0",
    ),
    (
        "code/server.py",
        "websockets 17.4, Python 3.11.7",
        "12edf49bf168572bbb58667a7fede6f7a634a6eb",
    ),
    (
        "code/main.go",
        "gorilla/websocket 1.5.0, Go 1.19.8",
        "99312b28725b8927e3671040e4f28b02bad28c9d",
    ),
];
