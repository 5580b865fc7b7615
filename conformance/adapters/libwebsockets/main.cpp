// libwebsockets, both roles.

#include <deque>
#include <libwebsockets.h>
#include <map>
#include <thread>

#include "told.hpp"

namespace {

struct Connection {
    std::string at, message;
    std::deque<std::pair<bool, std::string>> queue;
    bool is_closing = false;
    int code = -1;
    std::string reason;
    // What the peer's Close frame said.
    std::vector<told::Field> close;
};

std::map<lws *, Connection> open;
std::mutex asking;
std::deque<std::string> asked;
lws_context *context;

int write_one(lws *socket, Connection &connection) {
    if (!connection.queue.empty()) {
        auto [is_text, payload] = std::move(connection.queue.front());
        connection.queue.pop_front();
        std::string room(LWS_PRE, '\0');
        room += payload;
        auto *start = reinterpret_cast<unsigned char *>(&room[LWS_PRE]);
        if (lws_write(socket, start, payload.size(), is_text ? LWS_WRITE_TEXT : LWS_WRITE_BINARY) < 0) return -1;
        lws_callback_on_writable(socket);
        return 0;
    }
    if (!connection.is_closing) return 0;
    if (connection.code >= 0) {
        auto *reason = reinterpret_cast<unsigned char *>(&connection.reason[0]);
        lws_close_reason(socket, static_cast<lws_close_status>(connection.code), reason, connection.reason.size());
    }
    return -1;
}

void take(lws *socket, Connection &connection, const char *bytes, size_t length) {
    connection.message.append(bytes, length);
    if (!lws_is_final_fragment(socket) || lws_remaining_packet_payload(socket)) return;
    std::string message;
    message.swap(connection.message);
    told::Api api{[&](bool is_text, const std::string &payload) { connection.queue.emplace_back(is_text, payload); },
                  [&](int code, const std::string &reason) -> std::string {
                      connection.is_closing = true;
                      connection.code = code;
                      connection.reason = reason;
                      return "";
                  }};
    told::obey(connection.at, !lws_frame_is_binary(socket), message, api);
    lws_callback_on_writable(socket);
}

void connect_all() {
    std::lock_guard<std::mutex> lock(asking);
    for (; !asked.empty(); asked.pop_front()) {
        auto where = told::parts(asked.front());
        std::string host = where.host + ":" + where.port;
        lws_client_connect_info info{};
        info.context = context;
        info.address = where.host.c_str();
        info.port = std::stoi(where.port);
        info.path = where.path.c_str();
        info.host = info.origin = host.c_str();
        // Told before its callbacks.
        static std::deque<std::string> paths;
        paths.push_back(where.path);
        info.opaque_user_data = &paths.back();
        lws_client_connect_via_info(&info);
    }
}

int callback(lws *socket, lws_callback_reasons why, void *, void *in, size_t length) {
    switch (why) {
        case LWS_CALLBACK_EVENT_WAIT_CANCELLED: connect_all(); return 0;
        case LWS_CALLBACK_ESTABLISHED: {
            char path[512] = "";
            lws_hdr_copy(socket, path, sizeof path, WSI_TOKEN_GET_URI);
            open[socket].at = path;
            told::say("opened", path);
            return 0;
        }
        case LWS_CALLBACK_CLIENT_ESTABLISHED:
            open[socket].at = *static_cast<std::string *>(lws_get_opaque_user_data(socket));
            told::say("opened", open[socket].at);
            return 0;
        case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
            told::say("closed", *static_cast<std::string *>(lws_get_opaque_user_data(socket)),
                      {told::text("how", "LWS_CALLBACK_CLIENT_CONNECTION_ERROR"),
                       told::text("text", in ? std::string(static_cast<char *>(in), length) : "")});
            return 0;
        case LWS_CALLBACK_RECEIVE:
        case LWS_CALLBACK_CLIENT_RECEIVE: take(socket, open[socket], static_cast<char *>(in), length); return 0;
        case LWS_CALLBACK_SERVER_WRITEABLE:
        case LWS_CALLBACK_CLIENT_WRITEABLE: return write_one(socket, open[socket]);
        case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
            if (length >= 2) {
                auto *body = static_cast<unsigned char *>(in);
                open[socket].close = {told::number("code", body[0] << 8 | body[1]),
                                      told::text("reason", std::string(reinterpret_cast<char *>(body) + 2, length - 2))};
            }
            return 0;
        case LWS_CALLBACK_CLOSED:
        case LWS_CALLBACK_CLIENT_CLOSED: {
            auto fields = open[socket].close;
            fields.push_back(told::text("how", why == LWS_CALLBACK_CLOSED ? "LWS_CALLBACK_CLOSED" : "LWS_CALLBACK_CLIENT_CLOSED"));
            told::say("closed", open[socket].at, fields);
            open.erase(socket);
            return 0;
        }
        default: return lws_callback_http_dummy(socket, why, nullptr, in, length);
    }
}

const lws_protocols PROTOCOLS[] = {{"", callback, 0, 65536, 0, nullptr, 0}, {nullptr, nullptr, 0, 0, 0, nullptr, 0}};

}  // namespace

int main(int, char **arguments) {
    // Debian's ends in a dash.
    std::string version = LWS_LIBRARY_VERSION;
    told::hello("libwebsockets", version.substr(0, version.find('-')), "without permessage-deflate; the application puts fragments together");
    lws_set_log_level(0, nullptr);
    bool is_server = std::string(arguments[1]) == "server";
    lws_context_creation_info info{};
    info.port = is_server ? 0 : CONTEXT_PORT_NO_LISTEN;
    info.iface = "127.0.0.1";
    info.protocols = PROTOCOLS;
    info.gid = info.uid = -1;
    info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
    context = lws_create_context(&info);
    auto *host = lws_create_vhost(context, &info);
    if (is_server) {
        told::say("ready", "", {told::number("port", lws_get_vhost_listen_port(host))});
    } else {
        told::say("ready", "");
    }
    std::thread([] {
        told::urls([](const std::string &url) {
            std::lock_guard<std::mutex> lock(asking);
            asked.push_back(url);
            lws_cancel_service(context);
        });
    }).detach();
    while (lws_service(context, 0) >= 0) {
    }
}
