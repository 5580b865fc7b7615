package main

import (
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

var (
	upgrader websocket.Upgrader
	conns    sync.Map
	open     sync.WaitGroup
)

func handler(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	open.Add(1)
	conns.Store(conn, true)
	defer open.Done()
	defer conn.Close()
	defer conns.Delete(conn)
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
	server := &http.Server{Addr: ":8080"}
	go server.ListenAndServe()

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	server.Close()
	deadline := time.Now().Add(5 * time.Second)
	goodbye := websocket.FormatCloseMessage(websocket.CloseServiceRestart, "service restart")
	conns.Range(func(conn, _ any) bool {
		conn.(*websocket.Conn).WriteControl(websocket.CloseMessage, goodbye, deadline)
		// The handler returns when the Close frame is answered, or then.
		conn.(*websocket.Conn).SetReadDeadline(deadline)
		return true
	})
	open.Wait()
}
