// nhooyr.io/websocket, today coder/websocket, both roles.
package main

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"nhooyr.io/websocket"
)

var compression = map[bool]websocket.CompressionMode{
	true: websocket.CompressionNoContextTakeover, false: websocket.CompressionDisabled,
}

func hold(at string, connection *websocket.Conn) {
	defer connection.Close(websocket.StatusInternalError, "")
	say("opened", at, fields{"protocol": connection.Subprotocol()})
	connection.SetReadLimit(16 << 20)
	kinds := map[bool]websocket.MessageType{true: websocket.MessageText, false: websocket.MessageBinary}
	commands := api{
		send: func(isText bool, payload []byte) error {
			return connection.Write(context.Background(), kinds[isText], payload)
		},
		close: func(code int, reason string) error {
			return closing(at, connection.Close(websocket.StatusCode(code), reason))
		},
		plain: func() error { return closing(at, connection.Close(websocket.StatusNoStatusRcvd, "")) },
	}
	for {
		kind, payload, err := connection.Read(context.Background())
		if err != nil {
			var frame fields
			var closed websocket.CloseError
			if errors.As(err, &closed) {
				frame = fields{"code": int(closed.Code), "reason": closed.Reason}
			}
			over(at, "error from Read", err, frame)
			return
		}
		commands.obey(at, kind == websocket.MessageText, payload)
	}
}

// Close also waits for the answer. Only an error from before the frame is a refusal.
func closing(at string, err error) error {
	if err != nil && !strings.Contains(err.Error(), "failed to marshal close frame") {
		say("error", at, fault(err))
		return nil
	}
	return err
}

func accept(answer http.ResponseWriter, request *http.Request) {
	options := websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: compression[deflates()]}
	connection, err := websocket.Accept(answer, request, &options)
	if err != nil {
		say("error", request.URL.Path, fault(err))
		return
	}
	hold(request.URL.Path, connection)
}

func connect(address string) {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: trusted()}}
	options := websocket.DialOptions{HTTPClient: client, CompressionMode: compression[deflates()]}
	connection, response, err := websocket.Dial(context.Background(), address, &options)
	if err != nil {
		over(pathOf(address), "error from Dial", err, status(response))
		return
	}
	hold(pathOf(address), connection)
}

func main() {
	hello("nhooyr.io/websocket", "read limit 16 MiB, compression, InsecureSkipVerify for origins")
	play(http.HandlerFunc(accept), connect)
}
