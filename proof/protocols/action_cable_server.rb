# A server of Action Cable, on Debian's Rails and Puma. PORT. Ticks go to a channel that a client subscribes to.
# Rails cannot close with 1012: `restart` has it say `disconnect` with the reason server_restart, as
# its own restart does.

require "json"
require "rails"
require "action_controller/railtie"
require "action_cable/engine"
require "puma"
require "puma/configuration"
require "puma/launcher"

TICK = 0.2

class Ticks < Rails::Application
  config.eager_load = false
  config.secret_key_base = "of no use here"
  config.hosts.clear
  config.logger = Logger.new(nil)
  config.action_cable.mount_path = "/cable"
  config.action_cable.disable_request_forgery_protection = true
end

module ApplicationCable
  class Connection < ActionCable::Connection::Base
  end
end

class NumbersChannel < ActionCable::Channel::Base
  def subscribed
    stream_from "numbers"
  end
end

Ticks.initialize!
ActionCable.server.config.cable = { "adapter" => "async" }

$stdout.sync = true
mutex = Mutex.new
say = ->(event) { mutex.synchronize { $stdout.puts(JSON.generate(event)) } }

quiet = false
tick = lambda do
  last = 0
  loop do
    now = (Time.now.to_f / TICK).floor
    if now > last && !quiet
      last = now
      say.({ event: "tick", number: now })
      ActionCable.server.broadcast("numbers", { number: now })
    end
    sleep TICK / 4
  end
end

configuration = Puma::Configuration.new do |puma|
  puma.bind "tcp://127.0.0.1:#{ARGV[0]}"
  puma.threads 4, 4
  puma.app Ticks
  puma.log_requests false
end
launcher = Puma::Launcher.new(configuration, events: Puma::Events.null)
launcher.events.on_booted do
  say.({ event: "listening" })
  Thread.new(&tick)
end

Thread.new do
  $stdin.each_line do |word|
    case word.strip
    when "quiet" then quiet = true
    when "restart"
      ActionCable.server.restart
      sleep 0.2
      exit!
    when "shutdown" then Process.kill("TERM", Process.pid)
    end
  end
  # The end of whoever started this.
  exit!
end

launcher.run
exit!
