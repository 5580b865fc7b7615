// What adapters in C++ share: events on stdout, URLs on stdin, and the commands. See ../README.md.
#pragma once

#include <cstdio>
#include <functional>
#include <iostream>
#include <mutex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace told {

constexpr std::size_t MIB16 = 16 << 20;

inline std::string quoted(const std::string &text) {
    std::string out = "\"";
    for (unsigned char one : text) {
        char escape[8];
        if (one < ' ' || one == '"' || one == '\\') {
            std::snprintf(escape, sizeof escape, "\\u%04x", one);
            out += escape;
        } else {
            out += static_cast<char>(one);
        }
    }
    return out + '"';
}

/// A name and its value as JSON.
using Field = std::pair<const char *, std::string>;

inline Field text(const char *name, const std::string &value) { return {name, quoted(value)}; }
inline Field number(const char *name, long value) { return {name, std::to_string(value)}; }

inline void say(const char *event, const std::string &at, const std::vector<Field> &fields = {}) {
    static std::mutex printing;
    std::string line = "{\"event\":" + quoted(event);
    if (!at.empty()) line += ",\"at\":" + quoted(at);
    for (const auto &[name, value] : fields) line += "," + quoted(name) + ":" + value;
    std::lock_guard<std::mutex> lock(printing);
    std::puts((line + "}").c_str());
    std::fflush(stdout);
}

inline void hello(const std::string &name, const std::string &version, const std::string &settings) {
    say("hello", "", {text("name", name), text("version", version), text("language", "C++"), text("settings", settings)});
}

struct Url {
    std::string host, port, path;
};

/// `ws://HOST:PORT/PATH`, as the suite writes it.
inline Url parts(const std::string &url) {
    auto host = url.find("//") + 2, port = url.find(':', host), path = url.find('/', port);
    return {url.substr(host, port - host), url.substr(port + 1, path - port - 1), url.substr(path)};
}

/// What the API can do. `close` without a code has -1. A text is what the API says to a command that it refuses.
struct Api {
    std::function<void(bool, const std::string &)> send;
    std::function<std::string(int, const std::string &)> close;
};

/// The first 200 characters.
inline std::string beginning(const std::string &text) {
    std::size_t characters = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        bool is_first = (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
        if (is_first && ++characters > 200) return text.substr(0, at);
    }
    return text;
}

/// Tells of a message, and echoes it or does what it says.
inline void obey(const std::string &at, bool is_text, const std::string &message, const Api &api) {
    std::vector<Field> fields{text("type", is_text ? "text" : "binary"), number("length", message.size())};
    if (is_text) fields.push_back(text("text", beginning(message)));
    say("message", at, fields);
    if (!is_text || message.rfind("!", 0) != 0) return api.send(is_text, message);
    std::istringstream words(message);
    std::string command, reason;
    int code = -1;
    words >> command >> code;
    if (command == "!send") return api.send(false, std::string(code, '\0'));
    if (words) words.get();
    else code = -1;
    std::getline(words, reason);
    auto refused = api.close(code, reason);
    if (!refused.empty()) say("refused", at, {text("command", message), text("text", refused)});
}

/// The URLs of stdin, one a line.
inline void urls(const std::function<void(const std::string &)> &each) {
    for (std::string line; std::getline(std::cin, line);) each(line);
    std::_Exit(0);
}

}  // namespace told
