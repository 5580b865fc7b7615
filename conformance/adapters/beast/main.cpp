// Boost.Beast, both roles: a thread for each connection.

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <thread>

#include "told.hpp"

namespace beast = boost::beast;
namespace websocket = beast::websocket;
using tcp = boost::asio::ip::tcp;
using Socket = websocket::stream<tcp::socket>;

/// An error as a log would show it.
static std::vector<told::Field> fault(const beast::error_code &error) {
    return {told::text("class", error.category().name()), told::text("text", error.message())};
}

/// What the peer's Close frame said. Without a code there it is `none`.
static void add_reason(std::vector<told::Field> &fields, Socket &socket) {
    if (socket.reason().code == websocket::close_code::none) return;
    fields.push_back(told::number("code", socket.reason().code));
    fields.push_back(told::text("reason", socket.reason().reason.c_str()));
}

static void over(const std::string &at, Socket &socket, const beast::error_code &error, const char *how) {
    auto fields = fault(error);
    fields.insert(fields.begin(), told::text("how", how));
    if (error == websocket::error::closed) add_reason(fields, socket);
    told::say("closed", at, fields);
}

static void hold(const std::string &at, Socket &socket) {
    told::say("opened", at);
    bool is_over = false;
    told::Api api{
        [&](bool is_text, const std::string &message) {
            beast::error_code error;
            socket.text(is_text);
            socket.write(boost::asio::buffer(message), error);
            if (error) told::say("error", at, fault(error));
        },
        [&](int code, const std::string &reason) -> std::string {
            beast::error_code error;
            if (reason.size() > 123) return "its close_reason holds 123 bytes";
            websocket::close_reason why;
            if (code >= 0) why = websocket::close_reason(static_cast<websocket::close_code>(code), reason);
            // It waits for the answer, and for the end of TCP.
            socket.close(why, error);
            is_over = true;
            std::vector<told::Field> fields;
            if (error) fields = fault(error);
            fields.insert(fields.begin(), told::text("how", error ? "error from close" : "close returned"));
            add_reason(fields, socket);
            told::say("closed", at, fields);
            return "";
        }};
    while (!is_over) {
        beast::flat_buffer buffer;
        beast::error_code error;
        socket.read(buffer, error);
        if (error) return over(at, socket, error, "error from read");
        told::obey(at, socket.got_text(), beast::buffers_to_string(buffer.data()), api);
    }
}

static void limit(Socket &socket) {
    socket.read_message_max(told::MIB16);
    websocket::permessage_deflate deflate;
    const char *wanted = std::getenv("CONFORM_DEFLATE");
    deflate.client_enable = deflate.server_enable = !wanted || std::string(wanted) != "0";
    socket.set_option(deflate);
}

static void serve(boost::asio::io_context &context, tcp::acceptor &acceptor) {
    for (;;) {
        tcp::socket accepted(context);
        acceptor.accept(accepted);
        std::thread([stream = std::move(accepted)]() mutable {
            beast::error_code error;
            beast::flat_buffer buffer;
            beast::http::request<beast::http::string_body> request;
            beast::http::read(stream, buffer, request, error);
            if (error) return;
            Socket socket(std::move(stream));
            limit(socket);
            socket.accept(request, error);
            std::string at(request.target());
            if (!error) return hold(at, socket);
            told::say("error", at, fault(error));
        }).detach();
    }
}

static void connect(boost::asio::io_context &context, const std::string &url) {
    auto where = told::parts(url);
    Socket socket(context);
    limit(socket);
    beast::error_code error;
    tcp::endpoint endpoint(boost::asio::ip::make_address("127.0.0.1"), std::stoi(where.port));
    socket.next_layer().connect(endpoint, error);
    websocket::response_type response;
    if (!error) socket.handshake(response, where.host + ":" + where.port, where.path, error);
    if (!error) return hold(where.path, socket);
    auto fields = fault(error);
    fields.insert(fields.begin(), told::text("how", "error from handshake"));
    if (error == websocket::error::upgrade_declined) fields.push_back(told::number("status", response.result_int()));
    told::say("closed", where.path, fields);
}

int main(int, char **arguments) {
    told::hello("Boost.Beast", BOOST_LIB_VERSION, "read_message_max 16 MiB, permessage-deflate");
    boost::asio::io_context context;
    if (std::string(arguments[1]) == "server") {
        static tcp::acceptor acceptor(context, {boost::asio::ip::make_address("127.0.0.1"), 0});
        told::say("ready", "", {told::number("port", acceptor.local_endpoint().port())});
        std::thread([&] { serve(context, acceptor); }).detach();
    } else {
        told::say("ready", "");
    }
    told::urls([&](const std::string &url) { std::thread([&context, url] { connect(context, url); }).detach(); });
}
