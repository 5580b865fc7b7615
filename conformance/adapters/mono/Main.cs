// System.Net.WebSockets.ClientWebSocket as Mono has it: a client.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.WebSockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

static class Adapter {
    static string Quoted(string text) {
        var escaped = text.Select(one => one < ' ' || one == '"' || one == '\\' || one > '~' ? "\\u" + ((int)one).ToString("x4") : one.ToString());
        return "\"" + string.Concat(escaped) + "\"";
    }

    // Names and values alternate; what is null is left out.
    static void Say(string name, params object[] fields) {
        var line = new StringBuilder("{\"event\":" + Quoted(name));
        for (int i = 0; i < fields.Length; i += 2) {
            if (fields[i + 1] == null) continue;
            line.Append("," + Quoted((string)fields[i]) + ":");
            line.Append(fields[i + 1] is string text ? Quoted(text) : fields[i + 1].ToString());
        }
        lock (typeof(Adapter)) Console.WriteLine(line + "}");
    }

    static string Text(Exception error) {
        var text = error.Message;
        for (var inner = error.InnerException; inner != null; inner = inner.InnerException) text += " ---> " + inner.GetType() + ": " + inner.Message;
        return text;
    }

    // Its first 200 characters. A surrogate without its other half would be no JSON.
    static string Beginning(string text) {
        var end = 0;
        for (int count = 0; count < 200 && end < text.Length; count++) end += char.IsSurrogatePair(text, end) ? 2 : 1;
        return text.Substring(0, end);
    }

    // Returns whether it has closed.
    static async Task<bool> Obey(string at, ClientWebSocket socket, bool isText, byte[] payload) {
        var text = isText ? Encoding.UTF8.GetString(payload) : null;
        Say("message", "at", at, "type", isText ? "text" : "binary", "length", payload.Length, "text", text == null ? null : Beginning(text));
        var command = isText && text.StartsWith("!") ? text : null;
        try {
            var words = (text ?? "").Split(new[] { ' ' }, 3);
            if (words[0] == "!send") {
                await socket.SendAsync(new ArraySegment<byte>(new byte[int.Parse(words[1])]), WebSocketMessageType.Binary, true, CancellationToken.None);
            } else if (command != null) {
                var code = words.Length > 1 ? int.Parse(words[1]) : (int)WebSocketCloseStatus.Empty;
                var reason = words.Length > 2 ? words[2] : words.Length > 1 ? "" : null;
                // CloseAsync would read beside the loop.
                await socket.CloseOutputAsync((WebSocketCloseStatus)code, reason, CancellationToken.None);
                return true;
            } else {
                await socket.SendAsync(new ArraySegment<byte>(payload), isText ? WebSocketMessageType.Text : WebSocketMessageType.Binary, true, CancellationToken.None);
            }
        } catch (Exception error) {
            Say(command == null ? "error" : "refused", "at", at, "command", command, "class", error.GetType().ToString(), "text", Text(error));
        }
        return false;
    }

    static async Task Connect(string url) {
        var at = new Uri(url).AbsolutePath;
        var socket = new ClientWebSocket();
        var how = "exception from ConnectAsync";
        try {
            await socket.ConnectAsync(new Uri(url), CancellationToken.None);
            Say("opened", "at", at, "protocol", socket.SubProtocol);
            how = "exception from ReceiveAsync";
            var buffer = new byte[65536];
            var message = new MemoryStream();
            var hasClosed = false;
            while (true) {
                var part = await socket.ReceiveAsync(new ArraySegment<byte>(buffer), CancellationToken.None);
                if (part.MessageType == WebSocketMessageType.Close) {
                    // It leaves the answer to the application, and says CloseReceived also behind a Close frame of its own.
                    if (!hasClosed && socket.State == WebSocketState.CloseReceived) {
                        try { await socket.CloseOutputAsync(part.CloseStatus.Value, part.CloseStatusDescription, CancellationToken.None); }
                        catch (Exception error) { Say("error", "at", at, "class", error.GetType().ToString(), "text", Text(error)); }
                    }
                    Say("closed", "at", at, "code", (int?)part.CloseStatus, "reason", part.CloseStatusDescription, "how", "ReceiveAsync returned Close");
                    break;
                }
                message.Write(buffer, 0, part.Count);
                if (!part.EndOfMessage) continue;
                var whole = message.ToArray();
                message.SetLength(0);
                hasClosed |= await Obey(at, socket, part.MessageType == WebSocketMessageType.Text, whole);
            }
        } catch (Exception error) {
            Say("closed", "at", at, "how", how, "class", error.GetType().ToString(), "text", Text(error));
        }
        socket.Dispose();
    }

    static void Main(string[] arguments) {
        var runtime = Type.GetType("Mono.Runtime").GetMethod("GetDisplayName", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static);
        var version = ((string)runtime.Invoke(null, null)).Split(' ')[0];
        Say("hello", "name", "Mono ClientWebSocket", "version", version, "language", "C#", "runtime", "Mono " + version, "settings", "the application answers a Close frame, by CloseOutputAsync");
        Say("ready");
        for (string line; (line = Console.ReadLine()) != null;) {
            var url = line.Trim();
            Task.Run(() => Connect(url));
        }
        Environment.Exit(0);
    }
}
