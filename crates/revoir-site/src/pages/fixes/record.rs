//! What each fix was run with, and the SHA-1 of the file. Written by `cargo xtask fixes --write`.

pub(super) const RUNS: &[(&str, &str, &str)] = &[
    (
        "keepalive/ws.mjs",
        "ws 8.23.0, Node.js 20.20.2",
        "1f90f88cd06264fb28f1fdb5b6fe398d1c9ee8a5",
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
        "0c75dc46b65ff1800d76debfababb8920f0aa7a8",
    ),
    (
        "restart/ws.mjs",
        "ws 8.23.0, Node.js 20.20.2",
        "50a5418aafa6c99532560559c6030ec5ed0ce989",
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
        "ee6d777eb9ac3be6f693608105f6d1fc89e4f010",
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
        "4c3073307534b5a1b644fd248c15e6335645f536",
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
    (
        "quick/handshake.sh",
        "curl 7.88.1",
        "d59bc7fa7520c838a4321367d689a1637db3f2d6",
    ),
    (
        "quick/reconnect.js",
        "Chromium 156.0.8078.108",
        "3540efd63a5abeca6a5ad26905cf2cf6288011ad",
    ),
    (
        "quick/idle.conf",
        "nginx 1.22.1",
        "bb1d3d7148ec70dcf1fe13e41e8ce474c3456205",
    ),
    (
        "quick/ping.mjs",
        "ws 8.23.0, Node.js 20.20.2",
        "5a7fabab4205597ee55451286cc9648e24112560",
    ),
];
