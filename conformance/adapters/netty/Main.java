// Netty, both roles: its handlers for the protocol, and one of ours behind them.

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.websocketx.*;
import io.netty.handler.codec.http.websocketx.extensions.compression.WebSocketClientCompressionHandler;
import io.netty.handler.codec.http.websocketx.extensions.compression.WebSocketServerCompressionHandler;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.Version;
import java.net.InetSocketAddress;
import java.net.URI;

final class Main extends ChannelInboundHandlerAdapter implements Told.Api {
    private static final EventLoopGroup LOOP = new NioEventLoopGroup(2);
    private String at;
    private Channel channel;
    private Integer code;
    private String reason;
    private Throwable error;

    Main(String at) {
        this.at = at;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        channel = context.channel();
        context.fireChannelActive();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof WebSocketServerProtocolHandler.HandshakeComplete done) {
            at = done.requestUri();
            Told.say("opened", "at", at, "protocol", done.selectedSubprotocol());
        } else if (event == WebSocketClientProtocolHandler.ClientHandshakeStateEvent.HANDSHAKE_COMPLETE) {
            Told.say("opened", "at", at);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        try {
            if (message instanceof TextWebSocketFrame frame) {
                Told.text(at, frame.text(), this);
            } else if (message instanceof BinaryWebSocketFrame frame) {
                Told.binary(at, ByteBufUtil.getBytes(frame.content()), this);
            } else if (message instanceof CloseWebSocketFrame frame) {
                code = frame.statusCode() < 0 ? null : frame.statusCode();
                reason = frame.reasonText();
                channel.writeAndFlush(frame.retain()).addListener(done -> channel.close());
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (at != null) {
            Told.closed(at, "channelInactive", code, reason, error, null);
        }
    }

    /** As its documentation does: an exception is the end of the channel. */
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable caught) {
        error = caught;
        context.close();
    }

    @Override
    public void text(String message) {
        channel.writeAndFlush(new TextWebSocketFrame(message));
    }

    @Override
    public void binary(byte[] message) {
        channel.writeAndFlush(new BinaryWebSocketFrame(Unpooled.wrappedBuffer(message)));
    }

    @Override
    public void close() {
        channel.writeAndFlush(new CloseWebSocketFrame());
    }

    @Override
    public void close(int code, String reason) {
        channel.writeAndFlush(new CloseWebSocketFrame(code, reason));
    }

    private static ChannelInitializer<Channel> with(java.util.function.Consumer<ChannelPipeline> handlers) {
        return new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                handlers.accept(channel.pipeline());
            }
        };
    }

    private static int serve(int port) throws Exception {
        var server = new ServerBootstrap().group(LOOP).channel(NioServerSocketChannel.class).childHandler(with(pipe -> {
            pipe.addLast(new HttpServerCodec(), new HttpObjectAggregator(65536));
            if (Told.DEFLATE) {
                pipe.addLast(new WebSocketServerCompressionHandler());
            }
            // Close frames are passed on, so that the code can be told.
            var config = WebSocketServerProtocolConfig.newBuilder().websocketPath("/").checkStartsWith(true)
                .allowExtensions(Told.DEFLATE).maxFramePayloadLength(Told.MIB16).handleCloseFrames(false).build();
            pipe.addLast(new WebSocketServerProtocolHandler(config), new WebSocketFrameAggregator(Told.MIB16), new Main(null));
        }));
        var channel = server.bind("127.0.0.1", port).sync().channel();
        return ((InetSocketAddress) channel.localAddress()).getPort();
    }

    private static void connect(String url) throws Exception {
        var uri = URI.create(url);
        var client = new Bootstrap().group(LOOP).channel(NioSocketChannel.class).handler(with(pipe -> {
            pipe.addLast(new HttpClientCodec(), new HttpObjectAggregator(65536));
            if (Told.DEFLATE) {
                pipe.addLast(WebSocketClientCompressionHandler.INSTANCE);
            }
            var shaker = WebSocketClientHandshakerFactory.newHandshaker(
                uri, WebSocketVersion.V13, null, Told.DEFLATE, new DefaultHttpHeaders(), Told.MIB16);
            pipe.addLast(new WebSocketClientProtocolHandler(shaker, false), new WebSocketFrameAggregator(Told.MIB16));
            pipe.addLast(new Main(uri.getPath()));
        }));
        client.connect(uri.getHost(), uri.getPort()).sync();
    }

    public static void main(String[] args) throws Exception {
        String version = Version.identify().get("netty-codec-http").artifactVersion();
        Told.hello("Netty", version, "frames up to 16 MiB, aggregated; the application answers Close and closes after an exception");
        Told.play(args, Main::serve, Main::connect);
    }
}
