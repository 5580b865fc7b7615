const socket = new WebSocket("ws://localhost:8080/");

// close() without a code sends an empty Close frame: the server reports 1005.
socket.onopen = () => socket.close(1000, "done");
