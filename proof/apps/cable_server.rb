# ruby cable_server.rb PORT: a room on Debian's Rails and Puma.

require "json"
require "rails"
require "action_controller/railtie"
require "action_cable/engine"
require "puma"
require "puma/configuration"
require "puma/launcher"

class Chat < Rails::Application
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

PRESENT = []

class RoomChannel < ActionCable::Channel::Base
  def subscribed
    stream_from "room_#{params[:room]}"
  end

  def appear(data)
    PRESENT << data["name"] unless PRESENT.include?(data["name"])
    ActionCable.server.broadcast("room_#{params[:room]}", { present: PRESENT.sort })
  end

  def speak(data)
    ActionCable.server.broadcast("room_#{params[:room]}", { text: data["text"] })
  end
end

Chat.initialize!
ActionCable.server.config.cable = { "adapter" => "async" }

configuration = Puma::Configuration.new do |puma|
  puma.bind "tcp://127.0.0.1:#{ARGV[0]}"
  puma.threads 4, 4
  puma.app Chat
  puma.log_requests false
end
Puma::Launcher.new(configuration, events: Puma::Events.null).run
