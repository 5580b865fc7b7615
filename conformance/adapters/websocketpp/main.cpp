// websocketpp over Asio, both roles.

#include <memory>
#include <thread>
#include <websocketpp/client.hpp>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/config/asio_no_tls_client.hpp>
#include <websocketpp/server.hpp>
#include <websocketpp/version.hpp>

#include "told.hpp"

using Handle = websocketpp::connection_hdl;

/// The handlers, which are the same for both roles.
template <typename Endpoint>
static void attend(Endpoint &endpoint) {
    endpoint.clear_access_channels(websocketpp::log::alevel::all);
    endpoint.clear_error_channels(websocketpp::log::elevel::all);
    endpoint.init_asio();
    endpoint.set_max_message_size(told::MIB16);
    auto at = [&](Handle handle) { return endpoint.get_con_from_hdl(handle)->get_resource(); };
    endpoint.set_open_handler([=, &endpoint](Handle handle) { told::say("opened", at(handle)); });
    endpoint.set_message_handler([=, &endpoint](Handle handle, typename Endpoint::message_ptr message) {
        auto path = at(handle);
        auto opcode = message->get_opcode();
        told::Api api{[&, path](bool is_text, const std::string &payload) {
                          websocketpp::lib::error_code error;
                          namespace opcodes = websocketpp::frame::opcode;
                          endpoint.send(handle, payload, is_text ? opcodes::text : opcodes::binary, error);
                          if (error) told::say("error", path, {told::text("text", error.message())});
                      },
                      [&](int code, const std::string &reason) -> std::string {
                          if (code < 0) return "close takes a code";
                          websocketpp::lib::error_code error;
                          endpoint.close(handle, code, reason, error);
                          return error ? error.message() : "";
                      }};
        told::obey(path, opcode == websocketpp::frame::opcode::text, message->get_payload(), api);
    });
    auto over = [=, &endpoint](Handle handle, const char *how, bool has_opened) {
        auto connection = endpoint.get_con_from_hdl(handle);
        auto error = connection->get_ec();
        std::vector<told::Field> fields{told::text("how", how), told::text("text", error.message())};
        if (has_opened) {
            fields.push_back(told::number("code", connection->get_remote_close_code()));
            fields.push_back(told::text("reason", connection->get_remote_close_reason()));
        } else if (int status = connection->get_response_code()) {
            fields.push_back(told::number("status", status));
        }
        told::say("closed", connection->get_resource(), fields);
    };
    endpoint.set_close_handler([=](Handle handle) { over(handle, "close handler", true); });
    endpoint.set_fail_handler([=](Handle handle) { over(handle, "fail handler", false); });
}

int main(int, char **arguments) {
    told::hello("websocketpp", std::string(websocketpp::user_agent).substr(12),
                "max_message_size 16 MiB; without permessage-deflate, as its plain configurations are");
    static websocketpp::server<websocketpp::config::asio> server;
    static websocketpp::client<websocketpp::config::asio_client> client;
    if (std::string(arguments[1]) == "server") {
        attend(server);
        server.set_reuse_addr(true);
        server.listen(boost::asio::ip::tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 0));
        server.start_accept();
        websocketpp::lib::asio::error_code error;
        told::say("ready", "", {told::number("port", server.get_local_endpoint(error).port())});
        std::thread([] { server.run(); }).detach();
    } else {
        attend(client);
        client.start_perpetual();
        std::thread([] { client.run(); }).detach();
        told::say("ready", "");
    }
    told::urls([](const std::string &url) {
        websocketpp::lib::error_code error;
        auto connection = client.get_connection(url, error);
        if (error) {
            told::say("closed", told::parts(url).path, {told::text("how", "get_connection"), told::text("text", error.message())});
        } else {
            client.connect(connection);
        }
    });
}
