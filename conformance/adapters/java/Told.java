// What adapters in Java share: events on stdout, URLs on stdin, and the commands. See ../README.md.

import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

final class Told {
    /** What the API can do with a connection. */
    interface Api {
        void text(String message) throws Exception;

        void binary(byte[] message) throws Exception;

        void close() throws Exception;

        void close(int code, String reason) throws Exception;
    }

    interface Serve {
        int on(int port) throws Exception;
    }

    interface Connect {
        void to(String url) throws Exception;
    }

    static final int MIB16 = 16 << 20;
    static final boolean DEFLATE = !"0".equals(System.getenv("CONFORM_DEFLATE"));

    /** Names and values alternate; what is null is left out. */
    static synchronized void say(String event, Object... fields) {
        var line = new StringBuilder("{\"event\":" + quoted(event));
        for (int i = 0; i < fields.length; i += 2) {
            Object value = fields[i + 1];
            if (value != null) {
                line.append(',').append(quoted((String) fields[i])).append(':');
                line.append(value instanceof String text ? quoted(text) : value.toString());
            }
        }
        System.out.println(line.append('}'));
        System.out.flush();
    }

    private static String quoted(String text) {
        var out = new StringBuilder("\"");
        for (char one : text.toCharArray()) {
            if (one < ' ' || one == '"' || one == '\\' || one > '~') {
                out.append(String.format("\\u%04x", (int) one));
            } else {
                out.append(one);
            }
        }
        return out.append('"').toString();
    }

    /** The end: how the API says it, and what it gives. The first exception is the one that is told; its causes are in its text. */
    static void closed(String at, String how, Integer code, String reason, Throwable error, Integer status) {
        String name = error == null ? null : error.getClass().getName();
        say("closed", "at", at, "how", how, "code", code, "reason", reason, "class", name, "text", text(error), "status", status);
    }

    static void error(String at, Throwable error) {
        say("error", "at", at, "class", error.getClass().getName(), "text", text(error));
    }

    private static String text(Throwable error) {
        if (error == null) {
            return null;
        }
        var text = new StringBuilder(String.valueOf(error.getMessage()));
        for (var cause = error.getCause(); cause != null; cause = cause.getCause()) {
            text.append(" Caused by: ").append(cause);
        }
        return text.toString();
    }

    static String at(String url) {
        return URI.create(url).getPath();
    }

    /** Its first 200 characters. A surrogate without its other half would be no JSON. */
    private static String beginning(String text) {
        int length = text.codePointCount(0, text.length());
        return text.substring(0, text.offsetByCodePoints(0, Math.min(200, length)));
    }

    static void text(String at, String message, Api api) {
        var length = message.getBytes(StandardCharsets.UTF_8).length;
        say("message", "at", at, "type", "text", "length", length, "text", beginning(message));
        boolean isCommand = message.startsWith("!");
        try {
            String[] words = message.split(" ", 3);
            if (!isCommand) {
                api.text(message);
            } else if (words[0].equals("!send")) {
                api.binary(new byte[Integer.parseInt(words[1])]);
            } else if (words.length == 1) {
                api.close();
            } else {
                api.close(Integer.parseInt(words[1]), words.length > 2 ? words[2] : "");
            }
        } catch (Exception error) {
            if (isCommand) {
                say("refused", "at", at, "command", message, "class", error.getClass().getName(), "text", text(error));
            } else {
                error(at, error);
            }
        }
    }

    static void binary(String at, byte[] message, Api api) {
        say("message", "at", at, "type", "binary", "length", message.length);
        try {
            api.binary(message);
        } catch (Exception error) {
            error(at, error);
        }
    }

    static void hello(String name, String version, String settings) {
        String runtime = "Java " + System.getProperty("java.version");
        say("hello", "name", name, "version", version, "language", "Java", "runtime", runtime, "settings", settings);
    }

    /** What a client trusts; null if the suite has no certificate. */
    static SSLContext trusted() throws Exception {
        if (System.getenv("CONFORM_CA") == null) {
            return null;
        }
        var store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (var file = new FileInputStream(System.getenv("CONFORM_CA"))) {
            store.setCertificateEntry("suite", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        var context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    /** Plays the role that the arguments say, until the end of stdin. */
    static void play(String[] args, Serve serve, Connect connect) throws Exception {
        if (args[0].equals("server")) {
            say("ready", "port", serve.on(Integer.parseInt(args[1])));
        } else {
            say("ready");
        }
        ExecutorService each = Executors.newCachedThreadPool();
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = lines.readLine()) != null; ) {
            String url = line.strip();
            each.submit(() -> {
                try {
                    connect.to(url);
                } catch (Throwable error) {
                    closed(at(url), "exception from connecting", null, null, error, null);
                }
            });
        }
        // What the client has running is not waited for.
        Runtime.getRuntime().halt(0);
    }
}
