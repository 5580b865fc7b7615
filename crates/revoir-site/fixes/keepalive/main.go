package main

import (
	"log"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

const period = 20 * time.Second

var upgrader websocket.Upgrader

func handler(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	// Without a pong for two periods, ReadMessage fails.
	extend := func(string) error { return conn.SetReadDeadline(time.Now().Add(2 * period)) }
	extend("")
	conn.SetPongHandler(extend)
	done := make(chan struct{})
	defer close(done)
	go func() {
		ticker := time.NewTicker(period)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(period))
			}
		}
	}()
	for {
		kind, message, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if conn.WriteMessage(kind, message) != nil {
			return
		}
	}
}

func main() {
	http.HandleFunc("/", handler)
	log.Fatal(http.ListenAndServe(":8080", nil))
}
