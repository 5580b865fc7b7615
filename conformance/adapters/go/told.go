// What adapters in Go share: events on stdout, URLs on stdin, and the commands. See ../README.md.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// The build says it.
var version string

type fields map[string]any

var printing sync.Mutex

func say(event, at string, more ...fields) {
	line := fields{"event": event}
	if at != "" {
		line["at"] = at
	}
	for _, some := range more {
		for name, value := range some {
			line[name] = value
		}
	}
	text, _ := json.Marshal(line)
	printing.Lock()
	defer printing.Unlock()
	fmt.Println(string(text))
}

// An error as a log would show it; its class is the type that Go prints.
func fault(err error) fields {
	said := fields{"class": fmt.Sprintf("%T", err), "text": err.Error()}
	var number syscall.Errno
	if errors.As(err, &number) {
		switch number {
		case syscall.ECONNRESET:
			said["errno"] = "ECONNRESET"
		case syscall.EPIPE:
			said["errno"] = "EPIPE"
		}
	}
	return said
}

// The end, with the error that tells it.
func over(at, how string, err error, more fields) {
	say("closed", at, fault(err), fields{"how": how}, more)
}

// Of a refused handshake; nil without a response.
func status(response *http.Response) fields {
	if response == nil {
		return nil
	}
	return fields{"status": response.StatusCode}
}

func hello(name, settings string) {
	say("hello", "", fields{"name": name, "version": version, "language": "Go", "runtime": runtime.Version(), "settings": settings})
}

func deflates() bool { return os.Getenv("CONFORM_DEFLATE") != "0" }

func pathOf(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return parsed.Path
}

// What a client trusts; nil if the suite has no certificate.
func trusted() *tls.Config {
	pem, err := os.ReadFile(os.Getenv("CONFORM_CA"))
	if err != nil {
		return nil
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return &tls.Config{RootCAs: roots}
}

// What the API can do with a connection. A nil function is a command that it does not have.
type api struct {
	send  func(isText bool, payload []byte) error
	close func(code int, reason string) error
	// Close without a code.
	plain func() error
}

// Tells of a message, and echoes it or does what it says.
func (a api) obey(at string, isText bool, payload []byte) {
	kind := "binary"
	said := fields{"length": len(payload)}
	text := string(payload)
	if isText {
		kind = "text"
		// A character has at most four bytes.
		runes := []rune(text[:min(800, len(text))])
		said["text"] = string(runes[:min(200, len(runes))])
	}
	said["type"] = kind
	say("message", at, said)
	if !isText || !strings.HasPrefix(text, "!") {
		if err := a.send(isText, payload); err != nil {
			say("error", at, fault(err))
		}
		return
	}
	words := strings.SplitN(text, " ", 3)
	number := 0
	if len(words) > 1 {
		number, _ = strconv.Atoi(words[1])
	}
	var err error
	switch {
	case words[0] == "!send":
		err = a.send(false, make([]byte, number))
	case len(words) == 1 && a.plain != nil:
		err = a.plain()
	case len(words) > 1 && a.close != nil:
		err = a.close(number, strings.Join(words[2:], " "))
	default:
		err = errors.New("the API has no way to do it")
	}
	if err != nil {
		say("refused", at, fields{"command": text}, fault(err))
	}
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

// Plays the role that the arguments say, until the end of stdin.
func play(accept http.Handler, connect func(address string)) {
	if os.Args[1] == "server" {
		listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[2])
		if err != nil {
			panic(err)
		}
		certificate, key := os.Getenv("CONFORM_CERT"), os.Getenv("CONFORM_KEY")
		if certificate != "" {
			go http.ServeTLS(listener, accept, certificate, key)
		} else {
			go http.Serve(listener, accept)
		}
		say("ready", "", fields{"port": listener.Addr().(*net.TCPAddr).Port})
	} else {
		say("ready", "")
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		go connect(strings.TrimSpace(lines.Text()))
	}
}
