// The HttpClient of the JDK: a client. It has no permessage-deflate, and gives messages in parts.

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

final class Main implements WebSocket.Listener, Told.Api {
    private final String at;
    private final StringBuilder text = new StringBuilder();
    private final ByteArrayOutputStream binary = new ByteArrayOutputStream();
    private WebSocket socket;

    Main(String url) {
        at = Told.at(url);
    }

    @Override
    public void onOpen(WebSocket opened) {
        socket = opened;
        Told.say("opened", "at", at, "protocol", opened.getSubprotocol());
        opened.request(1);
    }

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
        text.append(part);
        if (last) {
            var message = text.toString();
            text.setLength(0);
            Told.text(at, message, this);
        }
        from.request(1);
        return null;
    }

    @Override
    public CompletionStage<?> onBinary(WebSocket from, ByteBuffer part, boolean last) {
        var bytes = new byte[part.remaining()];
        part.get(bytes);
        binary.writeBytes(bytes);
        if (last) {
            var message = binary.toByteArray();
            binary.reset();
            Told.binary(at, message, this);
        }
        from.request(1);
        return null;
    }

    @Override
    public CompletionStage<?> onClose(WebSocket from, int code, String reason) {
        Told.closed(at, "onClose", code, reason, null, null);
        return null;
    }

    @Override
    public void onError(WebSocket from, Throwable error) {
        Told.closed(at, "onError", null, null, error, null);
    }

    @Override
    public void text(String message) {
        socket.sendText(message, true).join();
    }

    @Override
    public void binary(byte[] message) {
        socket.sendBinary(ByteBuffer.wrap(message), true).join();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException("sendClose takes a code");
    }

    @Override
    public void close(int code, String reason) {
        socket.sendClose(code, reason).join();
    }

    public static void main(String[] args) throws Exception {
        Told.hello("java.net.http", System.getProperty("java.version"), "");
        var builder = HttpClient.newBuilder();
        if (Told.trusted() != null) {
            builder.sslContext(Told.trusted());
        }
        var client = builder.build();
        Told.play(args, null, url -> {
            try {
                client.newWebSocketBuilder().buildAsync(URI.create(url), new Main(url)).join();
            } catch (CompletionException wrapped) {
                var error = wrapped.getCause();
                Integer status = error instanceof WebSocketHandshakeException refused ? refused.getResponse().statusCode() : null;
                Told.closed(Told.at(url), "exception from buildAsync", null, null, error, status);
            }
        });
    }
}
