// Apache Tomcat, both roles: Jakarta WebSocket.

import jakarta.websocket.ClientEndpointConfig;
import jakarta.websocket.CloseReason;
import jakarta.websocket.ContainerProvider;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.MessageHandler;
import jakarta.websocket.Session;
import jakarta.websocket.server.ServerContainer;
import jakarta.websocket.server.ServerEndpointConfig;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import org.apache.catalina.servlets.DefaultServlet;
import org.apache.catalina.startup.Tomcat;
import org.apache.catalina.util.ServerInfo;
import org.apache.tomcat.websocket.server.WsSci;

/** Public, since Tomcat makes it. */
public final class Main extends Endpoint {
    private String at;

    @Override
    public void onOpen(Session session, EndpointConfig config) {
        if (at == null) {
            at = session.getRequestURI().getPath();
        }
        session.setMaxTextMessageBufferSize(Told.MIB16);
        session.setMaxBinaryMessageBufferSize(Told.MIB16);
        Told.say("opened", "at", at, "protocol", session.getNegotiatedSubprotocol());
        var api = new Told.Api() {
            @Override
            public void text(String message) throws Exception {
                session.getBasicRemote().sendText(message);
            }

            @Override
            public void binary(byte[] message) throws Exception {
                session.getBasicRemote().sendBinary(ByteBuffer.wrap(message));
            }

            @Override
            public void close() throws Exception {
                session.close();
            }

            @Override
            public void close(int code, String reason) throws Exception {
                session.close(new CloseReason(() -> code, reason));
            }
        };
        session.addMessageHandler(String.class, (MessageHandler.Whole<String>) text -> Told.text(at, text, api));
        session.addMessageHandler(byte[].class, (MessageHandler.Whole<byte[]>) bytes -> Told.binary(at, bytes, api));
    }

    @Override
    public void onClose(Session session, CloseReason reason) {
        Integer code = reason.getCloseCode().getCode();
        Told.closed(at, "onClose", code, reason.getReasonPhrase(), null, null);
    }

    @Override
    public void onError(Session session, Throwable error) {
        Told.error(at, error);
    }

    private static int serve(int port) throws Exception {
        var tomcat = new Tomcat();
        tomcat.setBaseDir(Files.createTempDirectory("tomcat").toString());
        tomcat.setHostname("127.0.0.1");
        tomcat.setPort(port);
        var context = tomcat.addContext("", null);
        context.addServletContainerInitializer(new WsSci(), null);
        Tomcat.addServlet(context, "default", new DefaultServlet());
        context.addServletMappingDecoded("/", "default");
        tomcat.getConnector();
        tomcat.start();
        var container = (ServerContainer) context.getServletContext().getAttribute(ServerContainer.class.getName());
        container.addEndpoint(ServerEndpointConfig.Builder.create(Main.class, "/{case}/{run}").build());
        return tomcat.getConnector().getLocalPort();
    }

    public static void main(String[] args) throws Exception {
        Told.hello("Tomcat", ServerInfo.getServerNumber(), "messages up to 16 MiB");
        Told.play(args, Main::serve, url -> {
            try {
                var config = ClientEndpointConfig.Builder.create().build();
                var socket = new Main();
                // A client's session does not know it.
                socket.at = Told.at(url);
                ContainerProvider.getWebSocketContainer().connectToServer(socket, config, URI.create(url));
            } catch (Exception error) {
                Told.closed(Told.at(url), "exception from connectToServer", null, null, error, null);
            }
        });
    }
}
