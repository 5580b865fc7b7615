// Eclipse Jetty, both roles.

import java.net.URI;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.ExecutionException;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.log.StdErrLog;
import org.eclipse.jetty.util.log.Log;
import org.eclipse.jetty.websocket.api.Session;
import org.eclipse.jetty.websocket.api.UpgradeException;
import org.eclipse.jetty.websocket.api.WebSocketListener;
import org.eclipse.jetty.websocket.api.WebSocketPolicy;
import org.eclipse.jetty.websocket.client.ClientUpgradeRequest;
import org.eclipse.jetty.websocket.client.WebSocketClient;
import org.eclipse.jetty.websocket.server.WebSocketHandler;
import org.eclipse.jetty.websocket.servlet.WebSocketServletFactory;

/** Public, since Jetty calls it. */
public final class Main implements WebSocketListener, Told.Api {
    private String at;
    private Session session;

    @Override
    public void onWebSocketConnect(Session opened) {
        session = opened;
        at = opened.getUpgradeRequest().getRequestURI().getPath();
        Told.say("opened", "at", at, "protocol", opened.getUpgradeResponse().getAcceptedSubProtocol());
    }

    @Override
    public void onWebSocketText(String message) {
        Told.text(at, message, this);
    }

    @Override
    public void onWebSocketBinary(byte[] payload, int from, int length) {
        Told.binary(at, Arrays.copyOfRange(payload, from, from + length), this);
    }

    @Override
    public void onWebSocketClose(int code, String reason) {
        Told.closed(at, "onWebSocketClose", code, reason, null, null);
    }

    @Override
    public void onWebSocketError(Throwable error) {
        if (at != null) {
            Told.error(at, error);
        }
    }

    @Override
    public void text(String message) throws Exception {
        session.getRemote().sendString(message);
    }

    @Override
    public void binary(byte[] message) throws Exception {
        session.getRemote().sendBytes(ByteBuffer.wrap(message));
    }

    @Override
    public void close() {
        session.close();
    }

    @Override
    public void close(int code, String reason) {
        session.close(code, reason);
    }

    private static void limit(WebSocketPolicy policy) {
        policy.setMaxTextMessageSize(Told.MIB16);
        policy.setMaxBinaryMessageSize(Told.MIB16);
    }

    private static int serve(int port) throws Exception {
        var server = new Server();
        var connector = new ServerConnector(server);
        connector.setHost("127.0.0.1");
        connector.setPort(port);
        server.addConnector(connector);
        server.setHandler(new WebSocketHandler() {
            @Override
            public void configure(WebSocketServletFactory factory) {
                limit(factory.getPolicy());
                factory.register(Main.class);
            }
        });
        server.start();
        return connector.getLocalPort();
    }

    public static void main(String[] args) throws Exception {
        // It logs to stderr; its levels are left as they are.
        Log.setLog(new StdErrLog());
        Told.hello("Jetty", Server.getVersion(), "messages up to 16 MiB");
        var client = new WebSocketClient();
        limit(client.getPolicy());
        client.start();
        Told.play(args, Main::serve, url -> {
            var socket = new Main();
            try {
                client.connect(socket, URI.create(url), new ClientUpgradeRequest()).get();
            } catch (ExecutionException wrapped) {
                var error = wrapped.getCause();
                Integer status = error instanceof UpgradeException refused && refused.getResponseStatusCode() > 0
                    ? refused.getResponseStatusCode() : null;
                Told.closed(Told.at(url), "exception from connect", null, null, error, status);
            }
        });
    }
}
