// gorilla/websocket, both roles.
package main

import (
	"net/http"

	"github.com/gorilla/websocket"
)

func hold(at string, connection *websocket.Conn) {
	defer connection.Close()
	say("opened", at, fields{"protocol": connection.Subprotocol()})
	kinds := map[bool]int{true: websocket.TextMessage, false: websocket.BinaryMessage}
	commands := api{
		send: func(isText bool, payload []byte) error { return connection.WriteMessage(kinds[isText], payload) },
		close: func(code int, reason string) error {
			return connection.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason))
		},
		plain: func() error { return connection.WriteMessage(websocket.CloseMessage, nil) },
	}
	for {
		kind, payload, err := connection.ReadMessage()
		if err != nil {
			said := fault(err)
			said["how"] = "error from ReadMessage"
			if closed, ok := err.(*websocket.CloseError); ok {
				said["code"], said["reason"] = closed.Code, closed.Text
			}
			say("closed", at, said)
			return
		}
		commands.obey(at, kind == websocket.TextMessage, payload)
	}
}

func accept(answer http.ResponseWriter, request *http.Request) {
	upgrader := websocket.Upgrader{
		EnableCompression: deflates(),
		CheckOrigin:       func(*http.Request) bool { return true },
	}
	connection, err := upgrader.Upgrade(answer, request, nil)
	if err != nil {
		say("error", request.URL.Path, fault(err))
		return
	}
	hold(request.URL.Path, connection)
}

func connect(address string) {
	dialer := websocket.Dialer{EnableCompression: deflates(), TLSClientConfig: trusted()}
	connection, response, err := dialer.Dial(address, nil)
	if err != nil {
		said := fault(err)
		said["how"] = "error from Dial"
		if response != nil {
			said["status"] = response.StatusCode
		}
		say("closed", pathOf(address), said)
		return
	}
	hold(pathOf(address), connection)
}

func main() {
	hello("gorilla/websocket", "EnableCompression, CheckOrigin")
	play(http.HandlerFunc(accept), connect)
}
