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
			var frame fields
			if closed, ok := err.(*websocket.CloseError); ok {
				frame = fields{"code": closed.Code, "reason": closed.Text}
			}
			over(at, "error from ReadMessage", err, frame)
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
		over(pathOf(address), "error from Dial", err, status(response))
		return
	}
	hold(pathOf(address), connection)
}

func main() {
	hello("gorilla/websocket", "EnableCompression, CheckOrigin")
	play(http.HandlerFunc(accept), connect)
}
