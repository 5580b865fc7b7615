# Perl's Mojolicious, both roles: Mojo::UserAgent, and an application under Mojo::Server::Daemon.
use Mojo::Base -strict, -signatures;
use Mojo::IOLoop;
use Mojo::IOLoop::Stream;
use Mojo::JSON qw(encode_json);
use Mojo::Server::Daemon;
use Mojo::URL;
use Mojo::UserAgent;
use Mojolicious;

use constant MIB16 => 16 * 2**20;
STDOUT->autoflush(1);

sub say_event ($event, %fields) {
  delete $fields{$_} for grep { !defined $fields{$_} } keys %fields;
  print encode_json({event => $event, %fields}), "\n";
}

sub obey ($at, $tx, $text) {
  my ($name, $number, $reason) = split / /, $text, 3;
  if    ($name eq '!send')  { $tx->send({binary => "\0" x $number}) }
  elsif ($name ne '!close') { $tx->send({text => Mojo::Util::encode 'UTF-8', $text}) }
  elsif (defined $number)   { $tx->finish($number, $reason // '') }
  else                      { $tx->finish }
}

sub attempt ($at, $command, $do) {
  eval { $do->(); 1 } and return;
  chomp(my $error = $@);
  my @fields = (at => $at, class => ref $@ || 'die', text => "$error");
  $command ? say_event refused => @fields, command => $command : say_event error => @fields;
}

# Events come from a controller or, for a client, from the transaction.
sub hold ($at, $source, $tx) {
  $tx->max_websocket_size(MIB16);
  say_event opened => at => $at, protocol => $tx->protocol;
  $source->on(text => sub ($source, $bytes) {
    my $text = Mojo::Util::decode('UTF-8', $bytes) // $bytes;
    say_event message => at => $at, type => 'text', length => length $bytes, text => substr $text, 0, 200;
    attempt $at, $text =~ /^!/ ? $text : undef, sub { obey $at, $source, $text };
  });
  $source->on(binary => sub ($source, $bytes) {
    say_event message => at => $at, type => 'binary', length => length $bytes;
    attempt $at, undef, sub { $source->send({binary => $bytes}) };
  });
  $source->on(finish => sub ($source, $code, $reason = undef) {
    say_event closed => at => $at, code => defined $code ? 0 + $code : undef, reason => $reason, how => 'finish event';
  });
}

sub serve ($port) {
  my $app = Mojolicious->new;
  $app->log->level('fatal');
  $app->routes->websocket('/*case' => sub ($c) {
    $c->inactivity_timeout(300);
    hold $c->req->url->path->to_string, $c, $c->tx;
  });
  my $daemon = Mojo::Server::Daemon->new(app => $app, listen => ["http://127.0.0.1:$port"], silent => 1);
  $daemon->start;
  say_event ready => port => 0 + $daemon->ports->[0];
  return $daemon;
}

my $agent = Mojo::UserAgent->new(max_connections => 0);

sub connect_to ($url) {
  my $at = Mojo::URL->new($url)->path->to_string;
  $agent->websocket($url => sub ($agent, $tx) {
    return hold $at, $tx, $tx if $tx->is_websocket;
    my $error = $tx->error // {};
    say_event closed => at => $at, status => $tx->res->code, text => $error->{message}, how => 'error of the transaction';
  });
}

say_event hello => name => 'Mojolicious', version => Mojolicious->VERSION, language => 'Perl', runtime => "Perl $^V",
  settings => 'max_websocket_size 16 MiB, inactivity_timeout 300 s';
my $daemon = $ARGV[0] eq 'server' ? serve $ARGV[1] : undef;
say_event 'ready' unless $daemon;
my ($stdin, $buffer) = (Mojo::IOLoop::Stream->new(\*STDIN), '');
$stdin->timeout(0);
$stdin->on(read => sub ($stream, $bytes) {
  $buffer .= $bytes;
  connect_to $1 while $buffer =~ s/^(\S+)\s*\n//;
});
$stdin->on(close => sub { POSIX::_exit(0) });
require POSIX;
$stdin->start;
Mojo::IOLoop->start;
