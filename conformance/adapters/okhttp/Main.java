// OkHttp: a client.

import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;
import okhttp3.internal.Version;
import okio.ByteString;

final class Main extends WebSocketListener {
    private final String at;

    Main(String url) {
        at = Told.at(url);
    }

    private static Told.Api api(WebSocket socket) {
        return new Told.Api() {
            @Override
            public void text(String message) {
                took(socket.send(message));
            }

            @Override
            public void binary(byte[] message) {
                took(socket.send(ByteString.of(message)));
            }

            @Override
            public void close() {
                throw new UnsupportedOperationException("close takes a code");
            }

            @Override
            public void close(int code, String reason) {
                took(socket.close(code, reason));
            }
        };
    }

    private static void took(boolean taken) {
        if (!taken) {
            throw new IllegalStateException("it returned false");
        }
    }

    @Override
    public void onOpen(WebSocket socket, Response response) {
        Told.say("opened", "at", at, "protocol", response.header("Sec-WebSocket-Protocol"));
    }

    @Override
    public void onMessage(WebSocket socket, String text) {
        Told.text(at, text, api(socket));
    }

    @Override
    public void onMessage(WebSocket socket, ByteString bytes) {
        Told.binary(at, bytes.toByteArray(), api(socket));
    }

    /** It leaves the answer to the application. */
    @Override
    public void onClosing(WebSocket socket, int code, String reason) {
        socket.close(code == 1005 ? 1000 : code, reason);
    }

    @Override
    public void onClosed(WebSocket socket, int code, String reason) {
        Told.closed(at, "onClosed", code, reason, null, null);
    }

    @Override
    public void onFailure(WebSocket socket, Throwable error, Response response) {
        Told.closed(at, "onFailure", null, null, error, response == null ? null : response.code());
    }

    public static void main(String[] args) throws Exception {
        Told.hello("OkHttp", Version.userAgent().replace("okhttp/", ""), "the application answers a Close frame");
        var client = new OkHttpClient.Builder().build();
        Told.play(args, null, url -> client.newWebSocket(new Request.Builder().url(url).build(), new Main(url)));
    }
}
