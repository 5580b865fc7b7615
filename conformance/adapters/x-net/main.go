// golang.org/x/net/websocket, both roles. Its Close takes no code.
package main

import (
	"golang.org/x/net/websocket"
)

type message struct {
	isText  bool
	payload []byte
}

// Text and binary as they come.
var codec = websocket.Codec{
	Marshal: func(value any) ([]byte, byte, error) {
		one := value.(message)
		if one.isText {
			return one.payload, websocket.TextFrame, nil
		}
		return one.payload, websocket.BinaryFrame, nil
	},
	Unmarshal: func(payload []byte, kind byte, value any) error {
		*value.(*message) = message{kind == websocket.TextFrame, payload}
		return nil
	},
}

func hold(at string, connection *websocket.Conn) {
	say("opened", at)
	connection.MaxPayloadBytes = 16 << 20
	commands := api{
		send:  func(isText bool, payload []byte) error { return codec.Send(connection, message{isText, payload}) },
		plain: connection.Close,
	}
	for {
		var one message
		if err := codec.Receive(connection, &one); err != nil {
			over(at, "error from Receive", err, nil)
			connection.Close()
			return
		}
		commands.obey(at, one.isText, one.payload)
	}
}

func connect(address string) {
	config, err := websocket.NewConfig(address, "http://localhost/")
	var connection *websocket.Conn
	if err == nil {
		config.TlsConfig = trusted()
		connection, err = websocket.DialConfig(config)
	}
	if err != nil {
		over(pathOf(address), "error from DialConfig", err, nil)
		return
	}
	hold(pathOf(address), connection)
}

func main() {
	hello("golang.org/x/net/websocket", "MaxPayloadBytes 16 MiB, no check of origins")
	accept := func(connection *websocket.Conn) { hold(connection.Request().URL.Path, connection) }
	// A Handler would refuse a request without Origin.
	play(websocket.Server{Handler: accept}, connect)
}
