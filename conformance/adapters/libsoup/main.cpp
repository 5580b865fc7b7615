// libsoup 3, both roles.

#include <libsoup/soup.h>
#include <thread>

#include "told.hpp"

static void closed(SoupWebsocketConnection *socket, std::string *at) {
    std::vector<told::Field> fields{told::text("how", "closed signal")};
    // 0 is no number of its enumeration: it has none to give.
    if (int code = soup_websocket_connection_get_close_code(socket)) fields.push_back(told::number("code", code));
    const char *reason = soup_websocket_connection_get_close_data(socket);
    if (reason) fields.push_back(told::text("reason", reason));
    told::say("closed", *at, fields);
    delete at;
    g_object_unref(socket);
}

static void failed(SoupWebsocketConnection *, GError *error, std::string *at) {
    told::say("error", *at, {told::text("class", g_quark_to_string(error->domain)), told::text("text", error->message)});
}

static void message(SoupWebsocketConnection *socket, int type, GBytes *bytes, std::string *at) {
    gsize length;
    auto *start = static_cast<const char *>(g_bytes_get_data(bytes, &length));
    told::Api api{[&](bool is_text, const std::string &payload) {
                      GBytes *sent = g_bytes_new(payload.data(), payload.size());
                      auto kind = is_text ? SOUP_WEBSOCKET_DATA_TEXT : SOUP_WEBSOCKET_DATA_BINARY;
                      soup_websocket_connection_send_message(socket, kind, sent);
                      g_bytes_unref(sent);
                  },
                  [&](int code, const std::string &reason) -> std::string {
                      // What it does not like it says on stderr, and does nothing.
                      auto number = code < 0 ? static_cast<int>(SOUP_WEBSOCKET_CLOSE_NO_STATUS) : code;
                      soup_websocket_connection_close(socket, number, code < 0 ? nullptr : reason.c_str());
                      auto state = soup_websocket_connection_get_state(socket);
                      return state == SOUP_WEBSOCKET_STATE_OPEN ? "it stays open" : "";
                  }};
    told::obey(*at, type == SOUP_WEBSOCKET_DATA_TEXT, start ? std::string(start, length) : "", api);
}

static void hold(SoupWebsocketConnection *socket, const std::string &path) {
    told::say("opened", path);
    soup_websocket_connection_set_max_incoming_payload_size(socket, told::MIB16);
    auto *at = new std::string(path);
    g_signal_connect(socket, "message", G_CALLBACK(message), at);
    g_signal_connect(socket, "error", G_CALLBACK(failed), at);
    g_signal_connect(socket, "closed", G_CALLBACK(closed), at);
}

static void accepted(SoupServer *, SoupServerMessage *, const char *path, SoupWebsocketConnection *socket, gpointer) {
    hold(SOUP_WEBSOCKET_CONNECTION(g_object_ref(socket)), path);
}

static SoupSession *session;

struct Asked {
    std::string path;
    SoupMessage *message;
};

static void connected(GObject *, GAsyncResult *result, gpointer data) {
    auto *asked = static_cast<Asked *>(data);
    GError *error = nullptr;
    auto *socket = soup_session_websocket_connect_finish(session, result, &error);
    if (socket) {
        hold(socket, asked->path);
    } else {
        std::vector<told::Field> fields{told::text("how", "error from websocket_connect_finish"),
                                        told::text("class", g_quark_to_string(error->domain)), told::text("text", error->message)};
        if (int status = soup_message_get_status(asked->message)) fields.push_back(told::number("status", status));
        told::say("closed", asked->path, fields);
    }
    g_object_unref(asked->message);
    delete asked;
}

static gboolean connect(gpointer data) {
    auto *url = static_cast<std::string *>(data);
    auto *asked = new Asked{told::parts(*url).path, soup_message_new("GET", url->c_str())};
    soup_session_websocket_connect_async(session, asked->message, nullptr, nullptr, G_PRIORITY_DEFAULT, nullptr, connected, asked);
    delete url;
    return G_SOURCE_REMOVE;
}

int main(int, char **arguments) {
    char version[32];
    std::snprintf(version, sizeof version, "%u.%u.%u", soup_get_major_version(), soup_get_minor_version(), soup_get_micro_version());
    told::hello("libsoup", version, "payload up to 16 MiB; more connections at once");
    if (std::string(arguments[1]) == "server") {
        auto *server = soup_server_new(nullptr, nullptr);
        soup_server_add_websocket_handler(server, "/", nullptr, nullptr, accepted, nullptr, nullptr);
        soup_server_listen_local(server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, nullptr);
        auto *uris = soup_server_get_uris(server);
        told::say("ready", "", {told::number("port", g_uri_get_port(static_cast<GUri *>(uris->data)))});
    } else {
        session = soup_session_new_with_options("max-conns", 100, "max-conns-per-host", 100, nullptr);
        told::say("ready", "");
    }
    std::thread([] { told::urls([](const std::string &url) { g_idle_add(connect, new std::string(url)); }); }).detach();
    g_main_loop_run(g_main_loop_new(nullptr, FALSE));
}
