# Ruby's websocket-driver, both roles. It has the protocol and no sockets: a thread reads each, and so learns how TCP ends.
require 'json'
require 'socket'
require 'uri'
require 'websocket/driver'

PRINTING = Mutex.new

def say(event, fields = {})
  PRINTING.synchronize do
    puts JSON.generate({ event: event }.merge(fields.compact))
    $stdout.flush
  end
end

# What the driver writes to, and for a client whom it calls.
Wire = Struct.new(:socket, :url) do
  def write(bytes)
    socket.write(bytes)
  rescue SystemCallError, IOError
    # Who reads is told of it.
  end
end

def obey(at, driver, data)
  unless data.is_a?(String)
    say('message', at: at, type: 'binary', length: data.size)
    return driver.binary(data)
  end
  say('message', at: at, type: 'text', length: data.bytesize, text: data[0, 200])
  name, number, reason = data.split(' ', 3)
  case name
  when '!close'
    taken = number ? driver.close(reason || '', number.to_i) : driver.close
    say('refused', at: at, command: data, text: 'close returned false') unless taken
  when '!send' then driver.binary([0] * number.to_i)
  else driver.text(data)
  end
end

# `at` is a function: a server knows the path once the request is there.
def hold(driver, socket, at)
  over = false
  driver.on(:open) { say('opened', at: at.call, protocol: driver.protocol) }
  driver.on(:message) { |event| obey(at.call, driver, event.data) }
  driver.on(:error) { |error| say('error', at: at.call, class: error.class.name, text: error.message) }
  driver.on(:close) do |event|
    over = true
    say('closed', at: at.call, code: event.code, reason: event.reason, how: 'close event')
  end
  yield
  driver.parse(socket.readpartial(65_536)) until over
rescue SystemCallError, IOError => error
  errno = error.is_a?(SystemCallError) ? error.class.name.split('::').last : nil
  fault = { how: 'exception from the socket', class: error.class.name, text: error.message, errno: errno }
  say('closed', fault.merge(at: at.call)) unless over
ensure
  socket.close
end

def serve(port)
  server = TCPServer.new('127.0.0.1', port)
  say('ready', port: server.addr[1])
  Thread.new do
    loop do
      Thread.new(server.accept) do |socket|
        driver = WebSocket::Driver.server(Wire.new(socket), max_length: 2**24)
        driver.on(:connect) { driver.start }
        hold(driver, socket, -> { driver.env && driver.env['PATH_INFO'] }) {}
      end
    end
  end
end

def connect(url)
  uri = URI(url)
  socket = TCPSocket.new(uri.host, uri.port)
  driver = WebSocket::Driver.client(Wire.new(socket, url), max_length: 2**24)
  hold(driver, socket, -> { uri.path }) { driver.start }
end

version = Gem::Specification.find_by_name('websocket-driver').version.to_s
say('hello', name: 'websocket-driver', version: version, language: 'Ruby', runtime: "Ruby #{RUBY_VERSION}",
             settings: 'max_length 16 MiB, no permessage-deflate; the application reads and closes TCP')
ARGV[0] == 'server' ? serve(ARGV[1].to_i) : say('ready')
$stdin.each_line { |url| Thread.new { connect(url.strip) } }
exit!(0)
