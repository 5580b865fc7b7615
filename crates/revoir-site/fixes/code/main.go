package main

import (
	"log"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

var upgrader websocket.Upgrader

func handler(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	// Close alone sends no Close frame: the client reports 1006.
	defer conn.Close()
	if _, _, err := conn.ReadMessage(); err != nil {
		return
	}
	deadline := time.Now().Add(5 * time.Second)
	goodbye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "done")
	conn.WriteControl(websocket.CloseMessage, goodbye, deadline)
	// Wait for the answer.
	conn.SetReadDeadline(deadline)
	for {
		if _, _, err := conn.NextReader(); err != nil {
			return
		}
	}
}

func main() {
	http.HandleFunc("/", handler)
	log.Fatal(http.ListenAndServe(":8080", nil))
}
